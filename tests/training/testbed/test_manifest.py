"""Manifests: written, read, and proof that what lies beside them is what was recorded."""

import gzip
import json
import shutil
from pathlib import Path

import pytest

from sensor.errors import NettrusionError
from training.testbed.manifest import addresses, check, described, digest, drawn, dump, load, story, versions
from training.testbed.network import build


@pytest.fixture
def copied(recorded: Path, tmp_path: Path) -> Path:
    """Return the manifest of a copy of a recording that may be spoilt."""
    for path in recorded.parent.glob("brief.*"):
        shutil.copy(path, tmp_path)
    return tmp_path / recorded.name


def test_a_manifest_is_json_with_an_act_and_a_run_a_line(recorded: Path):
    manifest = load(recorded)
    lines = recorded.read_text().splitlines()
    assert dump(manifest) == recorded.read_text()
    assert sum(line.startswith('  {"act":') for line in lines) == len(manifest["acts"])
    assert sum(line.startswith('  {"run":') for line in lines) == len(manifest["runs"])


def test_dump_takes_empty_tables_and_lists_and_numbers_as_keys():
    document = {"format": 2, "notes": [], "left_out": {}, "services": {7: "web"}, "runs": [{"run": 1}, {"run": 2}]}
    assert json.loads(dump(document)) == {**document, "services": {"7": "web"}}


def test_a_changed_file_is_noticed(copied: Path):
    check(copied)
    for name in ("brief.pcap.gz", "brief.labels.csv", "brief.sockets.csv.gz"):
        path = copied.parent / name
        before = path.read_bytes()
        path.write_bytes(gzip.compress(before))
        with pytest.raises(NettrusionError, match=f"{name} is not the file"):
            check(copied)
        path.unlink()
        with pytest.raises(NettrusionError, match=f"{name} is not the file"):
            check(copied)
        path.write_bytes(before)


def test_a_label_that_does_not_follow_is_noticed_even_with_a_new_hash(copied: Path):
    manifest, table = load(copied), copied.parent / "brief.labels.csv"
    table.write_text(table.read_text().replace(",scan,", ",benign,", 1))
    manifest["labels"] |= described(table)
    copied.write_text(dump(manifest))
    with pytest.raises(NettrusionError, match="does not follow"):
        check(copied)


def test_a_run_that_is_missing_from_the_log_is_noticed(copied: Path):
    manifest = load(copied)
    manifest["runs"] = [run for run in manifest["runs"] if run["tool"] != "nmap"]
    copied.write_text(dump(manifest))
    with pytest.raises(NettrusionError, match="do not belong to exactly one program run"):
        check(copied)


def test_an_act_that_is_missing_is_noticed(copied: Path):
    manifest = load(copied)
    manifest["acts"] = manifest["acts"][1:]
    copied.write_text(dump(manifest))
    with pytest.raises(NettrusionError, match="does not hold together"):
        check(copied)


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "is no manifest"), ('{"format": 1}', "no manifest of format 2"), ("[]", "no manifest of format 2")],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str, says: str):
    path = tmp_path / "x.manifest.json"
    path.write_text(text)
    with pytest.raises(NettrusionError, match=says):
        load(path)
    with pytest.raises(NettrusionError, match="No such file"):
        load(tmp_path / "nothing.json")


def test_a_digest_is_the_sha256_of_the_bytes(tmp_path: Path):
    (tmp_path / "x").write_bytes(b"abc")
    assert digest(tmp_path / "x").startswith("ba7816bf8f01cfea")


def test_addresses_are_all_that_a_host_may_send_from():
    own = addresses(build({"nat": True}))
    assert {"10.77.9.10", "10.77.9.200", "fd77:9::10", "fe80::77:ff:fe00:910"} <= own["web"]
    assert len([one for one in own["bots"] if one.startswith("198.18.102.")]) == 12
    assert own["gateway"]
    assert {"10.77.9.1", "fd77:9::1", "fe80::77:ff:fe00:901"} <= own["router"]


def test_a_story_comes_back_from_its_manifest(recorded: Path):
    manifest = load(recorded)
    told = story(manifest)
    assert len(told.acts) == len(manifest["acts"]) and len(told.runs) == len(manifest["runs"])
    assert "passwords" not in drawn(build())
    assert set(told.services.values()) >= {"web", "dns"}


def test_versions_leave_out_what_nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert set(versions(["no-such-package"])) == {"linux"}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert set(versions(["nginx"])) == {"linux"}
