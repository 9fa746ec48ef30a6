"""`nettrusion run`: the daemon, on live interfaces or a folder that fills with captures."""

import argparse
import logging
import os
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.cli.config import add_set
from sensor.errors import NettrusionError

if TYPE_CHECKING:
    from sensor.config import Config
    from sensor.daemon.daemon import Daemon
    from sensor.daemon.runstate import RunState
    from sensor.metrics import Server

SUMMARY = "watch live interfaces and write alerts as they happen"

log = logging.getLogger("sensor.run")

# Priorities that the journal reads from the start of a line: sd-daemon(3).
PRIORITIES = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `nettrusion run`."""
    parser.add_argument(
        "-i",
        "--interface",
        action="append",
        default=[],
        metavar="IFACE",
        help="listen here; may be given several times (default: capture.interfaces)",
    )
    parser.add_argument("-c", "--config", type=Path, metavar="FILE", help="a sensor.toml; SIGHUP reads it again")
    parser.add_argument("--source", choices=("ring", "scapy", "tshark"), help="how to listen (default: ring)")
    parser.add_argument("--follow", type=Path, metavar="DIR", help="read the capture files that appear in a folder")
    parser.add_argument("--new-only", action="store_true", help="with --follow: not what is in the folder already")
    parser.add_argument("-v", "--verbose", action="store_true", help="log what is only of use when something is wrong")
    add_set(parser)


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; 0 after an orderly end."""
    from sensor.daemon.memory import return_large_blocks
    from sensor.daemon.requests import block_signals, from_signals

    block_signals()  # before anything is imported that starts a thread
    from sensor.notify import Notifier

    return_large_blocks()
    start_log(verbose=args.verbose)
    sys.setswitchinterval(0.001)  # a worker that must read the ring waits for no more than this
    daemon, server = assemble(args)
    try:
        state = _state(args)
        lost = state.begin()
        if lost:
            log.warning("%s", lost)
        return daemon.run(Notifier.from_environment(os.environ), state, from_signals)
    finally:
        if server is not None:
            server.close()


def assemble(args: argparse.Namespace) -> "tuple[Daemon, Server | None]":
    """Load, check and open everything that the configuration names, before anything runs.

    Raises NettrusionError, with nothing left open, when a part of it cannot be had.
    """
    from sensor.config import load
    from sensor.daemon.daemon import Daemon, Origin
    from sensor.daemon.opening import open_sources
    from sensor.scoring import Scoring, load_detector, load_rulebook
    from sensor.selftest import run_selftest
    from sensor.sinks import Outputs

    overrides = tuple(args.overrides)
    config = load(args.config, overrides=overrides).config
    capture = config.capture
    if args.interface:
        capture = replace(capture, interfaces=tuple(args.interface))
    if args.follow is not None:
        capture = replace(capture, interfaces=tuple(args.interface))
    config = replace(config, capture=replace(capture, source=args.source or capture.source))
    detector, rulebook = load_detector(config), load_rulebook(config, home_net(config))
    for warning in rulebook.warnings:
        log.warning("rules: %s", warning)
    result = run_selftest(config)
    if not result.passed:
        raise NettrusionError(f"selftest failed: {result.sentence}")
    log.log(logging.WARNING if result.quiet else logging.INFO, "selftest: %s", result.sentence)
    with ExitStack() as opened:
        sources = open_sources(config.capture, args.follow, existing=not args.new_only)
        for source in sources:
            opened.callback(source.close)
        outputs = Outputs.open(config)
        opened.callback(outputs.close, 0)
        scoring = Scoring(config, detector, rulebook, outputs.write)
        scoring.measure_drift()
        daemon = Daemon(config, Origin(args.config, overrides, home_net), sources, scoring, outputs)
        server = _serve(config, daemon)
        opened.pop_all()  # all is there, and the daemon's to close
    for source in sources:
        for notice in source.notices():
            log.warning("%s", notice)
    log.info(
        "listening on %s with %d worker(s); %s",
        ", ".join(dict.fromkeys(source.name for source in sources)),
        len(sources),
        daemon.readings.in_force(),
    )
    return daemon, server


def home_net(config: "Config") -> str | None:
    """Return what `auto` stands for: the networks of the interfaces, None where they have no address."""
    if config.sensor.home_net != "auto" or not config.capture.interfaces:
        return None
    from sensor.sources.interface import home_networks

    networks = home_networks(config.capture.interfaces)
    log.info("HOME_NET: %s", networks or "private and link-local networks (no interface has an address)")
    return networks


def _serve(config: "Config", daemon: "Daemon") -> "Server | None":
    """Serve metrics where the configuration says so; without its package the daemon runs all the same."""
    listen = config.metrics.listen
    folder = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    if not listen:
        listen = f"unix:{folder}/metrics.sock" if folder else "off"
    if listen == "off":
        return None
    from sensor.metrics import serve

    try:
        server = serve(listen, lambda: daemon.figures, lambda: daemon.healthy)
    except NettrusionError as error:
        if config.metrics.listen:
            raise
        log.warning("no metrics: %s", error)
        return None
    log.info("metrics: %s", listen)
    return server


def _state(args: argparse.Namespace) -> "RunState":
    """Return the note of what the daemon holds, in the folder that the service manager gives it."""
    from sensor.daemon.runstate import RunState

    folder = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    name = "-".join(args.interface) or (args.follow.name if args.follow else "run")
    return RunState(Path(folder) / f"{name.replace('/', '_')}.json" if folder else None)


def start_log(*, verbose: bool) -> None:
    """Log to standard error: in the journal's form where it listens there, else for people."""
    journal = "JOURNAL_STREAM" in os.environ
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Journal() if journal else logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)


class _Journal(logging.Formatter):
    """Puts the priority before every line, as the journal reads it."""

    def format(self, record: logging.LogRecord) -> str:
        mark = f"<{PRIORITIES.get(record.levelname, 6)}>"
        return "\n".join(mark + line for line in super().format(record).splitlines())
