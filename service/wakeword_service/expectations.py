"""What a threshold can be expected to do, from what was measured: said, never invented.

At a measured threshold the figures are those of the measurement. A curve has counts at so many
thresholds that every other one lies between two of them, and its counts between theirs: the values
are then the worse counts, the bounds those of both. Of operating points without a curve the values
are interpolated over the logit of the threshold, and the bounds are the wider ones of both
neighbours: a higher threshold gives no more false alarms and no fewer misses. Outside the
measured range there are no values, only the bound that the nearest measurement still gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from wakeword.evaluation.intervals import (
    CONFIDENCE,
    Rate,
    false_alarm_rate,
    hours_to_support,
    miss_rate,
    rate_sentence,
)
from wakeword.runtime import CountBounds, MeasuredCurve, OperatingPoint, OperatingPoints

Basis = Literal["measured", "interpolated", "outside"]
Measurement = OperatingPoint | MeasuredCurve
"""What says on how many hours and clips it rests."""


class Estimate(BaseModel):
    """A figure with bounds; null is "not known"."""

    model_config = ConfigDict(frozen=True)

    value: float | None
    low: float | None
    high: float | None


class Expectation(BaseModel):
    """What to expect of a threshold, and what that is known from."""

    model_config = ConfigDict(frozen=True)

    basis: Basis = Field(
        description="`measured` at this threshold, or so close to it that the counts are known "
        "within bounds; `interpolated` between two operating points, where the model brings no "
        "curve; or `outside` of the measured range, where there are no values but only bounds."
    )
    audio: str = Field(description="Where the audio of the measurement comes from.")
    false_alarms_per_hour: Estimate = Field(
        description="`high` alone holds with the confidence, and so does `low`."
    )
    false_rejection_rate: Estimate = Field(
        description="Share of the utterances that are missed, with a two-sided interval."
    )
    confidence: float = CONFIDENCE
    hours: float = Field(description="Hours without the word that were scored.")
    clips: int = Field(description="Clips of the word that were scored.")
    condition: str = Field(description="How those clips sounded; empty where there were none.")
    supported: bool = Field(description="Whether the hours are enough to say so.")
    statement: str = Field(description="The same in one sentence.")


def expect(points: OperatingPoints, threshold: float, audio: str) -> Expectation:
    """What ``threshold`` can be expected to do, from measured points.

    Parameters
    ----------
    audio
        Where the measurement's audio comes from, for the answer.
    """
    rising = points.points[::-1]
    for point in rising:
        if math.isclose(point.threshold, threshold, rel_tol=1e-9):
            return _from(
                point, "measured", alarms_at(point), misses_at(point), audio, point.statement,
                point.supported,
            )  # fmt: skip
    curve = points.curve
    if curve is not None and not _left_to_points(points, curve, threshold):
        return _on_curve(curve, threshold, audio)
    if threshold < rising[0].threshold:
        return _beyond_points(rising[0], audio, below=True)
    if threshold > rising[-1].threshold:
        return _beyond_points(rising[-1], audio, below=False)
    lower, upper = next(
        (a, b) for a, b in pairwise(rising) if a.threshold < threshold < b.threshold
    )
    return _between(lower, upper, threshold, audio)


def _left_to_points(points: OperatingPoints, curve: MeasuredCurve, threshold: float) -> bool:
    """Whether the threshold is outside of the curve, on a side where operating points go on."""
    if threshold < curve.thresholds[0]:
        return points.points[-1].threshold < curve.thresholds[0]
    above = threshold > curve.thresholds[-1]
    return above and points.points[0].threshold > curve.thresholds[-1]


def _on_curve(curve: MeasuredCurve, threshold: float, audio: str) -> Expectation:
    counts = curve.counts(threshold)
    if counts is None:
        return _beyond_curve(curve, threshold, audio)
    alarms, misses = estimates(curve, counts)
    rate = false_alarm_rate(counts.alarms_high, curve.hours)
    supported = rate.alarms > 0 and curve.hours >= hours_to_support(rate.per_hour)
    return _from(curve, "measured", alarms, misses, audio, _sentence(counts, rate), supported)


def estimates(curve: MeasuredCurve, counts: CountBounds) -> tuple[Estimate, Estimate]:
    """False alarms per hour and share missed; where the counts are not exact, the worse ones."""
    fewest = false_alarm_rate(counts.alarms_low, curve.hours)
    most = false_alarm_rate(counts.alarms_high, curve.hours)
    alarms = Estimate(value=most.per_hour, low=fewest.low, high=most.high)
    if not curve.clips:
        return alarms, Estimate(value=None, low=None, high=None)
    best = miss_rate(counts.missed_low, curve.clips)
    worst = miss_rate(counts.missed_high, curve.clips)
    return alarms, Estimate(value=worst.value, low=best.low, high=worst.high)


def _sentence(counts: CountBounds, rate: Rate) -> str:
    said = rate_sentence(rate)
    if counts.alarms_low < counts.alarms_high:
        said = f"between {counts.alarms_low} and {said}"
    if counts.missed_low < counts.missed_high:
        said += f"; between {counts.missed_low} and {counts.missed_high} clips missed"
    return said


def _beyond_curve(curve: MeasuredCurve, threshold: float, audio: str) -> Expectation:
    below = threshold < curve.thresholds[0]
    end = curve.thresholds[0 if below else -1]
    counts = curve.counts(end)
    assert counts is not None, "the ends of a curve are measured"
    alarms, misses = estimates(curve, counts)
    said = _sentence(counts, false_alarm_rate(counts.alarms_high, curve.hours))
    return _beyond(curve, end, alarms, misses, said, audio, below=below)


def _between(
    lower: OperatingPoint, upper: OperatingPoint, threshold: float, audio: str
) -> Expectation:
    span = _logit(upper.threshold) - _logit(lower.threshold)
    part = (_logit(threshold) - _logit(lower.threshold)) / span

    def mix(a: float | None, b: float | None) -> float | None:
        return None if a is None or b is None else a + part * (b - a)

    alarms = Estimate(
        value=mix(lower.fa_per_hour, upper.fa_per_hour),
        low=min(lower.fa_per_hour_low, upper.fa_per_hour_low),
        high=max(lower.fa_per_hour_high, upper.fa_per_hour_high),
    )
    misses = Estimate(
        value=mix(lower.frr, upper.frr),
        low=_either(min, lower.frr_low, upper.frr_low),
        high=_either(max, lower.frr_high, upper.frr_high),
    )
    statement = (
        f"interpolated between the thresholds {lower.threshold:.4f} ({lower.statement}) and "
        f"{upper.threshold:.4f} ({upper.statement})"
    )
    supported = lower.supported and upper.supported
    return _from(upper, "interpolated", alarms, misses, audio, statement, supported)


def _beyond_points(end: OperatingPoint, audio: str, *, below: bool) -> Expectation:
    alarms, misses = alarms_at(end), misses_at(end)
    return _beyond(end, end.threshold, alarms, misses, end.statement, audio, below=below)


def _beyond(
    of: Measurement, end: float, alarms: Estimate, misses: Estimate, said: str, audio: str,
    *, below: bool,
) -> Expectation:  # fmt: skip
    """What the nearest ``end`` of a measurement still says of a threshold outside of it."""
    if below:
        side, what = "below the lowest", "more false alarms and fewer misses"
        alarms = Estimate(value=None, low=alarms.low, high=None)
        misses = Estimate(value=None, low=None, high=misses.high)
    else:
        side, what = "above the highest", "fewer false alarms and more misses"
        alarms = Estimate(value=None, low=None, high=alarms.high)
        misses = Estimate(value=None, low=misses.low, high=None)
    return _from(
        of,
        "outside",
        alarms,
        misses,
        audio,
        f"{side} threshold that was measured, {end:.4f}: {what} than there, how many was not "
        f"measured ({said})",
        supported=False,
    )


def _from(
    of: Measurement,
    basis: Basis,
    alarms: Estimate,
    misses: Estimate,
    audio: str,
    statement: str,
    supported: bool,
) -> Expectation:
    return Expectation(
        basis=basis,
        audio=audio,
        false_alarms_per_hour=alarms,
        false_rejection_rate=misses,
        hours=of.hours,
        clips=of.clips,
        condition=of.condition,
        supported=supported,
        statement=statement,
    )


def alarms_at(point: OperatingPoint) -> Estimate:
    """False alarms per hour that were measured."""
    low, high = point.fa_per_hour_low, point.fa_per_hour_high
    return Estimate(value=point.fa_per_hour, low=low, high=high)


def misses_at(point: OperatingPoint) -> Estimate:
    """Share missed that was measured; null where there were no clips."""
    return Estimate(value=point.frr, low=point.frr_low, high=point.frr_high)


def _either(
    pick: Callable[[float, float], float], a: float | None, b: float | None
) -> float | None:
    return None if a is None or b is None else pick(a, b)


def _logit(threshold: float) -> float:
    return math.log(threshold) - math.log1p(-threshold)
