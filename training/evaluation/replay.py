"""A capture through the flow engine as the sensor runs it, with the packet at which each report was made.

The sensor reports a flow at its end, and a long or closed one before that. What it says of an attack, and after
how many packets, hangs on these reports and their order; both are kept here.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sensor.assembly import profile
from sensor.config import Config
from sensor.flows import FlowEngine, Framing
from training.datasets import frames
from training.datasets.recordings import whole


@dataclass(frozen=True, slots=True)
class Replay:
    """What the engine reported of one capture, in its order.

    Attributes:
        flows: (n,) FLOW_DTYPE; snapshots of open flows among them.
        packet: (n,) int64, the number of the packet that made the report, from 0; the last one's for what was
            open at the end.
        time_ns: (n,) int64, when that packet was seen.
        packet_ns: (m,) int64, when each packet of the capture was seen, the latest time until then.
    """

    flows: npt.NDArray[np.void]
    packet: npt.NDArray[np.int64]
    time_ns: npt.NDArray[np.int64]
    packet_ns: npt.NDArray[np.int64]


def replay(path: Path) -> Replay:
    """Feed a capture to the engine packet by packet, by the sensor's own settings of flows.

    Raises NettrusionError for what is no capture.
    """
    packets = frames.read(path)
    flows = Config().flows
    engine = FlowEngine(profile(flows), max_flows=flows.max_flows)
    framing = Framing.sniff(packets.data[:4])
    view, fed = memoryview(packets.data), 0
    taken: list[npt.NDArray[np.void]] = []
    made: list[int] = []
    for number, end in enumerate([*packets.end.tolist(), len(packets.data)]):
        while fed < end and not framing.corrupt:
            used = engine.feed(view[fed:end], framing)
            fed += used
            if engine.pending:
                taken.append(engine.take())
                made.append(number)
            elif not used:
                break
    while engine.drain():
        taken.append(engine.take())
        made.append(len(packets))
    taken.append(engine.take())
    made.append(len(packets))
    reached = np.maximum.accumulate(packets.time_ns // 1000 * 1000)
    packet = np.repeat(np.array(made, dtype=np.int64), [len(part) for part in taken])
    packet = np.minimum(packet, max(len(packets) - 1, 0))
    return Replay(whole(taken), packet, reached[packet] if len(reached) else packet, reached)
