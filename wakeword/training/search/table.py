"""What a search found, as rows and as a picture: memory over operations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wakeword.evaluation.charts import new_figure, png
from wakeword.files import atomic_write, write_csv, write_json
from wakeword.networks.budgets import BUDGETS, KILOBYTE, Budget
from wakeword.networks.candidates import Costed

TABLE, RECORD, PICTURE = "search.csv", "search.json", "search.png"
_NAMED = 3
"""So many of the best are named in the picture."""


@dataclass(frozen=True)
class Row:
    """A candidate that fits; what it scored, if it was trained, and for how many rounds."""

    costed: Costed
    accuracy: float | None = None
    rounds: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, a column each."""
        c, cost = self.costed.candidate, self.costed.cost
        return {
            "family": c.space,
            "accuracy": self.accuracy,
            "rounds": self.rounds,
            "memory_bytes": cost.memory_bytes,
            "operations": cost.operations,
            "parameters": cost.parameters,
            "coefficients": c.coefficients,
            "window_ms": 1000 * c.frontend.window_samples // c.frontend.sample_rate,
            "hop_ms": c.hop_ms,
            "frames": c.frames,
            "labels": c.labels,
            "network": c.family,
            "network_parameters": c.table,
        }


def write_tables(folder: Path, rows: Sequence[Row], budget: Budget, looked_at: int) -> None:
    """Write the table as CSV and JSON, and the picture, into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    ordered = sorted(rows, key=best_first)
    plain = [row.to_dict() for row in ordered]
    flat = [{**r, "network_parameters": json.dumps(r["network_parameters"])} for r in plain]
    write_csv(folder / TABLE, flat)
    write_json(folder / RECORD, {"budget": vars(budget), "looked_at": looked_at, "rows": plain})
    with atomic_write(folder / PICTURE, "wb") as file:
        file.write(picture(ordered, budget))


def best_first(row: Row) -> tuple[float, int]:
    """Key to sort by: the most accurate first, then the largest."""
    return (-1.0 if row.accuracy is None else -1.0 - row.accuracy, -row.costed.cost.memory_bytes)


def picture(rows: Sequence[Row], budget: Budget) -> bytes:
    """Memory over operations: all that fit, those that were trained, and the three budgets."""
    figure = new_figure(8.0, 5.0)
    axes = figure.add_subplot()
    families = list(dict.fromkeys(sorted(r.costed.candidate.space for r in rows)))
    for number, family in enumerate(families):
        own = [r for r in rows if r.costed.candidate.space == family]
        colour = f"C{number % 10}"
        axes.scatter(*_places(own), s=9, color=colour, alpha=0.25, linewidths=0)
        tried = [r for r in own if r.accuracy is not None]
        axes.scatter(*_places(tried), s=45, color=colour, edgecolors="black", linewidths=0.7)
        axes.scatter([], [], s=45, color=colour, label=family)
    for row in [r for r in rows if r.accuracy is not None][:_NAMED]:
        x, y = _place(row)
        axes.annotate(f"{100 * (row.accuracy or 0):.1f} %", (x, y), xytext=(5, 5),
                      textcoords="offset points", fontsize="small")  # fmt: skip
    left, bottom = (0.7 * min(place) for place in _places(rows))
    for one in {budget.name: budget, **BUDGETS}.values():
        right, top = one.operations / 1e6, one.memory_bytes / KILOBYTE
        weight = 1.6 if one == budget else 0.6
        axes.plot([left, right, right], [top, top, bottom], color="0.3", linewidth=weight)
        axes.annotate(one.name, (right, top), ha="right", va="bottom", fontsize="small")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("million operations an inference")
    axes.set_ylabel("memory, kB (8 bits a number)")
    axes.grid(True, which="major", alpha=0.2)
    trained = any(r.accuracy is not None for r in rows)
    axes.legend(fontsize="small", loc="lower right", title="ringed: trained" if trained else None)
    return png(figure)


def _places(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    return [_place(r)[0] for r in rows], [_place(r)[1] for r in rows]


def _place(row: Row) -> tuple[float, float]:
    cost = row.costed.cost
    return cost.operations / 1e6, cost.memory_bytes / KILOBYTE
