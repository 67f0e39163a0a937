"""A search as pictures: the found cells as graphs, and how it went."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wakeword.evaluation.charts import new_figure, png
from wakeword.networks.nas.genotype import INPUTS, NODES, Cell, Genotype

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OUTPUT = INPUTS + NODES
_NAMES = {0: "cell k-2", 1: "cell k-1", OUTPUT: "cell k"}
_PLACES = ((0.0, 1.4), (0.0, -1.4), (1.7, 1.7), (3.7, -0.9), (5.4, 0.5), (6.8, -1.6), (8.8, 0.5))
"""Where each node is drawn: so that no edge passes another node by less than half a unit."""
_COLOURS = {"in": "#cfe8cf", "node": "#d5e3f5", "out": "#f7ecc4"}


def draw_cells(genotype: Genotype) -> bytes:
    """Normal and reduction cell one above the other, as a PNG."""
    figure = new_figure(11.0, 8.5)
    for number, (name, cell) in enumerate(genotype.cells.items(), 1):
        axes = figure.add_subplot(2, 1, number)
        axes.set_title(f"{name} cell ({genotype.operations})")
        _draw_cell(axes, cell)
    return png(figure)


def draw_search(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Loss, held windows right and entropy over epochs, as a PNG."""
    figure = new_figure(11.0, 3.4)
    epochs = [row["epoch"] for row in rows]
    panels = (
        ("loss", (("loss", "weights' half"), ("held_loss", "held half"))),
        ("held windows right", (("held_right", ""),)),
        ("entropy of an edge, nats", (("normal_entropy", "normal"),
                                      ("reduction_entropy", "reduction"))),
    )  # fmt: skip
    for number, (title, lines) in enumerate(panels, 1):
        axes = figure.add_subplot(1, 3, number)
        for key, label in lines:
            axes.plot(epochs, [row[key] for row in rows], marker=".", label=label)
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.grid(True, alpha=0.25)
        if len(lines) > 1:
            axes.legend(fontsize="small")
    return png(figure)


def _draw_cell(axes: Axes, cell: Cell) -> None:
    for node, edges in enumerate(cell, INPUTS):
        for operation, source in edges:
            _arrow(axes, _PLACES[source], _PLACES[node], operation)
        _arrow(axes, _PLACES[node], _PLACES[OUTPUT], "")
    for node, (x, y) in enumerate(_PLACES):
        kind = "in" if node < INPUTS else "out" if node == OUTPUT else "node"
        box = {"boxstyle": "round,pad=0.5", "facecolor": _COLOURS[kind], "edgecolor": "#555555"}
        axes.text(x, y, _NAMES.get(node, str(node)), ha="center", va="center", bbox=box, zorder=3)
    axes.set_xlim(-0.8, _PLACES[OUTPUT][0] + 0.8)
    axes.set_ylim(-2.1, 2.1)
    axes.axis("off")


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], operation: str
) -> None:
    """A straight arrow, its operation along it, nearer its end, where few others are."""
    shape = {"arrowstyle": "->", "color": "#555555" if operation else "#c8c8c8", "shrinkA": 16,
             "shrinkB": 16}  # fmt: skip
    axes.annotate("", xy=end, xytext=start, arrowprops=shape, zorder=1)
    if not operation:
        return
    along = (end[0] - start[0], end[1] - start[1])
    angle = math.degrees(math.atan2(along[1], along[0]))
    share = max(0.5, 1.0 - 1.2 / math.hypot(*along))
    axes.text(
        start[0] + share * along[0], start[1] + share * along[1], operation, ha="center",
        va="center", fontsize=8, rotation=angle, rotation_mode="anchor",
        transform_rotates_text=True, zorder=2,
        bbox={"boxstyle": "round,pad=0.05", "facecolor": "white", "edgecolor": "none"},
    )  # fmt: skip
