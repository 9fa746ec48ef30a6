"""The command `nettrusion`: finds a subcommand, runs it, turns its errors into sentences.

A subcommand is a module named under the entry-point group `nettrusion.commands`, with `SUMMARY`,
`configure(parser)` and `run(args)`. Only the module whose name was typed is imported, so that help
is instant and the sensor's commands never load what training needs.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

from sensor.errors import NettrusionError

GROUP = "nettrusion.commands"
DESCRIPTION = "Flows from captures and live interfaces, scored by a trained detector, written as explained EVE alerts."

INTERRUPTED = 130  # what a shell reports for a program that SIGINT ended
BROKEN_PIPE = 141  # and for one that SIGPIPE ended

# Which extra brings a package that a command asks for in vain.
EXTRAS = {
    "tensorflow": "training",
    "keras": "training",
    "pandas": "training",
    "sklearn": "training",
    "matplotlib": "training",
    "lxml": "training",
    "onnx": "export",
    "tf2onnx": "export",
    "skl2onnx": "export",
    "pyarrow": "parquet",
    "zstandard": "zstd",
    "redis": "redis",
    "confluent_kafka": "kafka",
    "prometheus_client": "metrics",
    "scapy": "scapy",
    "pyshark": "tshark",
}


class Command(Protocol):
    """What a subcommand's module has."""

    SUMMARY: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the subcommand's own arguments to its parser."""

    def run(self, args: argparse.Namespace) -> int:
        """Do the work and return the exit code."""


def commands() -> dict[str, EntryPoint]:
    """Return the installed subcommands by name, sorted."""
    return dict(sorted((point.name, point) for point in entry_points(group=GROUP)))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (`sys.argv` when None) and return its exit code.

    An operator's error is one sentence on standard error; an interrupt ends with 130, a reader that
    went away (`| head`) with 141, both without a word.
    """
    try:
        code = _dispatch(sys.argv[1:] if argv is None else list(argv))
        sys.stdout.flush()
    except NettrusionError as error:
        return _complain(str(error), error.exit_code)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        return _complain(f"needs the package {error.name}: pip install 'nettrusion[{extra}]'", 1)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes standard output once more at exit: give it somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _complain(f"{place}{error.strerror or error}", 1)
    return code


def _complain(sentence: str, code: int) -> int:
    sys.stdout.flush()
    print(f"nettrusion: {sentence}", file=sys.stderr)
    return code


def _dispatch(argv: list[str]) -> int:
    known = commands()
    if not known:
        raise NettrusionError("no subcommand is installed; install the package: pip install -e .")
    name = argv[0] if argv and not argv[0].startswith("-") else None
    if name is not None and name in known:
        command: Command = known[name].load()
        parser = argparse.ArgumentParser(f"nettrusion {name}", description=command.SUMMARY)
        command.configure(parser)
        return command.run(parser.parse_args(argv[1:]))
    parser = argparse.ArgumentParser(
        "nettrusion",
        description=DESCRIPTION,
        epilog=_listing(known) if name is None else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    parser.add_argument("command", nargs="?", choices=list(known), metavar="COMMAND")
    if parser.parse_args(argv[:1]).version:
        import sensor

        print(f"nettrusion {sensor.__version__}")
        return 0
    parser.print_help()
    return 2


def _listing(known: dict[str, EntryPoint]) -> str:
    width = max(map(len, known))
    lines = [f"  {name:<{width}}  {_summary(point)}" for name, point in known.items()]
    return "\n".join(["commands:", *lines, "", "nettrusion COMMAND --help says more."])


def _summary(point: EntryPoint) -> str:
    """Return a command's summary, or why it cannot run here."""
    try:
        command: Command = point.load()
    except ModuleNotFoundError as error:
        return f"(not usable here: {error})"
    return command.SUMMARY
