"""The transfer matrix as tables: a row a class, a mark where it was not learnt, what cannot be certified."""

from training.evaluation.matrix import ALL, CAPTURES, Cell, Matrix
from training.report.blocks import markdown
from training.report.transfers import mean, section, spread

ONE = Cell({"dos": 0.9, "scan": 0.8}, {"dos": [0.5, 0.25], "scan": [1.0, 0.0]})
OTHER = Cell({"dos": 1.0, "scan": 0.8}, {"dos": [0.7, 0.25], "scan": [1.0, 0.0]})
ABROAD = Cell({"dns-tunnel": 0.6, "portscan": 0.7}, {"dns-tunnel": [0.1, 0.0], "portscan": [0.3, 0.2]})
ROW = {"testbed": [ONE, OTHER], CAPTURES: [ABROAD, ABROAD]}
MATRIX = Matrix(
    {"dense": {"testbed": ROW, ALL: ROW}, "pca": {ALL: ROW}},
    {"testbed": ["dos", "scan"], ALL: ["dos", "scan", "tunnel"]},
    {"testbed": {"benign": 5000, "dos": 10, "scan": 4}, CAPTURES: {"benign": 900, "dns-tunnel": 3, "portscan": 7}},
)


def test_a_row_a_class_and_a_column_a_lesson():
    text = markdown(section(MATRIX, "dense", {}), "")
    head = "| class | flows | ROC-AUC: testbed | ROC-AUC: all together | recall at 0.01: testbed |"
    assert head in text
    assert "| dos | 10 | 0.950 (0.900 to 1.000) | 0.950 (0.900 to 1.000) | 0.600 (0.500 to 0.700) |" in text


def test_classes_of_captures_are_translated_and_marked_where_not_learnt():
    text = markdown(section(MATRIX, "dense", {}), "")
    assert "| dns-tunnel (tunnel) | 3 | 0.600 † | 0.600 | 0.100 |" in text
    assert "| portscan (scan) | 7 | 0.700 | 0.700 |" in text


def test_a_rate_that_few_flows_cannot_certify_is_told():
    text = markdown(section(MATRIX, "dense", {}), "")
    assert "Against 5,000 benign flows.\n" in text
    assert "Against 900 benign flows. A rate of 0.001 cannot be certified" in text


def test_every_candidate_has_its_means():
    text = markdown(section(MATRIX, "dense", {}), "")
    assert "| pca: all together | 0.875 (0.850 to 0.900) |" in text
    assert mean([ONE, OTHER], None) == [0.8500000000000001, 0.9]
    assert mean([ONE], 0) == [0.75]
    assert spread([]) == "-"


def test_one_kind_alone_has_nothing_to_compare():
    alone = Matrix({"dense": {ALL: {"x": [ONE]}}}, {ALL: ["dos"]}, {"x": {"benign": 10, "dos": 1, "scan": 1}})
    assert "nothing to compare" in markdown(section(alone, "dense", {}), "")
