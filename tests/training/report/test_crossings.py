"""The transfer tables mark classes that were not learnt, and say what false alerts come with them."""

from training.evaluation.crossing import Crossing, Marks
from training.report.blocks import markdown
from training.report.crossings import document


def test_a_row_a_class_and_a_mark_where_it_was_not_learnt():
    marks = [Marks({"dos-syn": 0.9, "dns-tunnel": 0.5}, {"dos-syn": 0.25, "dns-tunnel": 0.0}, 0.02)] * 2
    marks.append(Marks({"dos-syn": 1.0, "dns-tunnel": 0.5}, {"dos-syn": 0.5, "dns-tunnel": 0.0}, 0.02))
    found = Crossing(
        {"random forest": {"testbed": {"real captures": marks}}},
        {"testbed": {"benign": 10, "dos": 5}},
        {"real captures": {"benign": 3, "dns-tunnel": 1, "dos-syn": 2}},
    )
    text = markdown(document(found), "")
    assert "| dos-syn (dos) | 0.900 (0.900 to 1.000) | 25.0 % (25.0 to 50.0) |" in text
    assert "| dns-tunnel (tunnel) | 0.500 † | 0.0 % |" in text
    assert "testbed 2.0 %" in text
    assert "testbed: benign 10, dos 5" in text
