"""The `flow` event: one line for each flow, thousands at a time."""

import json
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sensor.eve.columns import NANOSECONDS, columns
from sensor.eve.community import TCP, Records
from sensor.eve.line import MAX_LINE_BYTES, encode
from sensor.flows import Reason, State
from sensor.rulebook import ScoredFlows

# Why the engine let a flow go, in Suricata's words. What ended by FIN or RST is `closed` and
# leaves at a timeout there too; a cut by the active timeout is a timeout; a flow that had to make
# room in a full table is what memory pressure forces out.
REASONS = {
    Reason.FIN: "timeout",
    Reason.RST: "timeout",
    Reason.IDLE: "timeout",
    Reason.ACTIVE: "timeout",
    Reason.EVICTED: "forced",
    Reason.SHUTDOWN: "shutdown",
    Reason.REUSE: "tcp_reuse",
}
STATES = {State.NEW: "new", State.ESTABLISHED: "established", State.CLOSED: "closed"}

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128
_FLAG_NAMES = {
    SYN: "syn",
    FIN: "fin",
    RST: "rst",
    PSH: "psh",
    ACK: "ack",
    URG: "urg",
    ECE: "ecn",
    CWR: "cwr",
}


def flow_lines(judged: ScoredFlows, alerted: npt.NDArray[np.bool_], before: str, after: str) -> list[bytes]:
    """Return one `flow` line for each flow, in the flows' order.

    Args:
        judged: the flows and their scores; none give no lines.
        alerted: bool, shape (n,), whether an alert was written for the flow.
        before: JSON text that every event has before `event_type`, a comma at its end.
        after: JSON text that every event has last, a comma at its start.
    """
    flows = judged.flows
    common = columns(flows)
    rows = zip(
        common.end,
        common.flow_id,
        common.endpoints,
        app_protos(judged),
        metadata(judged),
        common.traffic,
        _ages(flows),
        _endings(flows, alerted),
        common.community,
        strict=True,
    )
    lines = [
        (
            f'{{"timestamp":"{end}","flow_id":{flow_id},{before}"event_type":"flow",{endpoints}'
            f'{app},"metadata":{words},"flow":{{{traffic},"end":"{end}","age":{age},{ending}'
            f"{community}{after}}}\n"
        ).encode("ascii")
        for end, flow_id, endpoints, app, words, traffic, age, ending, community in rows
    ]
    if max(map(len, lines), default=0) > MAX_LINE_BYTES:
        lines = [line if len(line) <= MAX_LINE_BYTES else encode(json.loads(line)) for line in lines]
    return lines


def app_protos(judged: ScoredFlows) -> list[str]:
    """Return for each flow its `app_proto` with a comma before it, or nothing."""
    if judged.app_proto is None:
        return [""] * len(judged.flows)
    return [f',"app_proto":{_quoted(name)}' if name else "" for name in judged.app_proto]


def metadata(judged: ScoredFlows) -> list[str]:
    """Return for each flow what the detector said of it, as Suricata writes flow variables.

    The score is a flow integer; the class is a flow bit, set only on a flow whose score reaches
    the threshold. Where the batch has them, further integers say what `nettrusion calibrate` and `drift`
    need of flows below it too: the score in millionths, the class's number, and which model it was.
    """
    bits = [f'"flowbits":[{_quoted("ml." + name)}],' for name in judged.class_names]
    return [
        f'{{{bits[index] if above else ""}"flowints":{{"ml_score":{score}{more}}}}}'
        for score, above, index, more in zip(
            judged.score_permille.tolist(),
            judged.above.tolist(),
            judged.class_index.tolist(),
            _further(judged),
            strict=True,
        )
    ]


def _further(judged: ScoredFlows) -> list[str]:
    """Return the further integers of each flow with a comma before them, or nothing."""
    if judged.score_ppm is None or judged.model is None:
        return [""] * len(judged.flows)
    return [
        f',"ml_score_ppm":{ppm},"ml_class":{index},"ml_model":{judged.model}'
        for ppm, index in zip(judged.score_ppm.tolist(), judged.class_index.tolist(), strict=True)
    ]


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return json.dumps(text.encode("utf-8", "replace").decode("utf-8"))


def _ages(flows: Records) -> list[int]:
    """Return the whole seconds between first and last packet, 0 where time ran backwards."""
    ages: npt.NDArray[np.int64] = (flows["end_ns"] - flows["start_ns"]) // NANOSECONDS
    texts: list[int] = np.maximum(ages, 0).tolist()
    return texts


def _endings(flows: Records, alerted: npt.NDArray[np.bool_]) -> list[str]:
    """Return for each flow the end of its `flow` object, its closing brace, and its `tcp`."""
    return [
        _ending(*row)
        for row in zip(
            (flows["proto"] == TCP).tolist(),
            flows["state"].tolist(),
            flows["reason"].tolist(),
            flows["fwd_flags"].tolist(),
            flows["bwd_flags"].tolist(),
            alerted.tolist(),
            strict=True,
        )
    ]


@lru_cache(maxsize=8192)
def _ending(tcp: bool, state: int, reason: int, to: int, back: int, alerted: bool) -> str:
    fate = f'"state":"{STATES[State(state)]}","reason":"{REASONS[Reason(reason)]}"'
    ending = f'{fate},"alerted":{"true" if alerted else "false"}}}'
    if not tcp:
        return ending
    flags = "".join(f',"{name}":true' for bit, name in _FLAG_NAMES.items() if (to | back) & bit)
    told = _tcp_state(state, to, back)
    return (
        f'{ending},"tcp":{{"tcp_flags":"{to | back:02x}","tcp_flags_ts":"{to:02x}",'
        f'"tcp_flags_tc":"{back:02x}"{flags}{told}}}'
    )


def _tcp_state(state: int, to: int, back: int) -> str:
    """Return the connection's `state`, or nothing where the flags of one side alone cannot tell it."""
    if state == State.CLOSED:
        return ',"state":"closed"'
    if to & SYN and (state == State.NEW or not to & ACK):
        return ',"state":"syn_recv"' if back & SYN else ',"state":"syn_sent"'
    return ',"state":"established"' if state == State.ESTABLISHED else ""
