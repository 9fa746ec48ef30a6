"""Recordings: the bundled one and one made now hold together, and a changed one is noticed."""

import csv
import gzip
import ipaddress
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sensor.errors import NettrusionError
from sensor.flows import PROFILES, FlowEngine, Framing
from training.testbed.packets import PROTOCOLS, conversations
from training.testbed.recording import MOST_BYTES, check, digest, dump, version


@pytest.fixture(params=["bundled", "recorded"])
def manifest_path(request: pytest.FixtureRequest) -> Path:
    """Return the manifest of the bundled recording, then of one made now."""
    path = request.getfixturevalue(request.param)
    assert isinstance(path, Path)
    return path


def rows(manifest_path: Path) -> list[dict[str, str]]:
    name = json.loads(manifest_path.read_text())["labels"]["file"]
    with (manifest_path.parent / name).open(newline="") as table:
        return list(csv.DictReader(table))


def test_labels_follow_from_the_capture_and_the_program_log(manifest_path: Path):
    manifest = check(manifest_path)
    assert manifest["labels"]["confirmed_by_server_logs"]["web"] > 10


def test_every_conversation_is_labelled_once_with_its_times_and_packets(manifest_path: Path):
    manifest = json.loads(manifest_path.read_text())
    table = rows(manifest_path)
    talks = conversations(manifest_path.parent / manifest["capture"]["file"])
    assert len(table) == len(talks)
    for row, talk in zip(table, talks, strict=True):
        start, end = (int(row[key].replace(".", "")) * 1000 for key in ("start", "end"))
        assert (row["src"], row["dst"], row["proto"]) == (talk.key.src, talk.key.dst, talk.key.protocol)
        assert (start, end, int(row["packets"])) == (talk.start_ns, talk.end_ns, sum(talk.packets))
        assert manifest["capture"]["start_ns"] <= start <= end <= manifest["capture"]["end_ns"]


def test_each_row_lies_inside_the_run_that_it_names(manifest_path: Path):
    runs = {run["run"]: run for run in json.loads(manifest_path.read_text())["runs"]}
    for row in rows(manifest_path):
        if row["tool"] == "kernel":
            continue
        run = runs[int(row["run"])]
        assert (row["tool"], row["label"]) == (run["tool"], run["label"])
        assert run["start_ns"] / 1e9 <= float(row["start"]) <= run["end_ns"] / 1e9 + 0.1


def test_all_classes_are_there_and_attackers_do_benign_things_too(manifest_path: Path):
    pairs: dict[str, set[tuple[str, str]]] = {}
    for row in rows(manifest_path):
        pairs.setdefault(row["label"], set()).add((row["src"], row["dst"]))
    assert set(pairs) == {"benign", "scan", "dos", "bruteforce"}
    for label in ("dos", "bruteforce"):
        assert pairs[label] <= pairs["benign"]
    assert pairs["scan"] & pairs["benign"]


def test_benign_work_goes_on_while_the_same_host_attacks(bundled: Path):
    table = rows(bundled)
    for host in ("10.77.2.10", "10.77.3.10"):
        attack = [row for row in table if row["src"] == host and row["label"] != "benign"]
        busy = (min(row["start"] for row in attack), max(row["end"] for row in attack))
        calm = [r for r in table if r["src"] == host and r["label"] == "benign" and busy[0] < r["start"] < busy[1]]
        assert len(calm) > 10


def test_the_bundled_recording_is_small_and_mostly_benign(bundled: Path):
    manifest = json.loads(bundled.read_text())
    files = [bundled, *(bundled.parent / manifest[part]["file"] for part in ("capture", "labels"))]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    counts = manifest["labels"]["conversations"]
    assert counts["benign"] > sum(count for label, count in counts.items() if label != "benign")
    assert "/run/testbed" not in manifest["command"]


def test_no_frame_is_larger_than_the_links_allow(manifest_path: Path):
    manifest = json.loads(manifest_path.read_text())
    for talk in conversations(manifest_path.parent / manifest["capture"]["file"]):
        for packets, octets in zip(talk.packets, talk.octets, strict=True):
            assert octets <= packets * 1514


