"""`nettrusion extract`: the flows of captures as a table under published column names."""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensor.errors import NettrusionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sensor.features.published import Published
    from sensor.features.table import Table
    from sensor.flows import FlowEngine

    Flows = NDArray[np.void]

SUMMARY = "write the flows of captures as a CSV or Parquet table with the published column names"

BATCH_ROWS = 4096
FILE_COLUMN = "File"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `nettrusion extract`."""
    parser.add_argument(
        "captures",
        nargs="+",
        metavar="CAPTURE",
        help="pcap or pcapng, plain, gzip or zstd; - is standard input",
    )
    parser.add_argument(
        "--features",
        default="cic2022",
        metavar="SET",
        help="feature set: cic2022 (the CICFlowMeter columns), flow1 (what the newer models read, under its own names)"
        " or iscx2012 (default: cic2022)",
    )
    parser.add_argument(
        "--variant",
        metavar="V",
        help="whose formulas, for cic2022: cns22 (corrected release, the default), fork (CICFlowMeter of 2024)"
        " or legacy (first CICIDS2017 release)",
    )
    parser.add_argument(
        "--headers",
        metavar="RELEASE",
        help="whose column names, where a variant has two: cse2018 (default) or cicids2017",
    )
    parser.add_argument(
        "--profile",
        metavar="P",
        help="flow rules: cns22, fork, legacy or wire (default: those of the variant, wire for flow1 and iscx2012)",
    )
    parser.add_argument("--with-file", action="store_true", help=f"add a last column {FILE_COLUMN}: the capture")
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="TABLE",
        help="a name that ends in .csv or .parquet; - is CSV to standard output",
    )


def run(args: argparse.Namespace) -> int:
    """Write the table; the summary and what is wrong with a capture go to standard error.

    A capture that is cut short gives its whole packets and a warning. Raises NettrusionError.
    """
    from sensor.features.table import open_table
    from sensor.flows import FLOW_DTYPE, FlowEngine

    rows = _row_maker(args)
    engine = FlowEngine(_profile(args))
    for capture in args.captures:
        _check(capture, args.output)
    with open_table(args.output) as table:
        _write(table, rows, _no_flows(FLOW_DTYPE), args.captures[0] if args.with_file else None)
        for capture in args.captures:
            for flows in _flows(capture, engine):
                _write(table, rows, flows, capture if args.with_file else None)
    _summarise(engine, len(args.captures))
    return 0


def _check(capture: str, output: str) -> None:
    """Find what is wrong with a file before there is any output; pipes are left alone."""
    from sensor.features.table import same_file
    from sensor.sources import open_capture

    if same_file(capture, output):
        raise NettrusionError(f"{capture}: is the output as well; name another table with -o")
    path = Path(capture)
    if capture != "-" and not path.is_fifo() and not path.is_char_device():
        open_capture(capture).close()


def _row_maker(args: argparse.Namespace) -> "Callable[[Flows], Published]":
    """Return what makes columns of flows; every wrong argument is found here, before any output."""
    from sensor.features import FeatureSet
    from sensor.features.named import named
    from sensor.features.published import published, release_of
    from sensor.features.records import records

    feature_set = FeatureSet.load(args.features)
    variant = feature_set.variant(args.variant)
    if feature_set.formulas != "cic":
        if args.headers not in (None, feature_set.name):
            raise NettrusionError(f"feature set {feature_set.name} has no headers {args.headers!r}")
        return records if feature_set.formulas == "iscx" else lambda flows: named(flows, feature_set)
    release = release_of(variant, args.headers)
    return lambda flows: published(flows, variant, release)


def _profile(args: argparse.Namespace) -> Any:
    from sensor.features import FeatureSet
    from sensor.flows import PROFILES

    name = args.profile or FeatureSet.load(args.features).variant(args.variant)
    if args.profile is None and name not in PROFILES:
        name = "wire"
    if name not in PROFILES:
        known = ", ".join(sorted(PROFILES))
        raise NettrusionError(f"there is no flow profile {name!r}; there are {known}")
    return PROFILES[name]


def _no_flows(dtype: Any) -> "Flows":
    import numpy as np

    return np.empty(0, dtype)


def _flows(capture: str, engine: "FlowEngine") -> "Iterator[Flows]":
    """Yield the flows of one capture as they end, at its end those that are open."""
    from sensor.flows import Framing
    from sensor.sources import open_capture

    source = open_capture(capture)
    try:
        while len(source.window) < 4 and source.more():
            pass
        try:
            framing = Framing.sniff(source.window[:4])
        except ValueError as error:
            raise NettrusionError(f"{source.name}: {error}") from error
        while not framing.corrupt:
            used = engine.feed(source.window, framing)
            source.advance(used)
            yield from _batches(engine)
            # The engine also stops when many flows wait; nothing used means that it needs more.
            if not used and not source.more():
                break
        left = len(source.window)
        if framing.corrupt:
            _warn(source.name, f"is broken behind packet {framing.records}; the rest is left out")
        elif source.fault is not None:
            _warn(source.name, source.fault)
        elif left:
            _warn(source.name, f"is cut short: {left} bytes at its end are no whole record")
    finally:
        source.close()
    while engine.drain():
        yield from _batches(engine)
    yield from _batches(engine)


def _batches(engine: "FlowEngine") -> "Iterator[Flows]":
    flows = engine.take()
    for at in range(0, len(flows), BATCH_ROWS):
        yield flows[at : at + BATCH_ROWS]


def _write(table: "Table", rows: "Callable[[Flows], Published]", flows: "Flows", capture: str | None) -> None:
    columns = rows(flows)
    if capture is not None:
        columns[FILE_COLUMN] = [capture] * len(flows)
    table.write(columns)


def _warn(name: str, what: str) -> None:
    print(f"nettrusion: warning: {name}: {what}", file=sys.stderr)


def _summarise(engine: "FlowEngine", captures: int) -> None:
    from sensor.flows import SKIP_REASONS

    counters = engine.counters
    print(
        f"{captures} {'capture' if captures == 1 else 'captures'}, {counters['packets']:,} packets,"
        f" {counters['flows']:,} flows",
        file=sys.stderr,
    )
    skipped = [f"{counters[why]:,} {why}" for why in SKIP_REASONS if counters[why]]
    if skipped:
        print(f"packets in no flow: {', '.join(skipped)}", file=sys.stderr)
