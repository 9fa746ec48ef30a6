"""The reference itself equals what CICFlowMeter computed, in every row and column."""

from collections import defaultdict
from pathlib import Path

import pytest

from tests.sensor.flows import golden
from tests.sensor.flows.reference import Strict, assemble_strict, decode_strict, read_pcap
from tests.sensor.flows.reference_columns import columns


@pytest.mark.golden
@pytest.mark.parametrize("capture", golden.CAPTURES)
@pytest.mark.parametrize("variant", golden.FILES)
def test_the_reference_equals_the_golden_rows(shared_data: Path, capture: str, variant: Strict):
    folder = shared_data / "golden"
    expected = golden.load(folder, capture, variant)
    records = read_pcap((folder / f"{capture}.pcap").read_bytes())
    decoded = [decode_strict(variant, *record) for record in records]
    made: golden.Table = defaultdict(list)
    for flow in assemble_strict(variant, [packet for packet in decoded if packet]):
        first, second, first_port, second_port, proto = flow.key
        text = f"{golden.dotted(first)}-{golden.dotted(second)}-{first_port}-{second_port}-{proto}"
        start = golden.start_text(flow.start_ns, variant)
        row = columns(flow, variant)
        name = (text, golden.dotted(flow.src), golden.dotted(flow.dst), start)
        made[name].append(tuple(float(row[column]) for column in expected.snake))
    told = golden.differences(expected.snake, expected.table, made)
    assert not told, "\n".join(told[:20])
