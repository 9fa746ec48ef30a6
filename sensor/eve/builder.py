"""The one thing that a pipeline needs: a builder that knows the sensor and makes its events."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sensor.eve.alert import Frame, Judgement, alert_events, update_events
from sensor.eve.anomaly import ANOMALIES
from sensor.eve.columns import timestamps
from sensor.eve.flow import flow_lines
from sensor.eve.stats import Reading, stats_object
from sensor.flows import Reason
from sensor.rulebook import ScoredFlows, Verdict


@dataclass(frozen=True, slots=True)
class EventBuilder:
    """Makes the events of one sensor; for the next capture, `dataclasses.replace` its file name.

    Attributes:
        sensor: the sensor's name, `host` in every event; empty leaves it out.
        model: the model's name and version, in every alert.
        threshold: the score, 0 to 1, from which a flow counts as an attack.
        in_iface: the interface of a live capture.
        pcap_filename: the file of an offline one.
    """

    sensor: str = ""
    model: str = ""
    threshold: float = 0.5
    in_iface: str | None = None
    pcap_filename: str | None = None

    def flow_lines(self, judged: ScoredFlows, alerted: npt.NDArray[np.bool_] | None = None) -> list[bytes]:
        """Return one whole `flow` line for each flow of a batch that has ended, in its order.

        A snapshot of an open flow has no line: the flow has one when it ends.

        Args:
            judged: the flows and their scores; an empty batch gives no lines.
            alerted: bool, shape (n,), whether an alert was written for the flow; None for none.
        """
        if alerted is None:
            alerted = np.zeros(len(judged.flows), dtype=bool)
        ended = np.flatnonzero(judged.flows["reason"] != Reason.SNAPSHOT)
        if len(ended) < len(judged):
            judged, alerted = judged.take(ended), alerted[ended]
        return flow_lines(judged, alerted, self._before(), self._after())

    def flow(self, judged: ScoredFlows, row: int, alerted: bool = False) -> dict[str, Any]:
        """Return the `flow` event of one flow of a batch as an object; it must have ended."""
        (line,) = self.flow_lines(judged.take(np.array([row])), np.array([alerted]))
        event: dict[str, Any] = json.loads(line)
        return event

    def alerts(self, judged: ScoredFlows, judgements: Sequence[Judgement]) -> list[dict[str, Any]]:
        """Return one `alert` event for each judgement, in their order.

        Args:
            judged: the batch that the verdicts' rows count in.
            judgements: none give no events.
        """
        return alert_events(judged, judgements, self._frame())

    def updates(self, verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
        """Return one `alert` event for each update of an incident: the alert again, with the number of flows."""
        return update_events(verdicts, self._frame())

    def stats(self, reading: Reading) -> dict[str, Any]:
        """Return the `stats` event of a reading."""
        return self._bare(reading.now_ns, "stats", stats_object(reading))

    def anomaly(self, reason: str, now_ns: int) -> dict[str, Any]:
        """Return the `anomaly` event of one of the engine's counters.

        Raises:
            KeyError: the counter has no counterpart in `ANOMALIES`.
        """
        anomaly = {"type": "decode", "event": ANOMALIES[reason]}
        return self._bare(now_ns, "anomaly", anomaly)

    def _bare(self, now_ns: int, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        """Return an event that no flow belongs to."""
        event: dict[str, Any] = json.loads(
            f'{{"timestamp":"{timestamps([now_ns])[0]}",{self._before()}"event_type":"{kind}",'
            f'"{kind}":null{self._after()}}}'
        )
        event[kind] = content
        return event

    def _frame(self) -> Frame:
        return Frame(self._before(), self._after(), self.model, self.threshold)

    def _before(self) -> str:
        return "" if self.in_iface is None else f'"in_iface":{_quoted(self.in_iface)},'

    def _after(self) -> str:
        host = f',"host":{_quoted(self.sensor)}' if self.sensor else ""
        name = self.pcap_filename
        return host + ("" if name is None else f',"pcap_filename":{_quoted(name)}')


def _quoted(text: str) -> str:
    """Return a text as JSON in ASCII; bytes of a file name that are no UTF-8 become `?`."""
    return json.dumps(text.encode("utf-8", "replace").decode("utf-8"))
