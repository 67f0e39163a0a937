"""The bench as a picture: accuracy and time over operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from wakeword.evaluation.charts import new_figure, png

Figures = dict[str, Any]
KINDS = ("tc-resnet", "2d-resnet", "ds-cnn", "basic-lstm", "lstm", "gru", "crnn", "dnn", "cnn",
         "res")  # fmt: skip
"""Beginnings of names that belong together, longer ones before those that they begin with."""


def picture_of(figures: Sequence[Figures]) -> bytes:
    """Left accuracy, ours and printed; right the time of a window, float and 8 bits.

    A colour is a kind of network; beside each point is which of its kind it is.
    """
    figure = new_figure(14.0, 6.5)
    left, right = figure.subplots(1, 2)
    for number, kind in enumerate(dict.fromkeys(_kind(f["network"]) for f in figures)):
        members = [f for f in figures if _kind(f["network"]) == kind]
        colour = f"C{number}" if number < 10 else "black"
        _accuracy(left, members, kind, colour)
        _times(right, members, kind, colour)
    left.set_ylabel("accuracy, %; filled: ours, the command set here; hollow: printed, 12 classes")
    right.set_ylabel("ms a window alone, one thread; filled: float; hollow: 8 bits")
    right.set_yscale("log")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xlabel("MFLOP a window")
        axes.grid(True, alpha=0.25)
    right.legend(fontsize="small", loc="upper left")
    return png(figure)


def _accuracy(axes: Axes, members: Sequence[Figures], kind: str, colour: str) -> None:
    theirs = [(f, 100 * f["printed_accuracy"]) for f in members if f["printed_accuracy"]]
    ours = [(f, f["commands"]["float"]) for f in members if f.get("commands")]
    axes.plot([f["mflop"] for f, _ in theirs], [share for _, share in theirs], "o",
              color=colour, fillstyle="none")  # fmt: skip
    for f, v in ours:
        found, low, high = (100 * v[key] for key in ("accuracy", "low", "high"))
        around = [[max(0.0, found - low)], [max(0.0, high - found)]]
        axes.errorbar(f["mflop"], found, around, fmt="o", color=colour, capsize=2, linewidth=1)
    for f, share in [*theirs, *((f, 100 * v["accuracy"]) for f, v in ours)]:
        _beside(axes, _member(f["network"], kind), f["mflop"], share, colour)


def _times(axes: Axes, members: Sequence[Figures], kind: str, colour: str) -> None:
    operations = [f["mflop"] for f in members]
    small = [f["window_ms"] * f["int8_window_beside_float"] for f in members]
    axes.plot(operations, [f["window_ms"] for f in members], "o", color=colour, label=kind)
    axes.plot(operations, small, "o", color=colour, fillstyle="none", markersize=4)
    for f in members:
        _beside(axes, _member(f["network"], kind), f["mflop"], f["window_ms"], colour)


def _beside(axes: Axes, text: str, x: float, y: float, colour: str) -> None:
    axes.annotate(text, (x, y), fontsize=7, color=colour, xytext=(4, 3),
                  textcoords="offset points")  # fmt: skip


def _kind(name: str) -> str:
    return next((kind for kind in KINDS if name.startswith(kind)), name)


def _member(name: str, kind: str) -> str:
    return name.removeprefix(kind).strip("-")
