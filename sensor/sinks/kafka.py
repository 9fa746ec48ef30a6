"""Kafka: each event as a message of a topic, kept until its delivery is reported."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sensor.errors import NettrusionError
from sensor.sinks.credential import Login
from sensor.sinks.transport import WAIT_S, Handover

CONNECT_S = 5.0
# After so long without a report a message counts as not delivered and is sent again.
DELIVERY_MS = 30_000
# librdkafka's own log would repeat at every attempt what the sink says once.
LOG_NOTHING = 0


@dataclass(frozen=True, slots=True)
class KafkaPlace:
    """Where events go.

    Attributes:
        servers: HOST:PORT of some brokers, comma separated.
        topic: the topic.
        tls: encrypt the connections and check the brokers' certificates.
        login: who we are; with TLS the password goes to the broker itself (PLAIN), without TLS never in clear
            (SCRAM-SHA-512).
        options: further properties of librdkafka, for tests.
    """

    servers: str
    topic: str = "nettrusion"
    tls: bool = False
    login: Login = field(default_factory=Login)
    options: tuple[tuple[str, Any], ...] = ()

    def properties(self) -> dict[str, Any]:
        """Return librdkafka's configuration, the password in it.

        Raises:
            NettrusionError: the password cannot be read.
        """
        properties: dict[str, Any] = {
            "bootstrap.servers": self.servers,
            "client.id": "nettrusion",
            "acks": "all",
            "enable.idempotence": True,
            "compression.type": "lz4",
            "message.timeout.ms": DELIVERY_MS,
            "log_level": LOG_NOTHING,
            "security.protocol": "ssl" if self.tls else "plaintext",
        }
        password = self.login.password()
        if password is not None:
            properties |= {
                "security.protocol": "sasl_ssl" if self.tls else "sasl_plaintext",
                "sasl.mechanisms": "PLAIN" if self.tls else "SCRAM-SHA-512",
                "sasl.username": self.login.username,
                "sasl.password": password,
            }
        return properties | dict(self.options)


@dataclass(slots=True)
class _Flight:
    """A line on its way: whether librdkafka has it, and what became of it."""

    aloft: bool = False
    landed: bool = False
    error: Any = None

    def report(self, error: Any, message: object) -> None:
        """Take the delivery report."""
        self.aloft = False
        self.landed = error is None
        self.error = error


class KafkaTransport:
    """Hands lines to librdkafka and keeps each of them until the brokers have it.

    At most one batch is on its way. Retries within librdkafka repeat nothing (the producer is idempotent); a line
    whose delivery was not reported in time is sent again, though it may be there.
    """

    def __init__(self, place: KafkaPlace) -> None:
        """Check the configuration, but do not connect yet.

        Raises:
            NettrusionError: the package confluent-kafka is missing, or the password cannot be read.
        """
        try:
            import confluent_kafka
        except ImportError:
            raise NettrusionError(
                "a sink of type kafka needs the package confluent-kafka; "
                "install it with: pip install 'nettrusion[kafka]'"
            ) from None
        self._library: Any = confluent_kafka
        self._where = place
        self._producer: Any = None
        self._flights: list[_Flight] = []
        self._unreachable = ""
        place.login.password()

    @property
    def place(self) -> str:
        """The brokers and the topic."""
        return f"kafka {self._where.servers}, topic {self._where.topic}"

    def connect(self) -> None:
        """Make a new producer and ask a broker for the topic, which may create it.

        Raises:
            OSError: no broker answers, or none lets us in.
        """
        self.close()
        try:
            properties = self._where.properties()
        except NettrusionError as error:
            raise PermissionError(str(error)) from error
        self._unreachable = ""
        try:
            self._producer = self._library.Producer(properties | {"error_cb": self._note})
            self._producer.list_topics(self._where.topic, timeout=CONNECT_S)
        except self._library.KafkaException as error:
            if self._producer is not None:
                self._producer.poll(0)
            reason = self._unreachable or error.args[0].str()
            self.close()
            raise ConnectionError(reason) from None

    def send(self, lines: Sequence[bytes]) -> Handover:
        """Hand new lines to librdkafka, wait for reports, and leave over the lines without a good one."""
        flights = self._flights
        flights.extend(_Flight() for _ in range(len(lines) - len(flights)))
        self._launch(lines)
        patience_ends = time.monotonic() + WAIT_S
        while any(flight.aloft for flight in flights) and (left_s := patience_ends - time.monotonic()) > 0:
            self._producer.poll(left_s)
        return self._sort(lines)

    def reopen(self) -> None:
        """Connect anew.

        Raises:
            OSError: that did not work.
        """
        self.connect()

    def close(self) -> int:
        """Forget what is on its way, which is in the queue still, and let go of the producer; return 0."""
        producer, self._producer = self._producer, None
        self._flights = []
        if producer is not None:
            producer.purge()
            producer.flush(WAIT_S)
        return 0

    def _launch(self, lines: Sequence[bytes]) -> None:
        """Hand over what librdkafka does not have yet, as far as its own queue has room."""
        for line, flight in zip(lines, self._flights, strict=True):
            if flight.aloft:
                continue
            try:
                self._producer.produce(self._where.topic, line.rstrip(b"\n"), on_delivery=flight.report)
            except BufferError:
                return
            except self._library.KafkaException as error:
                flight.error = error.args[0]
            else:
                flight.aloft = True

    def _sort(self, lines: Sequence[bytes]) -> Handover:
        """Return what became of lines that were launched."""
        codes = self._library.KafkaError
        rest: list[bytes] = []
        flights: list[_Flight] = []
        refused = refused_bytes = 0
        worst: Any = None
        for line, flight in zip(lines, self._flights, strict=True):
            if flight.landed:
                continue
            if flight.error is not None and flight.error.code() == codes.MSG_SIZE_TOO_LARGE:
                refused += 1
                refused_bytes += len(line)
                continue
            if flight.error is not None:
                worst, flight.error = flight.error, None
            rest.append(line)
            flights.append(flight)
        self._flights = flights
        if len(rest) < len(lines):
            self._unreachable = ""
        trouble = worst.str() if worst is not None else self._unreachable if rest else ""
        # A producer whose messages timed out may wait for a new identity for ever; another one gets its own.
        return Handover(rest, refused, refused_bytes, trouble, broken=worst is not None)

    def _note(self, error: Any) -> None:
        """Take what librdkafka says about its connections; one broker of several may be away."""
        codes = self._library.KafkaError
        if error.code() in (codes._ALL_BROKERS_DOWN, codes._AUTHENTICATION, codes._FATAL):
            self._unreachable = error.str()
