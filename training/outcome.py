"""From trials to a folder: bundle, card, pictures and every figure as JSON."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sensor.detector import Detector
from training.bundle import ship
from training.config import TrainConfig
from training.evaluation import cost, elsewhere, evidence
from training.evaluation.elsewhere import Abroad
from training.evaluation.judged import Judged, judge
from training.evaluation.transfer import Elsewhere
from training.evaluation.trials import Trial
from training.experiment import Prepared, Results, revive
from training.models.candidate import Candidate
from training.report import card, gallery
from training.report.blocks import markdown, page
from training.report.card import Card
from training.selection import median_seed

Say = Callable[[str], None]
GROUPED = "captures of other origin, before and after grouping"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run leaves behind; `files` holds name -> content of the folder it writes."""

    files: dict[str, bytes]
    headline: dict[str, Any]

    def write(self, folder: Path) -> None:
        """Write every file below `folder`, each whole or not at all."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f".{path.name}.part")
            beside.write_bytes(content)
            beside.replace(path)


def finish(
    config: TrainConfig,
    prepared: Prepared,
    results: Results,
    runners: Sequence[Candidate],
    command: str,
    say: Say,
) -> Outcome:
    """Export the chosen detector, judge it elsewhere, and put everything into files."""
    rate = config.alert_rate
    chosen = median_seed(results.same_day[results.choice.winner], rate)
    trial = revive(chosen, prepared, runners, say)
    say(f"exporting {trial.answers.candidate}, seed {trial.answers.seed}")
    shipped = ship(trial, prepared, config, card.short(results.choice, prepared.manifest.about))
    flows, abroad, rivals = prepared.elsewhere, None, {}
    if flows is not None:
        abroad = elsewhere.judge(
            flows,
            shipped.score(flows.features),
            shipped.classes(flows.features),
            shipped.names,
            shipped.identity.threshold,
            config.budgets,
        )
        rivals = {
            name: _rival(flows, median_seed(runs, rate), rate)
            for name, runs in results.same_day.items()
            if name != "constant"
        }
    grouped = _grouped(config, prepared, shipped.data, say) if flows is not None else None
    full = Card(config, prepared, results, trial, shipped, abroad, command, cost.machine(), rivals, grouped)
    say("writing the card")
    metrics = _metrics(full)
    files = {
        "model.onnx": shipped.data,
        "metrics.json": _json(metrics),
        "costs.json": _json(_costs(full)),
        "manifest.json": _json(prepared.manifest.as_dict()),
    }
    with TemporaryDirectory() as scratch:
        drawn = gallery.draw(full, Path(scratch))
        blocks = card.write(full, drawn)
        files["model-card.md"] = markdown(blocks, "model-card").encode()
        files["model-card.html"] = page(blocks, f"Model card: {config.name}").encode()
        for path, _ in drawn:
            files[f"model-card/{path.name}"] = path.read_bytes()
    return Outcome(files, metrics["headline"])


def _grouped(config: TrainConfig, prepared: Prepared, data: bytes, say: Say) -> Judged:
    """Return the bundle's figures on the captures of other origin, replayed as the sensor reads them."""
    say("captures of other origin, before and after grouping into incidents")
    named = config.transfer
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.onnx"
        path.write_bytes(data)
        detector = Detector.load(path, {prepared.feature_set.name: prepared.feature_set})
    given = (Path(named.captures), Path(named.labels), Path(named.flows))
    return judge(detector, evidence.of_captures(*given, name=GROUPED))


def _rival(flows: Elsewhere, trial: Trial, rate: float) -> Abroad:
    """Return what a candidate does on the captures, at the threshold of its own trial."""
    told, threshold = trial.answers, trial.test.at(rate).threshold
    return elsewhere.judge(flows, told.elsewhere, None, told.classes, threshold, (rate,))


def _metrics(full: Card) -> dict[str, Any]:
    """Return every figure as plain values; two runs on one machine give the same."""
    rate = full.config.alert_rate
    at = full.trial.test.at(rate)
    identity = full.shipped.identity
    settings = asdict(full.config)
    for part, keys in {"data": ("folders", "cache"), "transfer": ("captures", "labels", "flows")}.items():
        for key in keys:
            del settings[part][key]
    return {
        "headline": {
            "model": full.trial.answers.candidate,
            "reason": full.results.choice.reason,
            "threshold": identity.threshold,
            "budget": rate,
            "verdict": at.verdict,
            "same_day": {"recall": at.recall, "false_positive_rate": at.false_positive_rate},
            "elsewhere": None
            if full.abroad is None
            else {
                "false_positive_rate": full.abroad.false_positive_rate,
                "false_positive_rate_by_capture": full.abroad.false_positive_rate_by_capture,
                "found_by_capture": {row.group: row.alerted_by_capture for row in full.abroad.attacks},
            },
        },
        "settings": settings,
        "choice": full.results.choice.as_dict(),
        "audit": full.prepared.audit.as_dict(),
        "temperature": full.shipped.temperature,
        "parity": full.shipped.parity,
        full.trial.split.column: {name: _seeds(runs) for name, runs in full.results.same_day.items()},
        "leave one family out": {
            name: {family: _seeds(runs) for family, runs in left_out.items()}
            for name, left_out in full.results.unseen.items()
        },
        "transfer matrix": full.results.matrix.as_dict(),
        "elsewhere": full.abroad.as_dict() if full.abroad else None,
        "elsewhere, grouped": full.grouped.as_dict() if full.grouped else None,
        "elsewhere, every candidate": {name: abroad.as_dict() for name, abroad in full.rivals.items()},
    }


def _seeds(runs: Sequence[Trial]) -> list[dict[str, Any]]:
    return [{"seed": run.answers.seed, "choosing": run.choosing.as_dict(), "test": run.test.as_dict()} for run in runs]


def _costs(full: Card) -> dict[str, Any]:
    """Return what was measured with a clock: never the same twice, so apart from the figures."""
    told = {name: [run.answers for run in runs] for name, runs in full.results.same_day.items()}
    return {
        "machine": full.machine,
        "microseconds a flow": {name: one[0].cost_us for name, one in told.items()},
        "seconds to fit": {name: [round(run.seconds, 2) for run in one] for name, one in told.items()},
    }


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
