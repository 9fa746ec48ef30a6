"""From a table of the configuration to what brings lines to the place that it names."""

import socket

from sensor.config import SinkConfig
from sensor.errors import NettrusionError
from sensor.sinks import syslog
from sensor.sinks.address import host_and_port
from sensor.sinks.credential import Login
from sensor.sinks.kafka import KafkaPlace, KafkaTransport
from sensor.sinks.redis import RedisPlace, RedisTransport
from sensor.sinks.rotating import FileTransport
from sensor.sinks.sockets import DatagramTransport, StreamTransport, unix_connector
from sensor.sinks.stdout import StdoutTransport
from sensor.sinks.transport import Transport


def transport_for(sink: SinkConfig, host: str) -> Transport:
    """Return what brings lines to the place of a sink; files are open already, connections are not.

    Args:
        sink: the sink's table.
        host: the sensor's name.

    Raises:
        NettrusionError: the file cannot be opened, a key is missing, or a package is.
    """
    match sink.type:
        case "file":
            return FileTransport(_path(sink), mode=int(sink.mode, 8), rotate_s=sink.rotate_s)
        case "stdout":
            return StdoutTransport()
        case "unix_stream":
            path = _path(sink)
            return StreamTransport(f"unix {path}", unix_connector(path, socket.SOCK_STREAM))
        case "unix_dgram":
            path = _path(sink)
            return DatagramTransport(f"unix {path}", unix_connector(path, socket.SOCK_DGRAM))
        case "syslog":
            return _syslog(sink, host)
        case "redis":
            return _redis(sink)
        case "kafka":
            return _kafka(sink)
    raise NettrusionError(f"there is no sink of type {sink.type!r}")


def _syslog(sink: SinkConfig, host: str) -> Transport:
    formatter = syslog.Formatter(sink.facility, host, cee=sink.cee)
    if sink.transport == "unix":
        return syslog.LocalSyslog(sink.path or syslog.LOCAL_SOCKET, formatter)
    server, port = host_and_port(_address(sink))
    return (syslog.tcp if sink.transport == "tcp" else syslog.udp)(server, port, formatter)


def _redis(sink: SinkConfig) -> Transport:
    host, port = ("", 0) if sink.path else host_and_port(_address(sink))
    place = RedisPlace(
        host=host,
        port=port,
        path=sink.path,
        store=sink.store,
        key=sink.key,
        max_entries=sink.max_entries,
        tls=sink.tls,
        login=Login(sink.username, sink.password_file),
    )
    return RedisTransport(place)


def _kafka(sink: SinkConfig) -> Transport:
    servers = _address(sink)
    for server in servers.split(","):
        host_and_port(server.strip())
    return KafkaTransport(KafkaPlace(servers, sink.key, sink.tls, Login(sink.username, sink.password_file)))


def _path(sink: SinkConfig) -> str:
    if not sink.path:
        raise NettrusionError(f"path: a sink of type {sink.type} needs the path of its file or socket")
    return sink.path


def _address(sink: SinkConfig) -> str:
    if not sink.address:
        raise NettrusionError(f"address: a sink of type {sink.type} needs HOST:PORT of its server")
    return sink.address
