"""Distributions of several origins in one picture."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from training.realism.sample import Sample
from training.realism.shapes import Values, quantities

_INK = ("#c0504d", "#1f4e79", "#5b8c5a", "#8064a2", "#d08b2c", "#3a9fb0", "#7f7f7f")


def draw(path: Path, samples: Mapping[str, Sample]) -> Path:
    """Draw the share of flows up to each value, a panel a quantity, a line a sample; returns the path."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    known = {name: quantities(sample) for name, sample in samples.items()}
    panels = list(next(iter(known.values())))
    rows = -(-len(panels) // 2)
    figure = Figure(figsize=(8.4, 2.5 * rows), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, panel in zip(figure.subplots(rows, 2, squeeze=False).flat, panels, strict=False):
        for place, (name, sample) in enumerate(samples.items()):
            at, share = _steps(known[name][panel], sample.weight)
            axes.step(at, share, where="post", lw=1.8 if place == 0 else 1.0, color=_INK[place % len(_INK)], label=name)
        if not panel.startswith("share"):
            axes.set_xscale("symlog", linthresh=1e-4 if panel.endswith(" s") else 1)
        axes.set_xlabel(panel)
        axes.set_ylabel("share of flows")
        axes.set_ylim(0, 1)
        axes.set_xlim(left=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    figure.axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(path, format="png", metadata={"Software": None})
    return path


def _steps(values: Values, weight: Values) -> tuple[Values, Values]:
    """Return the points of a weighted distribution, at most two hundred of them."""
    known = ~np.isnan(values)
    order = np.argsort(values[known], kind="stable")
    ranked, mass = values[known][order], np.cumsum(weight[known][order])
    kept = np.unique(np.linspace(0, len(ranked) - 1, min(200, len(ranked))).astype(int))
    return ranked[kept], (mass / mass[-1])[kept] if len(mass) else mass
