"""What the README shows of the demo, made by running it: python -m benchmarks.readme [--write].

Between two marks stand the surest alert of an attack, the figures below the table, and how many flows of each label
reached the threshold. Without --write they are printed, and the exit code is 1 where the README says something else.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from benchmarks.labels import Conversations, bundled, bundled_labels, count

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- python -m benchmarks.readme --write -->\n", "<!-- up to here -->\n"
KEPT = ("packets", "flows", "alerts")


def shown(events: Sequence[Mapping[str, Any]], printed: str, conversations: Conversations) -> str:
    """Return the README's part, of the demo's events, what it printed, and the labels of its conversations."""
    from sensor.cli.report import alert_lines, heading

    found = count(events, conversations)
    told = [event for event in events if event["event_type"] == "alert" and "ml_features" in event["alert"]["metadata"]]
    alerts = [event for event in told if conversations.of(event)[0] != "benign"]
    if not alerts:
        raise SystemExit("the demo has no alert of an attack to show; see: nettrusion selftest")
    surest = max(alerts, key=lambda event: float(event["alert"]["metadata"]["ml_score"][0]))
    table = printed.rpartition("\n\n")[2].splitlines()
    demo = [heading(), *alert_lines(surest), "..."]
    demo += [line for line in table if line.split()[0] in KEPT]
    demo.append(f"events      {len(events):,} lines in demo/eve.json")
    labels = sorted({label for label, _ in found.flows}, key=lambda label: (label == "benign", label))
    words = ", ".join("{1} {0[0]:,} of {0[1]:,}".format(found.of(label), label) for label in labels)
    by_label = f"Flows at or above the threshold, by label: {words} (`python -m benchmarks.labels`, by tool)."
    return "".join(f"    {line}\n" for line in demo) + f"\n{fill(by_label, 120)}\n"


def parts(text: str) -> tuple[str, str, str]:
    """Return what stands before the README's part, the part, and what stands behind it."""
    before, begin, rest = text.partition(BEGIN)
    part, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{README}: its marks are gone; write the lines {BEGIN.strip()!r} and {END.strip()!r} again")
    return before + begin, part, end + after


def run() -> str:
    """Run the demo and return what the README has to show of it."""
    with tempfile.TemporaryDirectory() as folder:
        events, printed = bundled(Path(folder))
    return f"\n{shown(events, printed, bundled_labels())}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the part, or write it; 1 where it was to be compared and is another."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readme", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write it into the README")
    args = parser.parse_args(arguments)
    before, part, after = parts(README.read_text(encoding="utf-8"))
    made = run()
    if args.write:
        README.write_text(before + made + after, encoding="utf-8")
        return 0
    print(made)
    return int(part != made)


if __name__ == "__main__":
    sys.exit(main())
