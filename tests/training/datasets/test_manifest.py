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
