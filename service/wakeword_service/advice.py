"""What live use says about a threshold: how often it would have fired here, and what to choose.

A firing is not a false alarm: somebody may have said the word. Verdicts tell some of them apart.
The advice counts every firing as false that was not confirmed, so that it can only be too careful.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from wakeword.evaluation.intervals import Rate, false_alarm_rate, hours_to_support
from wakeword_service.peaks import GRID
from wakeword_service.store import DetectionRow, LiveSums


class Hourly(BaseModel):
    """Events per hour that was heard; ``low`` and ``high`` each hold alone at 95 %."""

    value: float
    low: float
    high: float


class LiveThreshold(BaseModel):
    """What one threshold would have done here in the last week, and in shorter times."""

    threshold: float
    fired_hour: int
    fired_day: int
    fired_week: int
    per_hour: Hourly | None = Field(description="Of the week; null where nothing was heard.")
    confirmed: int = Field(description="Confirmed detections of the week that it would keep.")
    rejected: int = Field(description="Rejected detections of the week that it would keep.")


class Advice(BaseModel):
    """A threshold for a target, as far as the last week can say."""

    target_false_alarms_per_hour: float
    threshold: float | None = Field(description="null: no threshold can be advised.")
    false_alarms_per_hour: Hourly | None = Field(
        description="At that threshold, every firing that nobody confirmed counted as false."
    )
    confirmed_kept: int
    confirmed_lost: int
    rejected_kept_out: int
    supported: bool = Field(description="Whether the hours are enough for the target.")
    statement: str


def thresholds(
    hour: LiveSums, day: LiveSums, week: LiveSums, judged: Sequence[DetectionRow]
) -> list[LiveThreshold]:
    """The figures of each threshold of the grid, ascending."""
    hours = week.seconds / 3600.0
    return [
        LiveThreshold(
            threshold=t,
            fired_hour=hour.fired.get(t, 0),
            fired_day=day.fired.get(t, 0),
            fired_week=week.fired.get(t, 0),
            per_hour=_hourly(week.fired.get(t, 0), hours),
            confirmed=_kept(judged, "confirmed", t),
            rejected=_kept(judged, "rejected", t),
        )
        for t in GRID
    ]


def advise(week: LiveSums, judged: Sequence[DetectionRow], target_fa_per_hour: float) -> Advice:
    """The lowest threshold that keeps all rejected detections out, and the target.

    A lower threshold misses less, so that the lowest one keeps as many confirmed ones as can be.
    """
    hours = week.seconds / 3600.0
    for threshold in GRID:
        false = max(0, week.fired.get(threshold, 0) - _kept(judged, "confirmed", threshold))
        if _kept(judged, "rejected", threshold) == 0 and false <= target_fa_per_hour * hours:
            return _advice(threshold, false, hours, judged, target_fa_per_hour)
    return Advice(
        target_false_alarms_per_hour=target_fa_per_hour, threshold=None,
        false_alarms_per_hour=None, confirmed_kept=0, confirmed_lost=0, rejected_kept_out=0,
        supported=False,
        statement=f"no threshold up to {GRID[-1]} would have kept {target_fa_per_hour:g} false "
        "alarms per hour and all rejected detections out",
    )  # fmt: skip


def _advice(
    threshold: float, false: int, hours: float, judged: Sequence[DetectionRow], target: float
) -> Advice:
    confirmed = sum(row.verdict == "confirmed" for row in judged)
    rejected = len(judged) - confirmed
    kept = _kept(judged, "confirmed", threshold)
    enough = hours >= hours_to_support(target)
    said = (
        f"in {hours:.1f} h heard here, {threshold:g} would have fired {false} times without a "
        f"confirmation, kept {kept} of {confirmed} confirmed detections and none of {rejected} "
        "rejected ones"
    )
    if not judged:
        said += "; there are no verdicts yet, so that every firing counts as false"
    if not enough:
        said += (
            f"; so few hours cannot support {target:g} per hour, which takes "
            f"{hours_to_support(target):.1f} h without an alarm"
        )
    return Advice(
        target_false_alarms_per_hour=target, threshold=threshold if hours else None,
        false_alarms_per_hour=_hourly(false, hours), confirmed_kept=kept,
        confirmed_lost=confirmed - kept, rejected_kept_out=rejected, supported=enough,
        statement=said if hours else "nothing was heard in the last week: there is no advice",
    )  # fmt: skip


def _kept(judged: Sequence[DetectionRow], verdict: str, threshold: float) -> int:
    return sum(row.verdict == verdict and row.peak >= threshold for row in judged)


def _hourly(times: int, hours: float) -> Hourly | None:
    if hours <= 0.0:
        return None
    rate: Rate = false_alarm_rate(times, hours)
    return Hourly(value=rate.per_hour, low=rate.low, high=rate.high)
