"""Confidence bounds for a number of alarms in some hours and of misses in some clips.

Alarms in negative audio are counted as a Poisson process, so the bounds of a rate are exact
(Garwood 1936). Misses in clips are a binomial; its interval is Wilson's (1927).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from wakeword.errors import EvaluationError

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Rate:
    """Alarms per hour with bounds, each of which alone holds with ``confidence``.

    ``high`` is therefore the figure of the sentence "at most ... per hour at 95 %".
    """

    alarms: int
    hours: float
    per_hour: float
    low: float
    high: float


@dataclass(frozen=True)
class Proportion:
    """Misses among clips with the two-sided interval that holds with ``confidence``."""

    missed: int
    clips: int
    value: float
    low: float
    high: float


def false_alarm_rate(alarms: int, hours: float, confidence: float = CONFIDENCE) -> Rate:
    """Rate of ``alarms`` events in ``hours`` with Garwood's exact one-sided bounds.

    Raises
    ------
    EvaluationError
        Negative alarms, no hours, or a confidence outside (0, 1).
    """
    _require_confidence(confidence)
    if alarms < 0:
        raise EvaluationError(f"{alarms} alarms; a count must be at least 0")
    if not 0.0 < hours < math.inf:
        raise EvaluationError(
            f"{hours:g} hours of negative audio were scored; a rate needs more than 0"
        )
    high = poisson_mean_above(alarms, 1.0 - confidence)
    low = poisson_mean_above(alarms - 1, confidence) if alarms else 0.0
    return Rate(alarms, hours, alarms / hours, low / hours, high / hours)


def miss_rate(missed: int, clips: int, confidence: float = CONFIDENCE) -> Proportion:
    """Share of ``clips`` that were missed, with Wilson's interval.

    Raises
    ------
    EvaluationError
        No clips, more misses than clips, or a confidence outside (0, 1).
    """
    _require_confidence(confidence)
    if clips < 1 or not 0 <= missed <= clips:
        raise EvaluationError(
            f"{missed} of {clips} clips missed; there must be clips, and no more misses than clips"
        )
    z = NormalDist().inv_cdf(0.5 + confidence / 2.0)
    share = missed / clips
    scale = 1.0 + z * z / clips
    centre = (share + z * z / (2.0 * clips)) / scale
    half = z / scale * math.sqrt(share * (1.0 - share) / clips + z * z / (4.0 * clips**2))
    low = 0.0 if missed == 0 else max(0.0, centre - half)
    high = 1.0 if missed == clips else min(1.0, centre + half)
    return Proportion(missed, clips, share, low, high)


def hours_to_support(target_per_hour: float, confidence: float = CONFIDENCE) -> float:
    """Hours without any alarm after which the rate is at most ``target_per_hour``."""
    return -math.log(1.0 - confidence) / target_per_hour


def rate_sentence(rate: Rate, confidence: float = CONFIDENCE) -> str:
    """``0 alarms in 4.6 h: at most 0.65 per hour at 95 %``."""
    noun = "alarm" if rate.alarms == 1 else "alarms"
    hours = f"{rate.hours:.1f}" if rate.hours >= 1.0 else f"{rate.hours:.2g}"
    high = f"{rate.high:.2f}" if rate.high >= 0.095 else f"{rate.high:.2g}"
    return (
        f"{rate.alarms} {noun} in {hours} h: at most {high} per hour at {confidence * 100:g} %"
    )


@lru_cache(maxsize=65_536)
def poisson_mean_above(events: int, probability: float) -> float:
    """Mean of the Poisson law that gives at most ``events`` with ``probability``.

    The same number as ``chi2.ppf(1 - probability, 2 * events + 2) / 2``.
    """
    high = events + 10.0 + 10.0 * math.sqrt(events + 1.0) - 2.0 * math.log(probability)
    if probability > 0.5:  # the small tail is the one whose digits are all good
        return _root(lambda mean: (1.0 - probability) - _poisson_sum(events, mean, True), high)
    return _root(lambda mean: _poisson_sum(events, mean, False) - probability, high)


def _poisson_sum(events: int, mean: float, above: bool) -> float:
    """Probability of more than ``events`` (``above``) or of at most ``events``.

    The closed sum of terms, without those more than forty standard deviations from the
    mean: they cannot count, and ten thousand alarms then cost no more than a few hundred.
    """
    reach = int(40.0 * math.sqrt(max(events, mean) + 1.0)) + 200
    if above:
        first, last = max(events + 1, int(mean) - reach), max(events + 1, int(mean)) + reach
    else:
        first, last = max(0, min(events, int(mean)) - reach), min(events, int(mean) + reach)
    counts = np.arange(first, last + 1, dtype=np.float64)
    log_factorials = math.lgamma(first + 1.0) + np.concatenate(
        [[0.0], np.cumsum(np.log(counts[1:]))]
    )
    return float(np.exp(counts * math.log(mean) - mean - log_factorials).sum())


def _root(falling: Callable[[float], float], high: float) -> float:
    """Root in (0, high) of a falling function by bisection, to the last bit of a float."""
    low = 0.0
    while True:
        middle = 0.5 * (low + high)
        if not low < middle < high:
            return middle
        if falling(middle) > 0.0:
            low = middle
        else:
            high = middle


def _require_confidence(confidence: float) -> None:
    if not 0.0 < confidence < 1.0:
        raise EvaluationError(f"confidence = {confidence}, but it must lie in (0, 1)")
