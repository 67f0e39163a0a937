"""A search as pictures: the found cells as graphs, and how it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wakeword.evaluation.charts import new_figure, png
from wakeword.networks.nas.genotype import INPUTS, NODES, Cell, Genotype

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OUTPUT = INPUTS + NODES
_NAMES = {0: "cell k-2", 1: "cell k-1", OUTPUT: "cell k"}
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


def places() -> dict[int, tuple[float, float]]:
    """Where each node is drawn: inputs left, the others in the order of their numbers."""
    inner = {INPUTS + k: (1.3 + 1.3 * k, (0.9, -0.9, 1.5, -1.5)[k % 4]) for k in range(NODES)}
    return {0: (0.0, 1.2), 1: (0.0, -1.2), **inner, OUTPUT: (1.6 + 1.3 * NODES, 0.0)}


def _draw_cell(axes: Axes, cell: Cell) -> None:
    where = places()
    for node, edges in enumerate(cell, INPUTS):
        for operation, source in edges:
            _arrow(axes, where[source], where[node], operation)
        _arrow(axes, where[node], where[OUTPUT], "")
    for node, (x, y) in where.items():
        kind = "in" if node < INPUTS else "out" if node == OUTPUT else "node"
        box = {"boxstyle": "round,pad=0.5", "facecolor": _COLOURS[kind], "edgecolor": "#555555"}
        axes.text(x, y, _NAMES.get(node, str(node)), ha="center", va="center", bbox=box, zorder=3)
    axes.set_xlim(-0.8, where[OUTPUT][0] + 0.8)
    axes.set_ylim(-2.2, 2.2)
    axes.axis("off")


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], operation: str
) -> None:
    """An arrow, named nearer its start, where those that end together are still apart."""
    shape = {"arrowstyle": "->", "color": "#555555" if operation else "#bbbbbb", "shrinkA": 18,
             "shrinkB": 18, "connectionstyle": "arc3,rad=0.08"}  # fmt: skip
    axes.annotate("", xy=end, xytext=start, arrowprops=shape, zorder=1)
    if operation:
        x, y = (s + 0.42 * (e - s) for s, e in zip(start, end, strict=True))
        box = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"}
        axes.text(x, y, operation, ha="center", va="center", fontsize=8, bbox=box, zorder=2)
