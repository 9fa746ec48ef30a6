"""Figures for people and for programs."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from benchmarks.endurance.process import Sample


def table(title: str, figures: Mapping[str, Any]) -> None:
    """Print figures one a line, and lists of lines below their name."""
    print(f"\n{title}")
    for name, value in figures.items():
        if isinstance(value, list) and value and isinstance(value[0], str):
            print(f"  {name}")
            for line in value:
                print(f"    {line}")
        else:
            print(f"  {name:<34}{_said(value)}", flush=True)


def figures_of(sample: Sample) -> dict[str, Any]:
    """Return a sample as JSON can hold it."""
    return asdict(sample)


def _said(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)
