"""Engine and features give the rows that three versions of CICFlowMeter computed, in every column."""

from collections import defaultdict
from pathlib import Path

import pytest

from sensor.features.published import published
from sensor.flows import PROFILES
from tests.sensor.flows import golden
from tests.sensor.flows.drive import assemble
from tests.sensor.flows.reference import Strict

RELEASE = {"cns22": "cns22", "fork": "fork", "legacy": "cse2018"}


@pytest.mark.golden
@pytest.mark.parametrize("capture", golden.CAPTURES)
@pytest.mark.parametrize("variant", golden.FILES)
def test_every_row_and_column_equals_the_golden_one(shared_data: Path, capture: str, variant: Strict):
    folder = shared_data / "golden"
    expected = golden.load(folder, capture, variant)
    flows = assemble((folder / f"{capture}.pcap").read_bytes(), PROFILES[variant])
    columns = published(flows, variant, RELEASE[variant])
    ours: golden.Table = defaultdict(list)
    starts = [golden.start_text(int(start_ns), variant) for start_ns in flows["start_ns"]]
    names = zip(columns["Flow ID"], columns["Src IP"], columns["Dst IP"], starts, strict=True)
    cells = zip(*(columns[header] for header in expected.headers), strict=True)
    for name, row in zip(names, cells, strict=True):
        ours[name].append(tuple(map(float, row)))
    assert len(expected.table) > 200
    told = golden.differences(expected.headers, expected.table, ours)
    assert not told, "\n".join(told[:20])


@pytest.mark.golden
def test_headers_stand_in_the_published_order(shared_data: Path):
    flows = assemble((shared_data / "golden" / "mix5k.pcap").read_bytes(), PROFILES["cns22"])
    for variant, file in golden.FILES.items():
        with (shared_data / "golden" / f"mix5k.{file}.csv").open(encoding="utf-8") as lines:
            headers = next(lines).rstrip("\n").split(",")
        assert list(published(flows, variant, RELEASE[variant])) == headers
