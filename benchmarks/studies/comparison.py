"""What studies share that compare variants under the same four conditions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from studies.variants import row_of, share_of
from wakeword.evaluation.charts import Series, intervals, new_figure, percent_axis, png
from wakeword.evaluation.conditions import Condition, Kind

KINDS: tuple[tuple[Kind, float], ...] = (
    ("noise", 10.0), ("noise", 5.0), ("babble", 10.0), ("clean", math.inf),
)  # fmt: skip
CONDITIONS = tuple(Condition(kind, snr_db).name for kind, snr_db in KINDS)
TARGET_FA_PER_HOUR = 0.5


def missed_headers() -> list[str]:
    """Of the columns of :func:`missed_of`."""
    return [f"missed, {condition}" for condition in CONDITIONS]


def missed_of(values: dict[str, Any]) -> list[str]:
    """What a variant misses under each condition."""
    return [share_of(values, TARGET_FA_PER_HOUR, condition) for condition in CONDITIONS]


def picture(values: Sequence[dict[str, Any]]) -> bytes:
    """What each variant misses under each condition."""
    figure = new_figure(9.0, 5.0)
    axes = figure.add_subplot()
    found = [[row_of(v, TARGET_FA_PER_HOUR, c) for c in CONDITIONS] for v in values]
    series = [
        Series(v["variant"], [(r["frr"], r["frr_low"], r["frr_high"]) for r in rows])
        for v, rows in zip(values, found, strict=True)
    ]
    intervals(axes, list(CONDITIONS), series)
    percent_axis(axes)
    axes.set_title(f"mean of words at {TARGET_FA_PER_HOUR:g} false alarms per hour and word")
    return png(figure)