def test_the_commands_in_the_log_name_no_address_outside(manifest_path: Path):
    for run in json.loads(manifest_path.read_text())["runs"]:
        assert all(a.startswith(("10.77.", "fd77:")) for a in (run["source"], *run["reach"]["addresses"]))


def test_every_flow_that_the_sensor_makes_of_it_has_one_label(bundled: Path):
    manifest = json.loads(bundled.read_text())
    packets = gzip.decompress((bundled.parent / manifest["capture"]["file"]).read_bytes())
    engine, framing, used = FlowEngine(PROFILES["wire"]), Framing.sniff(packets[:4096]), 0
    while step := engine.feed(memoryview(packets)[used:], framing):
        used += step
    engine.finish()
    assert used == len(packets)
    known: dict[tuple[str, frozenset[tuple[str, int]]], list[dict[str, str]]] = {}
    for row in rows(bundled):
        ends = frozenset(((row["src"], int(row["sport"])), (row["dst"], int(row["dport"]))))
        known.setdefault((row["proto"], ends), []).append(row)
    flows = engine.take()
    assert len(flows) > 500
    for flow in flows:
        size = 4 if flow["ip_version"] == 4 else 16
        proto = PROTOCOLS[int(flow["proto"])]
        ports = [0 if proto.startswith("icmp") else int(flow[key]) for key in ("src_port", "dst_port")]
        hosts = [str(ipaddress.ip_address(flow[key].tobytes()[:size])) for key in ("src", "dst")]
        at_s = int(flow["start_ns"]) / 1e9
        found = known.get((proto, frozenset(zip(hosts, ports, strict=True))), [])
        fits = {row["label"] for row in found if float(row["start"]) - 1e-4 <= at_s <= float(row["end"]) + 1e-4}
        assert len(fits) == 1, (hosts, ports, at_s, fits)


def copied(bundled: Path, folder: Path) -> tuple[Path, dict[str, Any]]:
    manifest = json.loads(bundled.read_text())
    for name in (bundled.name, manifest["capture"]["file"], manifest["labels"]["file"]):
        shutil.copy(bundled.parent / name, folder / name)
    return folder / bundled.name, manifest


def test_a_changed_capture_is_noticed(bundled: Path, tmp_path: Path):
    path, manifest = copied(bundled, tmp_path)
    capture = tmp_path / manifest["capture"]["file"]
    capture.write_bytes(gzip.compress(gzip.decompress(capture.read_bytes()), 1))
    with pytest.raises(NettrusionError, match=r"demo\.pcap\.gz is not the file"):
        check(path)


def test_a_label_that_does_not_follow_is_noticed_even_with_a_new_hash(bundled: Path, tmp_path: Path):
    path, manifest = copied(bundled, tmp_path)
    table = tmp_path / manifest["labels"]["file"]
    table.write_text(table.read_text().replace(",scan,", ",benign,", 1))
    manifest["labels"]["sha256"] = digest(table)
    path.write_text(dump(manifest))
    with pytest.raises(NettrusionError, match="does not follow"):
        check(path)


def test_a_run_that_is_missing_from_the_log_is_noticed(bundled: Path, tmp_path: Path):
    path, manifest = copied(bundled, tmp_path)
    manifest["runs"] = [run for run in manifest["runs"] if run["tool"] != "slowhttptest"]
    path.write_text(dump(manifest))
    with pytest.raises(NettrusionError, match="fits none"):
        check(path)


def test_a_manifest_is_json_with_a_run_a_line(bundled: Path):
    manifest = json.loads(bundled.read_text())
    assert dump(manifest) == bundled.read_text()
    assert sum(line.startswith('{"run":') for line in bundled.read_text().splitlines()) == len(manifest["runs"])


def test_a_version_is_the_first_dotted_number():
    assert version("echo", "tool, version 7.88.1 (x86_64) lib/1.2") == "7.88.1"
    assert version("echo", "OpenSSH_9.2p1 Debian-2") == "9.2p1"
    assert version("echo", "no number") == "unknown"
