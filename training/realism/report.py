"""The comparison as a document: shares, quantiles, distances, and who can be told from whom."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from training.realism import shapes, telltale
from training.realism.sample import Sample
from training.realism.telltale import Telltale
from training.report.blocks import Block, Heading, Paragraph, Table
from training.selection import Spread

SEEDS, FEWER_SEEDS = 5, 2
LEAST_FLOWS, LEAST_CLUSTERS = 60, 10
SHOWN = 12


def mixtures(samples: Mapping[str, Sample]) -> list[Block]:
    """Return the shares of protocols and services of every sample."""
    return [
        Heading("What flows there are"),
        _shares("protocol", {name: shapes.shares(one.protocol, one.weight) for name, one in samples.items()}),
        _shares("service", {name: shapes.shares(one.service, one.weight) for name, one in samples.items()}),
        Paragraph("Flows and captures (or hosts' hours): " + "; ".join(_size(*pair) for pair in samples.items()) + "."),
    ]


def distributions(samples: Mapping[str, Sample]) -> list[Block]:
    """Return quantiles of every quantity, and the distance of the first sample from each other one."""
    first, *others = samples
    rows = []
    known = {name: shapes.quantities(one) for name, one in samples.items()}
    for quantity in known[first]:
        for name, one in samples.items():
            found = shapes.quantiles(known[name][quantity], one.weight)
            rows.append([f"{quantity}: {name}", *(_number(value) for value in found)])
    apart = {name: shapes.distances(samples[first], samples[name]) for name in others}
    pairs = [(a, b) for place, a in enumerate(others) for b in others[place + 1 :] if "all" not in (a, b)]
    among = {pair: shapes.distances(samples[pair[0]], samples[pair[1]]) for pair in pairs}
    return [
        Heading("Distributions"),
        Table(["quantity: origin", *(f"{at:.0%}" for at in shapes.QUANTILES)], rows),
        Table(
            ["Kolmogorov-Smirnov distance", *(f"{first} and {name}" for name in others), "among real kinds"],
            [
                [
                    quantity,
                    *(f"{apart[name][quantity]:.2f}" for name in others),
                    _range([found[quantity] for found in among.values()]),
                ]
                for quantity in known[first]
            ],
            "0: the same distribution, 1: no overlap. Last column: lowest and highest between two kinds of real"
            " networks.",
        ),
    ]


def tellings(
    made: Sample,
    real: Sample,
    names: Sequence[str],
    excluded: Sequence[str],
    say: Callable[[str], None] = lambda text: None,
) -> list[Block]:
    """Return how well made and real flows are told apart, beside real ones among themselves.

    `names` are the features, `excluded` those that the second column does without; `say` hears of progress.
    """
    whole = telltale.tell(made, real, names, explained=True)
    fewer = telltale.tell(made, real, names, excluded, explained=True)
    say(f"given away by {', '.join(list(whole.by_feature)[:SHOWN])}")
    rows: list[list[str]] = []
    for name, pair, seeds in _pairs(made, real):
        figures = [_spread([told.auc for told in _told(pair, names, without, seeds)]) for without in ((), excluded)]
        clusters = " and ".join(str(len(np.unique(side.cluster))) for side in pair)
        rows.append([name, *figures, clusters])
        say(" ".join(rows[-1]))
    return [
        Heading("Told apart by a classifier"),
        Table(
            ["between", f"ROC-AUC, {len(names)} features", f"{len(names) - len(excluded)} features", "clusters"],
            rows,
            f"Gradient boosting, both sides weighing the same, {telltale.FOLDS} folds that keep captures and hosts'"
            " hours whole; median and range over seeds. 0.5: nobody can tell. Real halves: the same test between"
            " captures of real networks, drawn at random; kinds of real networks differ as strangers do.",
        ),
        _reasons(f"What gives it away, {len(names)} features", whole),
        _reasons(f"What gives it away, {len(names) - len(excluded)} features", fewer),
    ]


def _pairs(made: Sample, real: Sample) -> Iterator[tuple[str, tuple[Sample, ...], int]]:
    """Yield a name, the two sides (or the one that is cut in halves) and how many seeds to spend."""
    yield "made and real", (made, real), SEEDS
    yield "real halves, by capture", (real,), SEEDS
    for group in sorted(set(real.group.tolist())):
        inside, outside = real.rows(real.group == group), real.rows(real.group != group)
        if _enough(inside) and _enough(outside):
            yield f"{group} and other real", (inside, outside), FEWER_SEEDS
            yield f"made and {group}", (made, inside), FEWER_SEEDS
    for service in sorted(set(made.service.tolist())):
        mine, theirs = (side.rows(side.service == service) for side in (made, real))
        if _enough(mine) and _enough(theirs):
            yield f"{service}: made and real", (mine, theirs), FEWER_SEEDS
            yield f"{service}: real halves", (theirs,), FEWER_SEEDS


def _told(sides: tuple[Sample, ...], names: Sequence[str], without: Sequence[str], seeds: int) -> list[Telltale]:
    found = []
    for seed in range(seeds):
        one, other = sides if len(sides) == 2 else telltale.halves(sides[0], seed)
        found.append(telltale.tell(one, other, names, without, seed=seed))
    return found


def _reasons(title: str, told: Telltale) -> Table:
    best = list(told.by_feature.items())[:SHOWN]
    return Table(
        [f"{title} (ROC-AUC {told.auc:.3f})", "lost when shuffled", "ROC-AUC alone"],
        [[name, f"{lost:.4f}", f"{told.alone[name]:.3f}"] for name, lost in best],
        "Alone: above 0.5 real flows have the larger values, below it made ones.",
    )


def _enough(sample: Sample) -> bool:
    return len(sample) >= LEAST_FLOWS and len(np.unique(sample.cluster)) >= LEAST_CLUSTERS


def _shares(what: str, found: Mapping[str, Mapping[str, float]]) -> Table:
    first = next(iter(found.values()))
    rest = {name for one in found.values() for name in one} - set(first)
    return Table(
        [what, *found],
        [[name, *(f"{100 * one.get(name, 0.0):.1f} %" for one in found.values())] for name in [*first, *sorted(rest)]],
    )


def _size(name: str, sample: Sample) -> str:
    return f"{name} {len(sample):,} in {len(np.unique(sample.cluster)):,}"


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}" if values else "-"


def _spread(values: Sequence[float]) -> str:
    spread = Spread.of(values)
    return f"{spread.median:.3f} ({spread.low:.3f} to {spread.high:.3f})"
