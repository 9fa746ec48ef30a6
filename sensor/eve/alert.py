"""The `alert` event: one flow, the rule that it met, and what made its score."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sensor.detector import Reason
from sensor.eve.columns import columns
from sensor.eve.flow import app_protos, metadata
from sensor.flows import Reason as Ended
from sensor.flows import State, join, pick
from sensor.rulebook import ScoredFlows, Verdict

_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Judgement:
    """One alert to write: the verdict, the flow's raw score and why it is high.

    Attributes:
        verdict: says which flow of the batch, by which rule.
        score: the detector's score, 0 to 1.
        reasons: the features that made it, the weightiest first; may be empty.
    """

    verdict: Verdict
    score: float
    reasons: Sequence[Reason] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """What every event of one sensor and source has in common, as JSON text and as words.

    Attributes:
        before: text before `event_type`, a comma at its end.
        after: text at the end of the event, a comma at its start.
        model: the model's name and version.
        threshold: the score from which the model calls a flow an attack.
    """

    before: str
    after: str
    model: str
    threshold: float


def alert_events(judged: ScoredFlows, judgements: Sequence[Judgement], frame: Frame) -> list[dict[str, Any]]:
    """Return one `alert` event for each judgement, in their order."""
    rows = [judgement.verdict.row for judgement in judgements]
    if not rows:
        return []
    apps = judged.app_proto
    chosen = replace(
        judged,
        flows=pick(judged.flows, rows),
        score_permille=judged.score_permille[rows],
        above=judged.above[rows],
        class_index=judged.class_index[rows],
        budget_rank=judged.budget_rank[rows],
        app_proto=None if apps is None else tuple(apps[row] for row in rows),
        score_ppm=None if judged.score_ppm is None else judged.score_ppm[rows],
    )
    classes = [judged.class_names[index] for index in chosen.class_index.tolist()]
    return [
        _alert_event(outline, judgement, class_name, frame)
        for outline, judgement, class_name in zip(_outlines(chosen, frame), judgements, classes, strict=True)
    ]


def update_events(verdicts: Sequence[Verdict], frame: Frame) -> list[dict[str, Any]]:
    """Return one `alert` event for each update of an incident, in their order.

    It is the alert once more, about the flow that the verdict carries, dated when the latest flow of
    the incident ended, always with the number of flows, and without features.
    """
    if not verdicts:
        return []
    flows = join(verdict.flow for verdict in verdicts)
    flows["end_ns"] = [verdict.last_ns for verdict in verdicts]
    permille = np.array([verdict.score_permille for verdict in verdicts], dtype=np.int64)
    threshold = round(frame.threshold * 1000)
    names = tuple(dict.fromkeys(verdict.class_name for verdict in verdicts))
    judged = ScoredFlows(
        flows=flows,
        score_permille=permille,
        above=permille >= threshold,
        class_index=np.array([names.index(verdict.class_name) for verdict in verdicts], dtype=np.int64),
        class_names=names,
        budget_rank=np.zeros(len(verdicts), dtype=np.int64),
        threshold_permille=threshold,
    )
    return alert_events(
        judged,
        [Judgement(replace(verdict, row=row), verdict.score_permille / 1000) for row, verdict in enumerate(verdicts)],
        frame,
    )


def _outlines(chosen: ScoredFlows, frame: Frame) -> list[dict[str, Any]]:
    """Return the events without what the rule adds, from the same words as a `flow` event."""
    common = columns(chosen.flows)
    return [
        json.loads(
            f'{{"timestamp":"{end}","flow_id":{flow_id},{frame.before}"event_type":"alert",'
            f'{endpoints},"alert":null{app},"direction":"to_server","metadata":{words},'
            f'"flow":{{{traffic}}}{community}{frame.after}}}'
        )
        for end, flow_id, endpoints, app, words, traffic, community in zip(
            common.end,
            common.flow_id,
            common.endpoints,
            app_protos(chosen),
            metadata(chosen),
            common.traffic,
            common.community,
            strict=True,
        )
    ]


def _alert_event(event: dict[str, Any], judgement: Judgement, class_name: str, frame: Frame) -> dict[str, Any]:
    """Fill in the rule's part of an outline and return it."""
    verdict, rule = judgement.verdict, judgement.verdict.rule
    event["alert"] = {
        "action": "allowed",
        "gid": rule.gid,
        "signature_id": rule.sid,
        "rev": rule.rev,
        "signature": rule.msg,
        "category": rule.category,
        "severity": rule.severity,
        **_sides(event, rule.target),
        "metadata": {key: list(values) for key, values in rule.metadata.items() if values}
        | {
            "ml_model": [frame.model],
            "ml_score": [f"{judgement.score:.6g}"],
            "ml_threshold": [f"{frame.threshold:.6g}"],
            "ml_class": [class_name],
        }
        | _incident(verdict)
        | ({"ml_features": [_feature(reason) for reason in judgement.reasons]} if judgement.reasons else {}),
    }
    event["flow"] |= {key: event[key] for key in ("src_ip", "dest_ip", "src_port", "dest_port") if key in event}
    return event


def _is_open(flow: np.void) -> bool:
    """Return whether packets of a flow are expected still: it was told of before its end, and not because it closed."""
    return bool(flow["reason"] == Ended.SNAPSHOT and flow["state"] != State.CLOSED)


def _incident(verdict: Verdict) -> dict[str, list[str]]:
    """Return what there is to say of the incident beyond this flow, and whether the flow is still open."""
    return (
        ({"ml_open": ["true"]} if _is_open(verdict.flow) else {})
        | ({"ml_incident_flows": [str(verdict.count)]} if verdict.update or verdict.count > 1 else {})
        | ({"ml_incident_sources": [str(verdict.sources)]} if verdict.sources > 1 else {})
        | ({"ml_incident_by": [verdict.crowd]} if verdict.crowd else {})
    )


def _sides(event: Mapping[str, Any], target: str | None) -> dict[str, Any]:
    """Return who did it to whom, where the rule says which end is the target."""
    if target is None or "src_ip" not in event:
        return {}
    ends = [
        {key: event[f"{side}_{key}"] for key in ("ip", "port") if f"{side}_{key}" in event} for side in ("src", "dest")
    ]
    if target == "src_ip":
        ends.reverse()
    return {"source": ends[0], "target": ends[1]}


def _feature(reason: Reason) -> str:
    """Return one feature as an analyst reads it."""
    return f"{reason.name}={_number(reason.value)} (median {_number(reason.median)}, share {reason.share:.0%})"


def _number(value: float) -> str:
    """Return a number with four digits, all of them where it is a whole one below 10^15.

    What is left of a damped count after hours is 0 to a reader.
    """
    if abs(value) < _NOTHING:
        return "0"
    whole = abs(value) < 1e15 and (abs(value) >= 1000 or value == int(value))
    return f"{value:.0f}" if whole else f"{value:.4g}"
