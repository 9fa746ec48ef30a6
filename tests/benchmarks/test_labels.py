"""Flows are counted by the label of their conversation, by its direction or the other, at its time."""

import json

import pytest

from benchmarks import labels

HEAD = "src,sport,dst,dport,proto,start,end,packets,label,activity,tool,act,run,host"


def row(label: str, tool: str, sport: int, start_s: float) -> str:
    return f"10.0.0.1,{sport},10.0.0.2,80,tcp,{start_s},{start_s + 1},4,{label},x,{tool},1,1,h"


def flow(src: tuple[str, int], dst: tuple[str, int], second: int, *bits: str) -> dict:
    return {
        "event_type": "flow",
        "proto": "TCP",
        "src_ip": src[0],
        "src_port": src[1],
        "dest_ip": dst[0],
        "dest_port": dst[1],
        "flow": {"start": f"1970-01-01T00:00:{second:02}.000000+0000"},
        "metadata": {"flowbits": list(bits)} if bits else {},
    }


A, B = ("10.0.0.1", 5), ("10.0.0.2", 80)
LABELS = [HEAD, row("benign", "curl", 5, 1.0), row("scan", "nmap", 5, 40.0)]
EVENTS = [flow(A, B, 2), flow(B, A, 39, "ml.dos"), flow(A, B, 41), {"event_type": "stats"}]


def test_a_flow_is_that_of_the_conversation_nearest_in_time():
    found = labels.count(EVENTS, labels.Conversations(LABELS))
    assert found.flows == {("benign", "curl"): 1, ("scan", "nmap"): 2}
    assert (found.of("benign"), found.of("scan"), found.of("web")) == ((0, 1), (1, 2), (0, 0))


def test_the_command_takes_events_and_labels(tmp_path, capsys):
    (tmp_path / "eve.json").write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    (tmp_path / "some.csv").write_text("\n".join(LABELS))
    labels.main([str(tmp_path / "eve.json"), str(tmp_path / "some.csv")])
    assert [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()] == [
        "benign curl 0 of 1 flows at or above the threshold",
        "scan nmap 1 of 2 flows at or above the threshold",
    ]


def test_one_file_alone_is_refused(capsys):
    with pytest.raises(SystemExit):
        labels.main(["eve.json"])
    assert "name the events and the labels, or neither" in capsys.readouterr().err
