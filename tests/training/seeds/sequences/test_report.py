"""The report has a row a model, its range over seeds, and the mark on what looks at ports."""

from tests.training.seeds.sequences import made
from training.seeds.sequences import report
from training.seeds.sequences.contest import Result
from training.seeds.sequences.judging import ALL, KNOWN, NEW, AtRate, Figures, split


def result(model, seed, auc):
    rates = [AtRate(rate, "certified", rate, None, auc / 2, None, {"scan": auc / 4}) for rate in (1e-2, 1e-3)]
    figures = Figures(100, 10, auc, rates)
    return Result(model, "service", seed, 9, [], {ALL: figures, KNOWN: figures, NEW: Figures(0, 5, None, rates)})


def test_seeds_are_one_row_with_their_range():
    results = [result("Bi-LSTM", seed, auc) for seed, auc in enumerate((0.5, 0.7, 0.6))] + [result("frequency", 0, 0.8)]
    events = made.office()
    written = report.markdown(events, split(events), results, ["a day"])
    assert "| Bi-LSTM | service | 0.600 (0.500 to 0.700) | 0.300 (0.250 to 0.350) (0.01) |" in written
    assert "| frequency | service | 0.800 | 0.400 (0.01) | 0.400 (0.001) |" in written
    assert "| frequency | service | - |" in written
    assert "| frequency | service | 0.200 |" in written
    assert "Rows of the alphabet `service` use the service class of a port" in written
    assert "- a day" in written
    assert "train (normal alone): 490 normal, 0 attack flows" in written
