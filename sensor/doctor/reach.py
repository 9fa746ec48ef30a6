"""Outputs elsewhere and the metrics: whether they can be reached, without an event being sent."""

import errno
import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from sensor.config import SinkConfig
from sensor.doctor.finding import Finding
from sensor.doctor.scene import Scene
from sensor.errors import NettrusionError
from sensor.sinks.places import transport_for


def check_outputs(scene: Scene) -> Iterator[Finding]:
    """Each output that is no file: connect as the sensor does, and let go."""
    for name, sink in scene.config.sinks.items():
        if sink.type == "stdout":
            yield Finding(f"output {name}", "ok", "standard output")
        elif sink.type != "file":
            yield _check_output(scene, name, sink)


def _check_output(scene: Scene, name: str, sink: SinkConfig) -> Finding:
    check = f"output {name}"
    where = sink.address or sink.path or ("/dev/log" if sink.type == "syslog" else "")
    try:
        transport = transport_for(sink, scene.config.sensor.name or socket.gethostname())
    except NettrusionError as error:
        return Finding(check, "fail", f"sinks.{name}: {error}")
    try:
        transport.connect()
    except OSError as error:
        found = f"{sink.type} {where} cannot be reached: {error.strerror or error}"
        remedy = f"start it, or correct sinks.{name}; events wait for it, {sink.queue_mb} MiB of them, then are dropped"
        return Finding(check, "warning", found, remedy)
    transport.close()
    if sink.type == "syslog" and sink.transport == "udp":
        return Finding(check, "note", f"{transport.place}: the name is known; UDP does not tell whether anyone listens")
    return Finding(check, "ok", f"{transport.place} answers")


def check_metrics(scene: Scene) -> Iterator[Finding]:
    """The address of the metrics: free, and not open to everybody."""
    listen = metrics_place(scene)
    if listen == "off":
        yield Finding("metrics", "ok", "off" if scene.config.metrics.listen else "off, as systemd gives no directory")
    elif listen.startswith("unix:"):
        yield _check_socket(Path(listen.removeprefix("unix:")))
    else:
        yield from _check_port(*listen.rsplit(":", 1))


def metrics_place(scene: Scene) -> str:
    """Return where metrics are served: `off`, `unix:PATH` or HOST:PORT."""
    folder = scene.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return scene.config.metrics.listen or (f"unix:{folder}/metrics.sock" if folder else "off")


def _check_socket(path: Path) -> Finding:
    remedy = "name another: metrics.listen"
    if not path.parent.is_dir():
        return Finding("metrics", "fail", f"there is no folder {path.parent}", remedy)
    if not os.access(path.parent, os.W_OK):
        return Finding("metrics", "fail", f"{path.parent} cannot be written by user {os.geteuid()}", remedy)
    if path.exists() and not path.is_socket():
        return Finding("metrics", "fail", f"{path} is there and no socket", remedy)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as ask:
        ask.settimeout(1.0)
        if ask.connect_ex(str(path)) == 0:
            return Finding("metrics", "note", f"{path}: a sensor answers there already")
    return Finding("metrics", "ok", f"unix socket {path}")


def _check_port(host: str, port: str) -> Iterator[Finding]:
    remedy = "stop it, if it is not the sensor itself, or name another: metrics.listen"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            yield Finding("metrics", "warning", f"{host}:{port} is taken already", remedy)
        else:
            found = f"{host}:{port}: {error.strerror or error}"
            yield Finding("metrics", "fail", found, "name another: metrics.listen")
        return
    if ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
        yield Finding("metrics", "ok", f"{host}:{port} is free")
    else:
        remedy = "listen on 127.0.0.1 or a unix socket, or let a firewall choose who may ask"
        yield Finding("metrics", "warning", f"{host}:{port} is free, and open to everyone who reaches it", remedy)
