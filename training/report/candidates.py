"""The card's tables of all candidates: what they reach, what of families left out, what they cost."""

from collections.abc import Mapping, Sequence

import numpy as np

from training.evaluation.trials import Trial
from training.experiment import Results
from training.report.blocks import Block, Heading, Paragraph, Table
from training.report.transfers import spread
from training.selection import Choice, Rule, Spread, Standing

BY: Mapping[str, str] = {
    "same": "The first two columns, on calibration rows, decide",
    "left_out_source": "The first two columns decide: learnt from each kind of data alone and judged on calibration"
    " rows of the others, at a threshold set on their benign ones, which is what awaits a detector on a wire",
}
COLUMNS: Mapping[str, tuple[str, str]] = {"learnt": ("the first", "the second"), "unseen": ("the second", "the first")}


def section(results: Results, machine: str) -> list[Block]:
    """Return the tables; `machine` says where costs were measured."""
    choice = results.choice
    first, second = COLUMNS[choice.rule.column]
    return [
        Heading("Candidates"),
        Paragraph(
            f"Mean recall over families at a false-positive rate of {choice.rate:g}. {BY[choice.rule.by]}: {first},"
            f" and among candidates within {choice.rule.tie:g} of each other {second}, then the simpler. The next"
            " columns are test rows, by which nothing is chosen. A network ships only if no"
            " plain baseline that can ship stands before it" + _limit(choice.rule) + "."
        ),
        _standings(results),
        *_verdict(choice),
        *_left_out(results),
        *_costs(results, machine),
    ]


def _limit(rule: Rule) -> str:
    return "" if rule.cost_us is None else f", and nothing that costs more than {rule.cost_us:g} microseconds a flow"


def _standings(results: Results) -> Table:
    choice = results.choice
    rows = []
    for one in choice.standings:
        test = results.same_day[one.candidate]
        unseen = results.unseen[one.candidate]
        left_out = [
            float(np.mean([trial.test.at(choice.rate).macro_recall for trial in seeds]))
            for seeds in zip(*unseen.values(), strict=True)
        ]
        rows.append(
            [
                one.candidate + (" (ships)" if one.candidate == choice.winner else ""),
                str(one.seeds),
                say(one.learnt),
                say(one.unseen) if one.unseen else "-",
                spread([trial.test.at(choice.rate).macro_recall for trial in test]),
                spread(left_out) if unseen else "-",
                spread([trial.test.at(choice.rate).false_positive_rate for trial in test], 4),
                spread([trial.test.roc_auc for trial in test], 4),
            ]
        )
    return Table(
        [
            "candidate",
            "seeds",
            "learnt (chosen by)",
            "unseen (chosen by)",
            "learnt, test",
            "left out, test",
            "false-positive rate, test",
            "ROC-AUC, test",
        ],
        rows,
        "Median and range over seeds. One seed: every seed gives the same detector.",
    )


def _verdict(choice: Choice) -> list[Block]:
    """Return the sentence that the house asks for: whether a network beats gradient boosting, and what ships."""
    networks = [one for one in choice.standings if one.network]
    plain = [one for one in choice.standings if not one.network]
    if not (networks and plain):
        return []
    ahead = choice.standings.index(networks[0]) < choice.standings.index(plain[0])
    said = f"The best network, {networks[0].candidate}, {'stands' if ahead else 'does not stand'} before the best plain"
    said += f" baseline, {plain[0].candidate}"
    boosting = next((one for one in plain if one.candidate == "gradient boosting"), None)
    if boosting is not None and boosting is not plain[0]:
        said += f", and {_beats(choice, networks[0], boosting)} gradient boosting"
    return [Paragraph(f"{said}. {choice.winner.capitalize()} ships.")]


def _beats(choice: Choice, network: Standing, boosting: Standing) -> str:
    before = choice.standings.index(network) < choice.standings.index(boosting)
    return "stands before" if before else "does not stand before"


def _left_out(results: Results) -> list[Block]:
    """Return recall on test rows of each family by candidates that have not learnt it."""
    names = [one.candidate for one in results.choice.standings if one.candidate != "constant"]
    families = sorted({family for name in names for family in results.unseen[name]})
    if not families:
        return []
    rate = results.choice.rate

    def recalls(trials: Sequence[Trial], family: str) -> list[float]:
        return [trial.test.at(rate).recall[family] for trial in trials]

    rows = [
        [name, *(spread(recalls(results.unseen[name].get(family, []), family), 2) for family in families)]
        for name in names
    ]
    return [
        Heading("One family left out", 3),
        Table(
            ["candidate", *families],
            rows,
            f"Recall on test rows at {rate:g} when no flow of the family was learnt. Median and range over seeds.",
        ),
    ]


def _costs(results: Results, machine: str) -> list[Block]:
    """Return the microseconds a flow of each candidate that the exporter can write."""
    priced = [(trials[0].answers, name) for name, trials in results.same_day.items()]
    rows = [[name, f"{one.cost_us:.1f}", f"{1e6 / one.cost_us:,.0f}"] for one, name in priced if one.cost_us]
    if not rows:
        return []
    return [
        Heading("Cost", 3),
        Table(
            ["candidate", "microseconds a flow", "flows a second"],
            rows,
            "Score, classes and reasons in the sensor's own session, in its batches, flows that all differ, best of"
            f" three. {machine}.",
        ),
    ]


def say(found: Spread, digits: int = 3) -> str:
    """Return median and range in words."""
    return spread([found.low, found.median, found.high], digits)
