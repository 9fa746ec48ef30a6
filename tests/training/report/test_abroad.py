"""The section on captures of other origin: by flow, by capture, and beside its rivals."""

from training.evaluation.elsewhere import Abroad, Group
from training.report.abroad import interval, section, share
from training.report.blocks import markdown

ABROAD = Abroad(
    attacks=[Group("slowloris", 1, 300, 0.997, 0.5, 1.0, "slowdos", 0.99)],
    benign=[Group("benign-web", 48, 2018, 0.026, 0.074, 1.0, "scan", None)],
    benign_flows=2018,
    false_positive_rate=0.026,
    false_positive_rate_by_capture=0.074,
    interval=(0.01, 0.05),
    rates=(0.01,),
    at_rate={"slowloris": [0.9]},
    left_out={},
)


def test_attacks_and_benign_traffic_have_their_rows():
    text = markdown(section(ABROAD, {}, "dense", {}), "pictures")
    assert "| slowloris | 1 | 300 | 99.7 % | 50.0 % | slowdos | 0.990 |" in text
    assert "| benign-web | 48 | 2018 | 52 | 2.6 % | 7.4 % | 100.0 % |" in text
    assert "0.0100 to 0.0500" in text


def test_rivals_are_told_and_the_winner_is_marked():
    rivals = {"pca": ABROAD, "dense": ABROAD}
    text = markdown(section(ABROAD, rivals, "dense", {}), "pictures")
    assert "| pca | 2.6 % | 7.4 % | 50.0 % |" in text
    assert "| dense (ships) |" in text
    assert "| pca |" not in markdown(section(ABROAD, {}, "dense", {}), "pictures")


def test_without_captures_the_section_says_so():
    text = markdown(section(None, {}, "dense", {}), "pictures")
    assert "the run was given no captures" in text


def test_what_is_not_known_is_a_dash():
    assert share(None) == interval(None) == "-"
