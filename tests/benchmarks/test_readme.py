"""README and model card are of the bundle that is in the tree, not of one before it."""

import re

import pytest

from benchmarks import readme
from benchmarks.labels import Conversations
from sensor.config import Config
from sensor.scoring import load_detector

HEAD = "src,sport,dst,dport,proto,start,end,packets,label,activity,tool,act,run,host"
LABELS = [
    HEAD,
    *(f"10.0.0.{n},1,10.0.0.2,80,tcp,0,1,4,{'benign' if n > 7 else 'scan'},x,y,1,1,h" for n in range(5, 10)),
]


def event(kind: str, number: int, **rest: object) -> dict:
    return {
        "event_type": kind,
        "timestamp": "1970-01-01T00:00:01.000000+0000",
        "proto": "TCP",
        "src_ip": f"10.0.0.{number}",
        "src_port": 1,
        "dest_ip": "10.0.0.2",
        "dest_port": 80,
        "flow": {"start": "1970-01-01T00:00:00.000000+0000"},
        "metadata": {},
        **rest,
    }


def alert(score: str, number: int, **reasons: list[str]) -> dict:
    said = {"signature": "scan", "severity": 3, "metadata": {"ml_score": [score], **reasons}}
    return event("alert", number, alert=said)


# A later word has no reasons, and the surest of all is wrong.
EVENTS = [
    alert("0.5", 5, ml_features=["a=1"]),
    alert("0.75", 6, ml_features=["b=2"]),
    alert("0.9", 7),
    alert("0.95", 8, ml_features=["c=3"]),
    event("flow", 5, metadata={"flowbits": ["ml.scan"]}),
    event("flow", 6),
    event("flow", 9),
]
PRINTED = "heading\n\ncaptures  1\npackets   25\nflows     3\nalerts    2\nspeed     1.00 s\n"


def test_the_surest_right_alert_with_its_reasons_the_figures_and_the_labels_are_shown():
    lines = readme.shown(EVENTS, PRINTED, Conversations(LABELS)).splitlines()
    assert [line.split()[0] for line in lines if line.startswith("    ")] == [
        *("time", "1970-01-01", "b=2", "...", "packets", "flows", "alerts", "events")
    ]
    assert "10.0.0.6:1" in lines[1]
    assert "by label: scan 1 of 2, benign 0 of 1 (" in " ".join(lines)


def test_a_demo_without_an_alert_of_an_attack_has_nothing_to_show():
    with pytest.raises(SystemExit, match="no alert of an attack to show"):
        readme.shown(EVENTS[2:], PRINTED, Conversations(LABELS))


def test_it_stands_between_its_marks(monkeypatch, tmp_path, capsys):
    page = tmp_path / "README.md"
    page.write_text(f"above\n{readme.BEGIN}old\n{readme.END}below\n")
    monkeypatch.setattr(readme, "README", page)
    monkeypatch.setattr(readme, "run", lambda: "new\n")
    assert readme.main([]) == 1
    assert readme.main(["--write"]) == 0
    assert page.read_text() == f"above\n{readme.BEGIN}new\n{readme.END}below\n"
    assert readme.main([]) == 0
    assert capsys.readouterr().out == "new\n\n" * 2
    page.write_text("nothing\n")
    with pytest.raises(SystemExit, match="its marks are gone"):
        readme.main([])


def test_the_readme_says_what_the_demo_prints():
    _, part, _ = readme.parts(readme.README.read_text(encoding="utf-8"))
    assert part == readme.run(), "the bundle, the rules or the capture changed: python -m benchmarks.readme --write"


def test_the_card_is_that_of_the_bundle(repo):
    meta = load_detector(Config()).meta
    card = (repo / "docs/model-card.md").read_text(encoding="utf-8")
    assert card.startswith(f"# Model card: {meta.name}\n")
    assert f"- Threshold {meta.threshold:.4f} on the score" in card
    assert meta.feature_set in card.partition("\n- Threshold")[0]
    pictures = re.findall(r"\]\((model-card/[^)]+)\)", card)
    assert pictures and all((repo / "docs" / picture).is_file() for picture in pictures)
    page = (repo / "docs/model-card.html").read_text(encoding="utf-8")
    assert f"Model card: {meta.name}" in page and f"Threshold {meta.threshold:.4f} on the score" in page
