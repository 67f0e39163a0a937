"""From negative audio to the threshold that keeps a target of false alarms per hour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wakeword.errors import EvaluationError
from wakeword.evaluation.curve import Curve, candidate_thresholds, measure
from wakeword.evaluation.events import EventRules, Track
from wakeword.evaluation.intervals import (
    Rate,
    hours_to_support,
    rate_sentence,
)
from wakeword.evaluation.kept import between, kept_curve, last_with
from wakeword.runtime.operating_points import OperatingPoint, OperatingPoints
from wakeword.runtime.tail import TAIL_ALARMS, tail_threshold

TARGETS_FA_PER_HOUR = (0.1, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Choice:
    """A threshold for a target, with what was measured at it.

    supported
        The target was kept on these hours, and they are enough to say so: without any alarm
        they would bound the rate by the target.
    extrapolated
        The hours hold no alarm to put the threshold at: it follows from the tail's slope.
    """

    target_fa_per_hour: float
    threshold: float
    rate: Rate
    supported: bool
    extrapolated: bool
    statement: str


def negative_curve(word: str, negatives: Sequence[Track], rules: EventRules) -> Curve:
    """Alarms of ``word`` at every threshold that a target could need, none left out between.

    Thresholds that the score exceeds for more than half of the time are not among them: a
    detector that is always on alarms seldom, because it never rises. ``thresholds[0]`` is
    there as the lower neighbour of the others only.

    Raises
    ------
    EvaluationError
        No negative recording that can be used for this word.
    """
    usable = [t for t in negatives if t.is_negative(word)]
    columns = [t.column(word) for t in usable]
    thresholds = candidate_thresholds(columns, coarse=0)
    median = float(np.median(np.concatenate(columns))) if usable else 0.0
    first = min(int(np.searchsorted(thresholds, median, "right")), len(thresholds) - 1)
    lower = thresholds[max(0, first - 1)]
    return measure(word, (), usable, rules, np.concatenate([[lower], thresholds[first:]]))


def choose_threshold(negatives: Curve, target_fa_per_hour: float) -> Choice:
    """Lowest threshold that keeps the target on a :func:`negative_curve`.

    It is put half way, in logits, between the score at which the next alarm would come and
    the next higher one, so that it does not sit on a data point. Where the hours do not
    allow even one alarm, it is put where the logarithm of the alarm rate, a straight line
    over the logit of the threshold fitted to the twenty highest alarms, meets the target,
    and never below the highest negative score.

    Raises
    ------
    EvaluationError
        The target is not above 0.
    """
    if not 0.0 < target_fa_per_hour < math.inf:
        raise EvaluationError(
            f"target of {target_fa_per_hour} false alarms per hour; it must be above 0"
        )
    index = negatives.first_within(target_fa_per_hour)
    index = None if index is None else max(1, index)
    last = len(negatives.thresholds) - 1
    if index is None:
        threshold, extrapolated, index = float(negatives.thresholds[last]), False, last
    elif negatives.false_alarms[index] == 0:
        floor = float(negatives.thresholds[index])
        highest = _highest_alarms(negatives)
        threshold = max(floor, tail_threshold(highest, negatives.hours, target_fa_per_hour))
        extrapolated = True
    else:
        threshold, extrapolated = between(negatives, index), False
    rate = negatives.rate_at(index)
    kept = rate.per_hour <= target_fa_per_hour * (1.0 + 1e-12)
    enough = rate.hours >= hours_to_support(target_fa_per_hour)
    statement = _statement(rate, target_fa_per_hour, kept, enough, extrapolated)
    return Choice(target_fa_per_hour, threshold, rate, kept and enough, extrapolated, statement)


def calibrate(
    word: str,
    negatives: Sequence[Track],
    positives: Sequence[Track],
    rules: EventRules,
    condition: str,
    targets: Sequence[float] = TARGETS_FA_PER_HOUR,
) -> OperatingPoints:
    """Operating points of ``word`` for metadata.json, with the curve that they are part of.

    Parameters
    ----------
    negatives
        Recordings to count alarms in; those that hold the word are left out.
    positives
        Clips of the word, all under the one ``condition`` that the words describe
        ("noise at 10 dB SNR"); may be empty, then no miss rate is stated.
    """
    curve = negative_curve(word, negatives, rules)
    points = []
    for choice in (choose_threshold(curve, target) for target in targets):
        threshold = np.array([choice.threshold])
        at = measure(word, positives, negatives, rules, threshold)
        points.append(_operating_point(choice, at, condition))
    kept = kept_curve(curve, negatives, positives, rules, condition)
    return OperatingPoints(word, tuple(points), kept)


def with_curve(
    points: OperatingPoints,
    negatives: Sequence[Track],
    positives: Sequence[Track],
    rules: EventRules,
    condition: str,
) -> OperatingPoints:
    """The same operating points with their curve, measured again on the audio that they are from.

    Raises
    ------
    EvaluationError
        Another count than theirs was found at one of the thresholds: this is other audio.
    """
    curve = negative_curve(points.word, negatives, rules)
    rising = points.points[::-1]
    thresholds = np.array([p.threshold for p in rising])
    at = measure(points.word, positives, negatives, rules, thresholds)
    for index, p in enumerate(rising):
        found = (int(at.false_alarms[index]), int(at.missed[index]), at.clips)
        kept = (p.alarms, p.missed, p.clips)
        same = found == kept and math.isclose(at.hours, p.hours, rel_tol=1e-9)
        if not same or (at.clips and condition != p.condition):
            raise EvaluationError(
                f"'{points.word}' at threshold {p.threshold:.4f}: {_counted(*found)} in "
                f"{at.hours:.4f} h, {condition}; but its operating point says {_counted(*kept)} in "
                f"{p.hours:.4f} h, {p.condition}: that was other audio, or another seed"
            )
    kept_points = kept_curve(curve, negatives, positives, rules, condition)
    return OperatingPoints(points.word, points.points, kept_points)


def _counted(alarms: int, missed: int, clips: int) -> str:
    return f"{alarms} alarms and {missed} of {clips} missed"


def _operating_point(choice: Choice, at: Curve, condition: str) -> OperatingPoint:
    misses = at.misses_at(0) if at.clips else None
    return OperatingPoint(
        target_fa_per_hour=choice.target_fa_per_hour,
        threshold=choice.threshold,
        fa_per_hour=choice.rate.per_hour,
        fa_per_hour_low=choice.rate.low,
        fa_per_hour_high=choice.rate.high,
        alarms=choice.rate.alarms,
        hours=choice.rate.hours,
        frr=misses.value if misses else None,
        frr_low=misses.low if misses else None,
        frr_high=misses.high if misses else None,
        missed=misses.missed if misses else 0,
        clips=at.clips,
        condition=condition if misses else "",
        supported=choice.supported,
        statement=choice.statement,
    )


def _statement(
    rate: Rate, target: float, kept: bool, enough: bool, extrapolated: bool
) -> str:
    said = rate_sentence(rate)
    if not kept:
        return f"{said}; no threshold keeps {target:g} per hour"
    if not enough:
        said += (
            f"; these hours cannot support {target:g} per hour, which takes "
            f"{hours_to_support(target):.1f} h without an alarm"
        )
    return f"{said}; the threshold is extrapolated" if extrapolated else said


def _highest_alarms(curve: Curve) -> list[float]:
    """Highest threshold with at least 1, 2, ... alarms, as far as the tail wants them."""
    most = min(int(curve.false_alarms.max(initial=0)), TAIL_ALARMS)
    return [float(curve.thresholds[last_with(curve, n)]) for n in range(1, most + 1)]
