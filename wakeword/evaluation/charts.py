"""What all pictures of an evaluation share: a canvas, points with intervals, logarithmic shares."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wakeword.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAST_SHARE = 1e-3
"""Lowest share on a logarithmic axis: where nothing was missed a line ends there."""


@dataclass(frozen=True)
class Series:
    """Values with their intervals, one for each name on the axis; None where there is none."""

    label: str
    points: Sequence[tuple[float, float, float] | None]


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot", "drawing a report") from error
    return Figure(figsize=(width, height), layout="constrained")


def png(figure: Figure) -> bytes:
    """The figure as a PNG that is the same for the same figures."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=90, metadata={"Software": None})
    return out.getvalue()


def log_shares(axes: Axes) -> None:
    """A logarithmic axis of shares missed, labelled in per cent."""
    axes.set_yscale("log")
    axes.set_ylim(LEAST_SHARE, 1.0)
    ticks = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
    axes.set_yticks(ticks, labels=[f"{100 * t:g} %" for t in ticks])
    axes.minorticks_off()
    axes.set_ylabel("missed")
    axes.grid(True, which="major", alpha=0.25)


def intervals(axes: Axes, names: Sequence[str], series: Sequence[Series]) -> None:
    """Points with their intervals, series side by side at each name, names across."""
    width = 0.7 / max(1, len(series))
    for number, one in enumerate(series):
        places = [i - 0.35 + (number + 0.5) * width for i in range(len(names))]
        drawn = [(x, p) for x, p in zip(places, one.points, strict=True) if p is not None]
        values = [p[0] for _, p in drawn]
        below = [max(0.0, p[0] - p[1]) for _, p in drawn]
        above = [max(0.0, p[2] - p[0]) for _, p in drawn]
        axes.errorbar(
            [x for x, _ in drawn], values, (below, above), fmt="o", markersize=4, capsize=2,
            linewidth=1, label=one.label,
        )  # fmt: skip
    axes.set_xticks(range(len(names)), labels=list(names), rotation=30, ha="right")
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.grid(True, axis="y", alpha=0.25)
    if len(series) > 1:
        axes.legend(fontsize="small")


def percent_axis(axes: Axes) -> None:
    """A linear axis of shares missed, from 0 to what was drawn, at least 10 %."""
    top = min(1.02, max(0.1, axes.get_ylim()[1]))
    axes.set_ylim(-0.02 * top, top)
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.3g} %")
    axes.set_ylabel("missed")
