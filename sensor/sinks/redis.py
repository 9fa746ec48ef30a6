"""Redis: a list, a channel or a stream of events, a batch at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sensor.errors import NettrusionError
from sensor.sinks.credential import Login
from sensor.sinks.transport import Handover

ANSWER_S = 5.0
# The field of a stream's entry that holds the event.
FIELD = "eve"


@dataclass(frozen=True, slots=True)
class RedisPlace:
    """Where in which server events go.

    Attributes:
        host, port: the server; not used with a `path`.
        path: its socket on this machine.
        store: `list`, `channel` or `stream`.
        key: the name of it.
        max_entries: how many events a list or stream keeps, the newest ones; 0 for all.
        tls: encrypt the connection and check the server's certificate.
        login: who we are.
    """

    host: str = "127.0.0.1"
    port: int = 6379
    path: str = ""
    store: str = "list"
    key: str = "nettrusion"
    max_entries: int = 100_000
    tls: bool = False
    login: Login = field(default_factory=Login)


class RedisTransport:
    """Hands over a batch as one transaction: all of it is there, or nothing.

    A list is filled from the left (LPUSH), so a reader that takes from the right (BRPOP) gets events in order. A
    channel keeps nothing: what is published without a subscriber is gone. When the connection breaks after a batch
    was sent and before the answer came, nobody knows whether it is there; it is sent again.
    """

    def __init__(self, place: RedisPlace) -> None:
        """Read the password for the first time, but do not connect yet.

        Raises:
            NettrusionError: the package redis is missing, or the password cannot be read.
        """
        try:
            import redis
        except ImportError:
            raise NettrusionError(
                "a sink of type redis needs the package redis; install it with: pip install 'nettrusion[redis]'"
            ) from None
        self._errors: Any = redis.exceptions
        self._where = place
        self._queue = {"list": _push, "channel": _publish, "stream": _add}[place.store]
        self._client: Any = None
        place.login.password()

    @property
    def place(self) -> str:
        """The server and the key."""
        where = self._where
        server = where.path or f"{where.host}:{where.port}"
        return f"redis {server}, {where.store} {where.key}"

    def connect(self) -> None:
        """Connect anew, with the password as it is in its file now.

        Raises:
            OSError: there is no server, or it does not let us in.
        """
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self.close()
        where = self._where
        try:
            password = where.login.password()
        except NettrusionError as error:
            raise PermissionError(str(error)) from error
        options: dict[str, Any] = {
            "username": where.login.username or None,
            "password": password,
            "socket_timeout": ANSWER_S,
            "socket_connect_timeout": ANSWER_S,
            # A batch is repeated by the queue, which knows what is in it.
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
        }
        if where.path:
            options["unix_socket_path"] = where.path
        else:
            options |= {"host": where.host, "port": where.port, "socket_keepalive": True}
            if where.tls:
                options |= {"ssl": True, "ssl_cert_reqs": "required", "ssl_check_hostname": True}
        client = redis.Redis(**options)
        try:
            client.ping()
        except self._errors.RedisError as error:
            client.close()
            raise ConnectionError(str(error)) from error
        self._client = client

    def send(self, lines: Sequence[bytes]) -> Handover:
        """Hand over all lines in one transaction; wait for the answer."""
        pipeline = self._client.pipeline(transaction=True)
        self._queue(pipeline, self._where, [line.rstrip(b"\n") for line in lines])
        try:
            pipeline.execute()
        except (self._errors.ConnectionError, self._errors.TimeoutError) as error:
            return Handover(lines, trouble=_reason(error), broken=True)
        except self._errors.RedisError as error:
            return Handover(lines, trouble=_reason(error))
        return Handover()

    def reopen(self) -> None:
        """Connect anew.

        Raises:
            OSError: that did not work.
        """
        self.connect()

    def close(self) -> int:
        """Close the connection; return 0."""
        if self._client is not None:
            self._client.close()
            self._client = None
        return 0


def _push(pipeline: Any, where: RedisPlace, texts: list[bytes]) -> None:
    pipeline.lpush(where.key, *texts)
    if where.max_entries:
        pipeline.ltrim(where.key, 0, where.max_entries - 1)


def _publish(pipeline: Any, where: RedisPlace, texts: list[bytes]) -> None:
    for text in texts:
        pipeline.publish(where.key, text)


def _add(pipeline: Any, where: RedisPlace, texts: list[bytes]) -> None:
    limit = where.max_entries or None
    for text in texts:
        pipeline.xadd(where.key, {FIELD: text}, maxlen=limit, approximate=True)


def _reason(error: Exception) -> str:
    """Return what the server said, without the command, which holds events."""
    return str(error).rpartition("caused error: ")[2]
