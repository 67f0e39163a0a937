"""Advice from live use: what a threshold would have done here, counted by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

from wakeword_service.advice import advise, thresholds
from wakeword_service.peaks import GRID
from wakeword_service.store import LiveSums

from wakeword.evaluation.intervals import false_alarm_rate


def judged(*verdicts: tuple[str, float]) -> list[Any]:
    return [SimpleNamespace(verdict=verdict, peak=peak) for verdict, peak in verdicts]


def test_the_advice_is_the_lowest_threshold_that_does_what_was_asked() -> None:
    week = LiveSums(100 * 3600.0, {t: max(0, 120 - 4 * i) for i, t in enumerate(GRID)})
    advice = advise(week, judged(("confirmed", 0.99), ("confirmed", 0.6), ("rejected", 0.9)), 0.5)
    counts = {t: week.fired[t] for t in GRID}
    fits = [
        t for t in GRID
        if counts[t] - (t <= 0.99) - (t <= 0.6) <= 50 and t > 0.9
    ]  # fmt: skip
    assert advice.threshold == fits[0]
    assert (advice.confirmed_kept, advice.confirmed_lost, advice.rejected_kept_out) == (1, 1, 1)
    false = counts[fits[0]] - 1
    rate = false_alarm_rate(false, 100.0)
    assert advice.false_alarms_per_hour is not None
    assert (advice.false_alarms_per_hour.low, advice.false_alarms_per_hour.high) == (
        rate.low,
        rate.high,
    )
    assert advice.supported and "kept 1 of 2" in advice.statement


def test_too_few_hours_are_said_and_none_give_no_advice() -> None:
    few = advise(LiveSums(3600.0, {}), [], 0.5)
    assert few.threshold == GRID[0] and not few.supported and "6.0 h" in few.statement
    none = advise(LiveSums(), [], 0.5)
    assert none.threshold is None and "nothing was heard" in none.statement
    never = advise(LiveSums(3600.0, dict.fromkeys(GRID, 9)), [], 0.5)
    assert never.threshold is None and not math.isnan(never.target_false_alarms_per_hour)
    rows = thresholds(
        LiveSums(), LiveSums(), LiveSums(3600.0, {GRID[3]: 2}), judged(("rejected", 1.0))
    )
    assert rows[3].fired_week == 2 and rows[3].per_hour is not None
    assert rows[3].per_hour.value == 2.0 and all(row.rejected == 1 for row in rows)
