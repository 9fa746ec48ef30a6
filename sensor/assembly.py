"""One source and the engine that it feeds: packets in, finished flows out.

    assembly = Assembly(source, engine)
    while assembly.step():
        flows = engine.take()
    while engine.drain():
        flows = engine.take()
"""

from dataclasses import replace

from sensor.config import FlowsConfig
from sensor.errors import NettrusionError
from sensor.flows import PROFILES, FlowEngine, Framing, Profile
from sensor.flows.profile import SECOND_NS
from sensor.sources import Source

MAGIC_BYTES = 4
SET_BACK_NS = 10 * SECOND_NS
"""More than any source is late."""


class Assembly:
    """Feeds an engine from a source, a window at a time. One thread uses it.

    Attributes:
        source: where the bytes come from.
        engine: where the packets go.
        faults: for each capture that ends early or is damaged, a sentence.
        oversized: frames longer than the interface can send, which are several that the kernel merged.
        windows: how many windows were used up.
    """

    def __init__(self, source: Source, engine: FlowEngine) -> None:
        """Join a source and an engine; the source stays the caller's to close."""
        self.source = source
        self.engine = engine
        self.faults: list[str] = []
        self.oversized = 0
        self.windows = 0
        self._framing: Framing | None = None
        self._begun = 0
        self._reached_ns = 0
        self._horizon_ns = 0
        self._begins_anew = False

    def step(self) -> bool:
        """Feed what the source has at hand, and wait for more when that is used up.

        It returns early when many flows wait to be taken. Time on a silent wire is carried on here, and begins
        anew, with all open flows ended, where its clock was set back.

        Returns:
            False when the source is over; the flows that are open then are still the engine's.

        Raises:
            NettrusionError: a file is no capture at all.
        """
        source = self.source
        window = source.window
        if len(window) and self._damaged:
            source.advance(len(window))
        elif len(window):
            used = self._feed(window)
            source.advance(used)
            if self._framing is not None and self._framing.corrupt:
                self._give_up()
                return source.live
            if used:
                return True
        elif source.horizon_ns is not None and self._pass_time(source.horizon_ns):
            return True
        self.windows += 1
        if source.more():
            return True
        self._note_end()
        return False

    @property
    def _damaged(self) -> bool:
        """Whether the rest of what the source hands out belongs to a capture that was given up."""
        framing = self._framing
        return framing is not None and framing.corrupt and self.source.begun == self._begun

    def _pass_time(self, horizon_ns: int) -> bool:
        """Tell the engine how far time has gone; True while it ends flows because the clock was set back.

        A wire that is never silent keeps the horizon of its last silence, which says nothing about now.
        """
        if horizon_ns != self._horizon_ns:
            self._horizon_ns = horizon_ns
            self._begins_anew = self._set_back(horizon_ns)
        if self._begins_anew:
            if self.engine.drain():
                return True
            self._begins_anew = False
            self._reached_ns = horizon_ns
        self.engine.tick(horizon_ns)
        return False

    def _set_back(self, horizon_ns: int) -> bool:
        """Whether the clock of a wire was set back: open flows would wait and take in others until time is there again.

        Files may lie out of order; what they say of time is left to the engine.
        """
        self._reached_ns = max(self._reached_ns, self.engine.now_ns)
        return self.source.in_iface is not None and horizon_ns < self._reached_ns - SET_BACK_NS

    def _feed(self, window: memoryview) -> int:
        framing = self._framing
        if framing is None or self.source.begun != self._begun:
            if framing is not None:
                self._note_end_of(framing)
            framing = self._begin(window)
            if framing is None:
                return 0
        before = framing.oversized
        used = self.engine.feed(window, framing)
        self.oversized += framing.oversized - before
        return used

    def _begin(self, window: memoryview) -> Framing | None:
        """Return the framing of what the source hands out now, None while too little of it is there."""
        source = self.source
        if source.framing == "ring":
            framing = Framing.ring(source.link_type, source.mtu)
        elif source.live and len(window) < MAGIC_BYTES:
            return None
        else:
            try:
                framing = Framing.sniff(bytes(window[:MAGIC_BYTES]))
            except ValueError as error:
                reason = source.fault or str(error)
                raise NettrusionError(f"{source.name}: {reason}; give a pcap or pcapng file") from error
        self._framing, self._begun = framing, source.begun
        return framing

    def _give_up(self) -> None:
        """Leave the rest of a damaged capture; a live source goes on with its next."""
        self._note("is damaged: no record can begin where the next one should")
        self.source.advance(len(self.source.window))
        if self.source.framing == "ring":
            self._framing = None

    def _note_end(self) -> None:
        if self._framing is not None:
            self._note_end_of(self._framing)
        elif not self.source.live:
            fault = self.source.fault or "is empty"
            raise NettrusionError(f"{self.source.name}: {fault}; give a pcap or pcapng file")

    def _note_end_of(self, framing: Framing) -> None:
        rest = len(self.source.window) if self.source.begun == self._begun else 0
        if framing.corrupt:
            return
        if self.source.fault is not None:
            self._note(self.source.fault)
        elif rest:
            self._note(f"is cut short: it ends {rest} bytes into a record")

    def _note(self, fault: str) -> None:
        records = 0 if self._framing is None else self._framing.records
        self.faults.append(f"{self.source.name}: {fault}; its {records} whole packets were read")


def profile(flows: FlowsConfig) -> Profile:
    """Return the flow rules that a configuration asks for; the strict profiles have no settings."""
    chosen = PROFILES[flows.profile]
    if flows.profile != "wire":
        return chosen
    times = flows.timeouts
    return replace(
        chosen,
        vlan_in_key=flows.vlan_in_key,
        tunnels=flows.tunnels,
        snapshot_closed=flows.snapshot_closed,
        snapshot_pkts=flows.snapshot_pkts,
        tcp_new_ns=times.tcp_new_s * SECOND_NS,
        tcp_ns=times.tcp_s * SECOND_NS,
        linger_ns=times.linger_s * SECOND_NS,
        udp_new_ns=times.udp_new_s * SECOND_NS,
        udp_ns=times.udp_s * SECOND_NS,
        icmp_ns=times.icmp_s * SECOND_NS,
        other_ns=times.other_s * SECOND_NS,
        active_ns=times.active_s * SECOND_NS,
    )
