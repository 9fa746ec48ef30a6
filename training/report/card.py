"""The model card: what ships, why, at which budget, on which data, and what it misses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from training.bundle import Shipped
from training.config import TrainConfig
from training.datasets.labels import CLASSES, RULES
from training.evaluation.budget import CERTIFYING
from training.evaluation.elsewhere import Abroad
from training.evaluation.judged import Judged
from training.evaluation.trials import Trial
from training.experiment import Prepared, Results
from training.report import candidates, judged, transfers
from training.report.abroad import interval, rivals, section
from training.report.blocks import Block, Bullets, Heading, Paragraph, Picture, Table
from training.report.transfers import spread
from training.selection import Choice

SPLITS: Mapping[str, str] = {
    "later the same day": "Later the same day is optimistic: each family is one attack between one pair of hosts,"
    " its first half was learnt, its last quarter is tested, on 5-tuples not met before.",
    "another day": "Another day: whole recordings were learnt, others are tested; the network is the same.",
    "mixed sources": "Mixed sources: of recordings whole days were learnt and others are tested on the same network;"
    " of a release, which has one day a family, later flows of the same attack on 5-tuples not met before. The"
    " transfer matrix tells the two apart.",
}
"""What the first column of figures means."""


@dataclass(frozen=True, slots=True)
class Card:
    """Everything that the card speaks of; `abroad` is None when no other captures were given.

    `machine` says where costs were measured. `rivals` is what the other candidates do on them, each at its own
    threshold. `grouped` is what the bundle does on them as incidents.
    """

    config: TrainConfig
    prepared: Prepared
    results: Results
    trial: Trial
    shipped: Shipped
    abroad: Abroad | None
    command: str
    machine: str = ""
    rivals: Mapping[str, Abroad] = field(default_factory=dict)
    grouped: Judged | None = None


def short(choice: Choice, about: Sequence[str]) -> str:
    """Return the few lines that travel inside the bundle; `about` says what the data is."""
    return (
        f"Trained on {' and '.join(about)}. Chosen because"
        f" {choice.reason} (benign calibration flows, false-positive rate {choice.rate:g})."
        " Other networks differ: set the threshold from your own traffic before you trust it."
    )


def write(card: Card, pictures: Sequence[tuple[Path, str]]) -> list[Block]:
    """Return the whole card; pictures come with their captions, in the order of their names."""
    shown = {path.stem: Picture(path, caption) for path, caption in pictures}
    return [
        *_summary(card),
        *_elsewhere(card, shown),
        *_columns(card, shown),
        *candidates.section(card.results, card.machine),
        *transfers.section(card.results.matrix, card.results.choice.winner, shown),
        *_training(card, shown),
        *_data(card),
        *_limits(card),
    ]


def _summary(card: Card) -> list[Block]:
    choice, shipped = card.results.choice, card.shipped
    budget = shipped.identity.budget
    word = "certified" if budget.certified else "cannot be certified"
    fitted = card.trial.answers
    used = len(card.prepared.table.feature_names) - len(card.config.data.exclude)
    return [
        Heading(f"Model card: {card.config.name}", 1),
        Paragraph(
            f"A {fitted.candidate} detector ({fitted.kind}) over {used} of the"
            f" {len(card.prepared.table.feature_names)} flow features of"
            f" {shipped.identity.feature_set.name} (variant {card.config.data.variant}),"
            f" {len(shipped.data) / 1024:.0f} KiB as one ONNX file. It tells"
            f" {_parts(shipped.names[1:])} from benign, by how a flow behaves (sizes, times,"
            " flags), never by addresses, ports or payload."
        ),
        Bullets(
            [
                f"Threshold {shipped.identity.threshold:.4f} on the score, set so that at most"
                f" {budget.false_positive_rate:g} of {budget.flows} held-out benign calibration"
                f" flows reach it: {word} (a rate f needs 3/f benign flows).",
                f"Why this one: {choice.reason}.",
                f"Seed {fitted.seed} of {len(card.results.same_day[fitted.candidate])}, the median"
                " one by recall at the budget on calibration rows, not the best on test.",
                f"The data is {' and '.join(card.prepared.manifest.about)}. On other networks the false-positive"
                " rate is another, as the next section shows: set the threshold from your own traffic.",
                f"Made by: {card.command}",
            ]
        ),
    ]


def _over(seeds: int) -> str:
    return f"Median and range over {seeds} seeds." if seeds > 1 else "One seed."


def _elsewhere(card: Card, shown: Mapping[str, Picture]) -> list[Block]:
    """Return what the bundle does on captures of other origin; as incidents too where that was judged."""
    winner = card.results.choice.winner
    if card.grouped is None:
        return section(card.abroad, card.rivals, winner, shown)
    title, *tables = judged.section([card.grouped])
    return [
        title,
        Paragraph(
            "Real captures from many other networks, replayed as the sensor reads them. No weight, threshold or"
            " candidate comes from them. Flows of one capture are not independent, and one flood can hold most flows"
            " of a class: the columns by capture count every file alike."
        ),
        *tables,
        *rivals(card.rivals, winner),
        *(shown[name] for name in ("transfer",) if name in shown),
    ]


def _parts(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _columns(card: Card, shown: Mapping[str, Picture]) -> list[Block]:
    rate = card.config.alert_rate
    name = card.trial.answers.candidate
    same, unseen = card.results.same_day[name], card.results.unseen[name]
    at = card.trial.test.at(rate)
    column = card.trial.split.column
    families = [family for family in at.recall if family in CLASSES]
    rows = []
    for family in families:
        rows.append(
            [
                family,
                spread([trial.test.at(rate).recall[family] for trial in same]),
                interval(at.recall_interval[family]),
                spread([trial.test.at(rate).recall[family] for trial in unseen.get(family, [])]),
                str(card.trial.test.rows[family]),
            ]
        )
    for family in sorted(set(at.recall) - set(families)):
        rows.append(
            [
                family,
                "-",
                "-",
                spread([trial.test.at(rate).recall[family] for trial in same]),
                str(card.trial.test.rows[family]),
            ]
        )
    benign = card.trial.test.rows["benign"]
    blocks: list[Block] = [
        Heading("The same lab"),
        Paragraph(
            f"Recall at the alert budget of {rate:g} ({at.verdict}). {SPLITS[column]} Left out: the family"
            " was learnt nowhere. The two are not to be averaged."
        ),
        Table(
            ["family", column, "95 % over host pairs", "left out", "test rows"],
            rows,
            f"{_over(len(same))} An interval needs five host pairs; most"
            " families have one. Infiltration and heartbleed have too few connections to learn from"
            " and are only ever tested.",
        ),
        Paragraph(
            f"False-positive rate on {benign} benign test flows between host pairs that were not"
            f" trained on, at this budget: {at.false_positive_rate:.4f}"
            f" (95 % over host pairs {interval(at.false_positive_interval)}); over seeds"
            f" {spread([trial.test.at(rate).false_positive_rate for trial in same], 4)}."
        ),
        _budgets(card),
        Table(
            ["base rate of attacks", "precision"],
            [[base, f"{value:.3f}"] for base, value in at.precision.items()],
            "Precision from the mean recall over families and the 95 % upper bound of the"
            f" false-positive rate ({at.false_positive_bound:.4f}).",
        ),
        _other_figures(same),
    ]
    names = ("roc", "confusion", "reliability", "reconstruction", "scores")
    return [*blocks, *(shown[picture] for picture in names if picture in shown)]


def _budgets(card: Card) -> Table:
    """Return what each budget reaches, and whether the calibration flows can vouch for it."""
    same = card.results.same_day[card.trial.answers.candidate]
    flows = card.shipped.identity.budget.flows
    rows = [
        [
            f"{rate:g}",
            f"{flows:,} of {CERTIFYING / rate:,.0f} needed",
            card.trial.test.at(rate).verdict,
            spread([trial.test.at(rate).false_positive_rate for trial in same], 5),
            spread([trial.test.at(rate).macro_recall for trial in same]),
        ]
        for rate in card.config.budgets
    ]
    return Table(
        ["budget", "benign calibration flows", "verdict", "false-positive rate, test", "mean recall, test"],
        rows,
        f"The smallest rate that so many flows can certify is {CERTIFYING / flows:.2g}. {_over(len(same))}",
    )


def _other_figures(trials: Sequence[Trial]) -> Table:
    figures: dict[str, list[float | None]] = {
        "PR-AUC at the natural ratio": [trial.test.pr_auc for trial in trials],
        "ROC-AUC": [trial.test.roc_auc for trial in trials],
        "macro-F1 over classes": [trial.test.macro_f1 for trial in trials],
        "MCC at the budget": [trial.test.mcc for trial in trials],
        "accuracy at the natural ratio": [trial.test.accuracy for trial in trials],
    }
    rows = [
        [name, spread([value for value in values if value is not None], 4)]
        for name, values in figures.items()
        if values[0] is not None
    ]
    return Table([trials[0].split.column, "median and range over seeds"], rows)


def _training(card: Card, shown: Mapping[str, Picture]) -> list[Block]:
    parity = card.shipped.parity
    return [
        Heading("Training"),
        Bullets(
            [
                f"{len(card.trial.split.train)} train, {len(card.trial.split.calibration)}"
                f" calibration and {len(card.trial.split.test)} test rows;"
                f" {len(card.trial.split.purged)} stand in none, because their 5-tuple is on the"
                " other side of a border, or to thin out a label that repeats itself.",
                "Preprocessing: signed logarithm, standardised by train rows, clipped.",
                f"Features set to a constant, before any fit: {', '.join(card.config.data.exclude)}"
                if card.config.data.exclude
                else "No feature was excluded.",
                f"Temperature {card.shipped.temperature:.2f}, fitted on calibration rows.",
                f"Export: {', '.join(_examined(*figure) for figure in parity.items())}.",
            ]
        ),
        *(picture for name, picture in shown.items() if name.startswith("curves")),
    ]


def _examined(name: str, value: float | None) -> str:
    return f"{name} {'cannot be judged' if value is None else value}"


def _data(card: Card) -> list[Block]:
    manifest, prepared = card.prepared.manifest, card.prepared
    return [
        Heading("Data"),
        Paragraph(f"{' and '.join(manifest.about)}. Label rule: {manifest.label_rule}."),
        Table(
            ["label", "class", "rows", "in the full data set"],
            [
                [
                    name,
                    RULES[name].class_name if RULES[name].learnt else "tested only",
                    str(manifest.kept[name]),
                    str(manifest.totals[name]),
                ]
                for name in prepared.table.labels
            ],
            "Rows are weighted by the last column wherever a figure says natural ratio.",
        ),
        Heading("Known errata and rows left out", 3),
        Bullets([*manifest.errata, *(f"{rows} rows: {why}" for why, rows in manifest.dropped.items())]),
        Heading("Smells", 3),
        Bullets(prepared.audit.lines()),
        Heading("Files", 3),
        Table(
            ["file", "rows", "sha256"],
            [[file.name, str(file.rows), file.sha256] for file in manifest.files],
        ),
    ]


def _limits(card: Card) -> list[Block]:
    return [
        Heading("Limits"),
        Bullets(
            [
                f"What it calls benign is what was benign in its data: {' and '.join(card.prepared.manifest.about)}.",
                *_lone(card),
                *_strangers(card),
                "An attacker who shapes sizes and gaps like ordinary traffic is not found.",
                f"The budget of {card.config.alert_rate:g} held on the flows that set it. On benign test flows of"
                f" other host pairs the rate was {card.trial.test.at(card.config.alert_rate).false_positive_rate:.4f}:"
                " a certified threshold is certified for the hosts it was set on.",
                *card.config.notes,
                "Time to detect and false incidents a day depend on the rules that group alerts: "
                + (
                    "the shipped ones here."
                    if card.grouped
                    else "they are not measured here, `nettrusion evaluate` does."
                ),
            ]
        ),
    ]


def _lone(card: Card) -> list[str]:
    """Return a sentence on flows of one packet, for features that know nothing of a flow's company."""
    if any(name.startswith("src_conns") for name in card.prepared.table.feature_names):
        return []
    return [
        "A flow that is one packet says little: floods and scans are told by many flows together, which a rule can"
        " count and this model cannot see."
    ]


def _strangers(card: Card) -> list[str]:
    """Return a sentence on the classes that the model has no output for, if there are any."""
    unknown = [name for name in CLASSES if name not in card.shipped.names]
    said = f"{_parts(unknown).capitalize()} is no class of it" if unknown else ""
    return [f"{said}: what it finds of that kind it finds by accident."] if unknown else []
