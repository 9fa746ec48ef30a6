"""`nettrusion score`: captures in, explained EVE alerts out."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from sensor.cli.config import add_set
from sensor.errors import NettrusionError

if TYPE_CHECKING:
    from sensor.config import Config
    from sensor.pipeline import Pipeline
    from sensor.sinks import Sink

SUMMARY = "score captures and write their alerts as EVE JSON"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `nettrusion score`."""
    parser.add_argument(
        "captures",
        nargs="+",
        metavar="CAPTURE",
        help="pcap or pcapng, plain or compressed with gzip or zstd; - is standard input",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="begun anew (default: eve.json); - is standard output")
    parser.add_argument("--model", metavar="FILE", help="the model bundle (default: the one of the sensor)")
    parser.add_argument("--rules", metavar="DIR", help="the folder of rules (default: the one of the sensor)")
    parser.add_argument(
        "--source",
        choices=("file", "scapy", "tshark"),
        default="file",
        help="who reads the captures; tshark knows every format of Wireshark's (default: file)",
    )
    parser.add_argument("-c", "--config", type=Path, metavar="FILE", help="a sensor.toml")
    parser.add_argument("--flows", action="store_true", help="write a flow event for every flow too")
    parser.add_argument("--table", action="store_true", help="print the alerts as a table as they come")
    add_set(parser)


def run(args: argparse.Namespace) -> int:
    """Score every capture; 1 when one could not be read at all or an event could not be written, else 0."""
    config = effective(args)
    say = sys.stderr if config.output.path == "-" else sys.stdout
    if args.table and say is sys.stderr:
        raise NettrusionError("--table prints where the events go; name a file with -o")
    for path in filter(None, (config.output.path, config.stats.path)):
        _refuse_to_overwrite(path, args.captures)
    if config.stats.path and Path(config.stats.path).absolute() == Path(config.output.path).absolute():
        raise NettrusionError(f"stats.path: {config.stats.path} is where the events go; name another file or none")

    from sensor.pipeline import Pipeline
    from sensor.scoring import load_detector, load_rulebook

    detector, rulebook = load_detector(config), load_rulebook(config)
    sink = _open(config, config.output.path)
    stats_sink = _open(config, config.stats.path) if config.stats.path else sink
    try:
        pipeline = Pipeline(config, detector, rulebook, sink)
        pipeline.stats_sink = stats_sink
        return _score(pipeline, args, say)
    finally:
        stats_sink.close()
        sink.close()


def effective(args: argparse.Namespace) -> "Config":
    """Return the configuration with what the command line says above it."""
    from sensor.config import load

    config = load(args.config, overrides=args.overrides).config
    output, detector, rules = config.output, config.detector, config.rules
    return replace(
        config,
        output=replace(output, path=args.output or output.path, flow_events=args.flows or output.flow_events),
        detector=replace(detector, model=args.model or detector.model),
        rules=replace(rules, directory=args.rules or rules.directory),
    )


def _score(pipeline: "Pipeline", args: argparse.Namespace, say: TextIO) -> int:
    """Run all captures through a pipeline and print what it found."""
    from sensor.cli.progress import Progress
    from sensor.cli.report import Run, alert_lines, heading, summary
    from sensor.flows import SKIP_REASONS
    from sensor.sources.opening import open_file

    unread = 0
    begun_s = time.monotonic()
    with Progress() as progress:

        def show(alerts: Sequence[Any]) -> None:
            progress.clear()
            for alert in alerts:
                print(*alert_lines(alert), sep="\n", file=say)

        if args.table:
            print(heading(), file=say)
            pipeline.on_alerts = show
        for name in args.captures:
            try:
                source = open_file(name, args.source)
                try:
                    pipeline.run(source, progress)
                finally:
                    source.close()
            except NettrusionError as error:
                unread += 1
                progress.clear()
                print(f"nettrusion: {error}", file=sys.stderr)
        pipeline.finish()
    seconds = time.monotonic() - begun_s
    for fault in pipeline.tally.faults:
        print(f"nettrusion: warning: {fault}", file=sys.stderr)
    tally = pipeline.tally
    if args.table:
        print(file=say)
    figures = Run(
        captures=tally.captures,
        counters=tally.counters,
        reasons=tuple(SKIP_REASONS),
        alerts=tally.alerts,
        updates=tally.updates,
        written=pipeline.sink.counters,
        output=pipeline.config.output.path,
        seconds=seconds,
    )
    print(*summary(figures), sep="\n", file=say)
    lost = sum(sink.counters["dropped_lines"] for sink in {pipeline.sink, pipeline.stats_sink})
    if lost:
        where = pipeline.config.output.path
        print(f"nettrusion: {where}: {lost:,} events could not be written; make room and run again", file=sys.stderr)
    return 1 if unread or lost else 0


def _open(config: "Config", path: str) -> "Sink":
    from sensor.sinks import SinkOptions, open_sink

    options = SinkOptions(path=Path(path), mode=int(config.output.mode, 8), fresh=True)
    return open_sink("stdout" if path == "-" else "file", options)


def _refuse_to_overwrite(output: str, captures: Sequence[str]) -> None:
    """Refuse an output that is one of the captures, or any file that holds no events."""
    path = Path(output)
    if output == "-" or not path.is_file():
        return
    if any(name != "-" and Path(name).exists() and path.samefile(name) for name in captures):
        raise NettrusionError(f"{output}: is one of the captures; name another file with -o")
    with path.open("rb") as file:
        begin = file.read(1)
    if begin not in (b"", b"{"):
        raise NettrusionError(f"{output}: exists and holds no events; remove it or name another file with -o")
