"""The data set's passport."""

import hashlib
import json

from training.datasets.manifest import Manifest, sha256_of


def test_the_hash_is_of_the_whole_file(tmp_path):
    path = tmp_path / "big"
    path.write_bytes(b"ab" * 700_000)
    assert sha256_of(path) == hashlib.sha256(b"ab" * 700_000).hexdigest()


def test_dropped_rows_add_up_by_reason_and_none_is_no_entry():
    manifest = Manifest("rule", ["erratum"])
    manifest.drop("why", 2)
    manifest.drop("why", 3)
    manifest.drop("other", 0)
    assert manifest.dropped == {"why": 5}
    assert json.loads(json.dumps(manifest.as_dict()))["errata"] == ["erratum"]


def test_what_was_mended_adds_up_and_does_not_count_as_dropped():
    one, two = Manifest("rule", []), Manifest("rule", [])
    one.mend("flaw", 2)
    two.mend("flaw", 1)
    two.mend("none", 0)
    assert one.joined(two).mended == {"flaw": 3}
    assert one.joined(two).dropped == {}


def test_joined_manifests_add_up():
    one = Manifest("by label", ["old"], kept={"benign": 2, "scan": 1}, dropped={"odd": 1}, about=["a"])
    two = Manifest("by socket", [], kept={"benign": 3}, dropped={"odd": 2}, about=["b"])
    both = one.joined(two)
    assert both.label_rule == "by label; by socket"
    assert (both.kept, both.dropped, both.about) == ({"benign": 5, "scan": 1}, {"odd": 3}, ["a", "b"])
    assert one.kept == {"benign": 2, "scan": 1}
