"""Found against random cells as a table and a picture: is what a search finds better?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from wakeword.evaluation.charts import Series, intervals, new_figure, png
from wakeword.files import atomic_write, write_csv, write_json
from wakeword.training.nas.comparison import run_name
from wakeword.training.nas.contenders import FOUND, Contender

TABLE, RECORD, PICTURE = "comparison.csv", "comparison.json", "comparison.png"
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Scored:
    """A contender, and the share of clips right with each seed."""

    contender: Contender
    right: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return float(np.mean(self.right))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, a column each."""
        c = self.contender
        return {
            "cells": c.name,
            "parameters": c.parameters,
            "operations": c.flops,
            "mean": self.mean,
            "least": min(self.right),
            "greatest": max(self.right),
        }


@dataclass(frozen=True)
class Verdict:
    """Mean of the found cells, mean over the random ones, and the difference with its interval.

    The interval is Welch's, of the runs of the found cells against the means of the random ones:
    what differs by chance is the seed there, and the cells here. None where there are too few.
    """

    found: float
    random: float
    difference: tuple[float, float] | None
    beaten: int
    randoms: int


def scored(
    contenders: Sequence[Contender], seeds: Sequence[int], scores: Mapping[str, float]
) -> list[Scored]:
    """What every contender got."""
    return [Scored(c, tuple(scores[run_name(c, s)] for s in seeds)) for c in contenders]


def verdict(rows: Sequence[Scored]) -> Verdict:
    """Judge the first, which is the found one, by the others."""
    found, *others = rows
    assert found.contender.name == FOUND and others
    means = [row.mean for row in others]
    interval = None
    if min(len(found.right), len(means)) > 1 and np.ptp([*found.right, *means]) > 0.0:
        test = stats.ttest_ind(found.right, means, equal_var=False)
        low, high = test.confidence_interval(CONFIDENCE)
        interval = float(low), float(high)
    beaten = sum(found.mean > mean for mean in means)
    return Verdict(found.mean, float(np.mean(means)), interval, beaten, len(means))


def write_comparison(folder: Path, rows: Sequence[Scored], about: Mapping[str, Any]) -> None:
    """Write table, record and picture into ``folder``."""
    write_csv(folder / TABLE, [row.to_dict() for row in rows])
    record = {
        **about,
        "verdict": vars(verdict(rows)),
        "contenders": [
            {**row.to_dict(), "right": row.right, "network": row.contender.table} for row in rows
        ],
    }
    write_json(folder / RECORD, record)
    with atomic_write(folder / PICTURE, "wb") as file:
        file.write(draw(rows))


def draw(rows: Sequence[Scored]) -> bytes:
    """Share of clips right: mean, least and greatest of the seeds, contender by contender."""
    figure = new_figure(1.6 + 0.9 * len(rows), 4.0)
    axes = figure.add_subplot()
    points = [(row.mean, min(row.right), max(row.right)) for row in rows]
    intervals(axes, [row.contender.name for row in rows], [Series("", points)])
    average = float(np.mean([row.mean for row in rows[1:]]))
    axes.axhline(average, linestyle="--", linewidth=1, color="#888888")
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.4g} %")
    axes.set_ylabel("clips right: mean, least, greatest of the seeds")
    axes.set_title("found and random cells of the same size")
    return png(figure)


def text(rows: Sequence[Scored]) -> list[tuple[str, ...]]:
    """The same as rows of a table."""
    table: list[tuple[str, ...]] = [("cells", "parameters", "MFLOP", "clips right", "by seed")]
    for row in rows:
        c = row.contender
        each = " ".join(f"{100 * share:.2f}" for share in row.right)
        table.append(
            (c.name, f"{c.parameters:,}", f"{c.flops / 1e6:.2f}", f"{100 * row.mean:.2f} %", each)
        )
    return table


def sentence(judged: Verdict) -> str:
    """What came of it, in one line."""
    ahead = 100.0 * (judged.found - judged.random)
    within = ""
    if judged.difference is not None:
        low, high = (100.0 * share for share in judged.difference)
        within = f" ({100 * CONFIDENCE:g} %: {low:+.2f} to {high:+.2f})"
    return (
        f"found {100 * judged.found:.2f} %, random {100 * judged.random:.2f} % on average: "
        f"{ahead:+.2f} points{within}; better than {judged.beaten} of {judged.randoms}"
    )
