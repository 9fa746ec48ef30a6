"""A worker: from its source to the queue, whatever the source does."""

import time

import numpy as np

from sensor.daemon.waiting import Waiting
from sensor.daemon.worker import Worker
from sensor.errors import NettrusionError
from sensor.flows import FLOW_DTYPE, PROFILES, FlowEngine
from sensor.scoring import Place
from tests.packets import Timed, connection, pcap
from tests.sensor.wire import Wire

LOUD = connection("10.0.0.1", "10.0.0.2", (40000, 80), rounds=10)


def worked(source: Wire) -> tuple[Worker, Waiting]:
    waiting = Waiting(1000)
    worker = Worker(source, FlowEngine(PROFILES["wire"]), waiting)
    worker.start()
    worker.join(20)
    assert not worker.is_alive()
    return worker, waiting


def test_a_source_that_ends_hands_over_its_open_flows():
    worker, waiting = worked(Wire([(1, pcap(LOUD))]))
    assert (worker.over, worker.ended, worker.error) == (True, True, None)
    (batch,) = waiting.take(0)
    assert len(batch.flows) == 1
    assert batch.place.in_iface == "eth0"


def test_the_source_is_closed_at_the_end():
    closed = []

    class Closing(Wire):
        def close(self) -> None:
            closed.append(True)

    worked(Closing([None]))
    assert closed == [True]


def test_what_ends_a_worker_is_kept_for_the_daemon():
    class Broken(Wire):
        def more(self) -> bool:
            raise NettrusionError("eth0: is gone")

    worker, _ = worked(Broken([None]))
    assert str(worker.error) == "eth0: is gone"
    assert worker.over


def test_notices_and_faults_are_logged_once(caplog):
    class Talking(Wire):
        said = False

        def notices(self) -> list[str]:
            fresh, self.said = not self.said, True
            return ["eth0 went down"] if fresh else []

    worked(Talking([(1, pcap(LOUD) + b"\xff" * 400), None, None]))
    assert [record.message.split(";")[0] for record in caplog.records] == [
        "eth0 went down",
        "wire: is damaged: no record can begin where the next one should",
    ]


def test_a_worker_that_is_told_to_stop_reads_what_is_at_hand_and_drains():
    class Endless(Wire):
        def more(self) -> bool:
            super().more()
            return True

    waiting = Waiting(1000)
    worker = Worker(Endless([(1, pcap(LOUD))]), FlowEngine(PROFILES["wire"]), waiting)
    worker.start()
    worker.stop()
    worker.join(20)
    assert not worker.is_alive()
    assert sum(len(batch.flows) for batch in waiting.take(0)) == 1
    assert worker.assembly.engine.live == 0


def test_told_to_stop_it_reads_every_window_that_is_at_hand():
    class Full(Wire):
        def more(self) -> bool:
            super().more()
            return True

    windows = [(number, pcap([packet])) for number, packet in enumerate(LOUD, 1)]
    worker = Worker(Full([*windows, None, *windows]), FlowEngine(PROFILES["wire"]), Waiting(1000))
    worker.stop()  # before its first turn
    worker.start()
    worker.join(20)
    assert not worker.is_alive()
    assert worker.assembly.engine.counters["packets"] == len(LOUD)


def test_a_wire_that_never_falls_silent_is_read_up_to_the_moment_of_the_stop():
    late = [Timed(time.time_ns() + second * 1_000_000_000, LOUD[0].frame) for second in (60, 61, 62)]

    class Full(Wire):
        def more(self) -> bool:
            super().more()
            return True

    windows = [(number, pcap([packet])) for number, packet in enumerate([*LOUD, *late], 1)]
    worker = Worker(Full(windows), FlowEngine(PROFILES["wire"]), Waiting(1000))
    worker.stop()
    worker.start()
    worker.join(20)
    assert worker.assembly.engine.counters["packets"] == len(LOUD) + 1


def test_files_wait_for_the_scoring_and_lose_no_flow():
    spread = [
        Timed(packet.time_ns + number * 10_000_000_000, packet.frame)
        for number in range(20)
        for packet in connection("10.0.0.1", f"10.0.1.{number}", (40000, 80))
    ]

    class Folder(Wire):
        in_iface = None

    waiting = Waiting(4)
    windows = [(number, pcap([packet])) for number, packet in enumerate(spread, 1)]
    worker = Worker(Folder(windows), FlowEngine(PROFILES["wire"]), waiting)
    worker.start()
    taken = 0
    while worker.is_alive():
        worker.join(0.05)
        taken += sum(len(batch.flows) for batch in waiting.take(0))
    taken += sum(len(batch.flows) for batch in waiting.take(0))
    assert (taken, waiting.shed) == (20, 0)


def test_who_waits_for_the_scoring_is_not_stuck(monkeypatch):
    monkeypatch.setattr("sensor.daemon.waiting.WAIT_S", 0.01, raising=False)
    waiting = Waiting(1)
    waiting.put_patiently(np.zeros(1, FLOW_DTYPE), Place())
    worker = Worker(Wire([(1, pcap(LOUD))]), FlowEngine(PROFILES["wire"]), waiting)
    worker.start()
    until_s = time.monotonic() + 5
    while not worker.ended and time.monotonic() < until_s:
        time.sleep(0.01)
    ended_s = time.monotonic()
    while worker.beat_s < ended_s + 0.1 and time.monotonic() < until_s:
        time.sleep(0.01)
    waited = worker.is_alive() and worker.beat_s >= ended_s + 0.1
    waiting.close()
    worker.join(20)
    assert waited
