"""Thresholds for a target: checked against the detector, placed between scores, honest."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from score_tracks import RULES, WORD, brute_force, scores, track

from wakeword.errors import EvaluationError
from wakeword.evaluation.calibration import calibrate, choose_threshold, negative_curve
from wakeword.evaluation.events import Track


def peaks(values: list[float], hours: float, floor: float = 0.001) -> Track:
    """A quiet track of ``hours`` with isolated peaks, one alarm each."""
    posteriors = np.full(round(hours * 36_000), floor, np.float32)
    posteriors[50 : 50 + 50 * len(values) : 50] = values
    return track(posteriors)


@given(st.lists(scores(), min_size=1, max_size=3), st.integers(0, 8))
def test_lowest_threshold_that_the_detector_keeps(
    tracks: list[NDArray[np.float32]], alarms: int
) -> None:
    negatives = [track(t) for t in tracks if len(t)] or [track([0.5])]
    hours = RULES.hours(negatives)
    target = (alarms + 0.5) / hours
    curve = negative_curve(WORD, negatives, RULES)
    choice = choose_threshold(curve, target)

    def alarms_at(threshold: float) -> int:
        return brute_force([], negatives, threshold, RULES)[1]

    assert 0.0 < choice.threshold < 1.0
    assert alarms_at(choice.threshold) == choice.rate.alarms
    at_or_above = [t for t in curve.thresholds if t >= choice.threshold]
    below = [t for t in curve.thresholds[1:] if t < choice.threshold]
    if curve.first_within(target) is None:
        assert choice.rate.alarms > alarms and "no threshold keeps" in choice.statement
        return
    assert all(alarms_at(float(t)) <= alarms for t in at_or_above)
    if below and not choice.extrapolated:
        assert alarms_at(float(below[-1])) > alarms


def test_threshold_lies_half_way_in_logits() -> None:
    """One alarm is allowed: below 0.6 the second comes, at 0.9 there is the first."""
    negatives = [peaks([0.9, 0.6, 0.3], 10.0)]
    choice = choose_threshold(negative_curve(WORD, negatives, RULES), 0.1)
    low, high = math.log(0.6 / 0.4), math.log(0.9 / 0.1)
    assert choice.threshold == pytest.approx(1 / (1 + math.exp(-(low + high) / 2)), rel=1e-6)
    assert (choice.rate.alarms, choice.extrapolated) == (1, False)


def test_hours_that_support_the_target() -> None:
    choice = choose_threshold(negative_curve(WORD, [peaks([0.9, 0.6], 4.0)], RULES), 1.0)
    assert choice.supported
    assert choice.statement == "2 alarms in 4.0 h: at most 1.57 per hour at 95 %"


def test_hours_too_few_for_the_target_are_said() -> None:
    choice = choose_threshold(negative_curve(WORD, [peaks([0.9, 0.6], 4.6)], RULES), 0.5)
    assert (choice.supported, choice.rate.alarms) == (False, 2)
    assert choice.statement == (
        "2 alarms in 4.6 h: at most 1.37 per hour at 95 %; "
        "these hours cannot support 0.5 per hour, which takes 6.0 h without an alarm"
    )


def test_rate_without_room_for_one_alarm_is_extrapolated_along_the_tail() -> None:
    """Alarms at rates that fall tenfold per 2 in logit: 0.1 per hour is found on that line."""
    hours = 4.0
    logits = [2.0 * math.log10(20.0 / (n - 0.3)) for n in range(1, 21)]
    negatives = [peaks([1 / (1 + math.exp(-x)) for x in logits], hours)]
    choice = choose_threshold(negative_curve(WORD, negatives, RULES), 0.1)
    expected = 2.0 * math.log10(20.0 / (0.1 * hours))
    got = math.log(choice.threshold / (1 - choice.threshold))
    assert got == pytest.approx(expected, rel=1e-3)
    assert choice.extrapolated and not choice.supported
    assert choice.statement == (
        "0 alarms in 4.0 h: at most 0.75 per hour at 95 %; these hours cannot support 0.1 per "
        "hour, which takes 30.0 h without an alarm; the threshold is extrapolated"
    )


def test_extrapolation_never_falls_below_the_highest_negative() -> None:
    """A lone high alarm above many low ones: the line alone would put the threshold below it."""
    negatives = [peaks([0.9999] + [0.02] * 40, 4.0)]
    choice = choose_threshold(negative_curve(WORD, negatives, RULES), 0.2)
    assert choice.threshold > np.float32(0.9999)
    assert choice.rate.alarms == 0


def test_saturated_scores_leave_no_threshold() -> None:
    choice = choose_threshold(negative_curve(WORD, [peaks([1.0] * 5, 4.0)], RULES), 0.5)
    assert not choice.supported and choice.rate.alarms == 5 and choice.threshold < 1.0
    assert choice.statement.endswith("no threshold keeps 0.5 per hour")


def test_a_detector_that_is_always_on_is_no_answer() -> None:
    """Four alarms are allowed and 0.001 gives one, but there the score is above all the time."""
    choice = choose_threshold(negative_curve(WORD, [peaks([0.9, 0.6], 4.0)], RULES), 1.0)
    assert 0.001 < choice.threshold <= np.float32(0.6)


def test_silent_negatives_give_a_threshold_all_the_same() -> None:
    choice = choose_threshold(negative_curve(WORD, [peaks([], 4.0, floor=0.0)], RULES), 0.5)
    assert 0.0 < choice.threshold < 1.0 and choice.rate.alarms == 0


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 6.0))
def test_operating_points_are_what_the_detector_does(seed: int, sharpness: float) -> None:
    rng = np.random.default_rng(seed)
    negatives = [track((rng.random(3_000) ** sharpness).astype(np.float32)) for _ in range(3)]
    positives = [
        track((rng.random(30) ** 0.5).astype(np.float32), [(0.5, 1.2)], str(i)) for i in range(12)
    ]
    targets = (20.0, 100.0, 400.0)
    points = calibrate(WORD, negatives, positives, RULES, "clean", targets)
    assert points.targets == targets
    for point in points.points:
        expected = brute_force(positives, negatives, point.threshold, RULES)
        assert (point.missed, point.alarms) == expected
        assert point.clips == 12 and point.condition == "clean"
        assert point.hours == pytest.approx(RULES.hours(negatives))


def test_operating_points_without_clips_state_no_miss_rate() -> None:
    points = calibrate(WORD, [peaks([0.9, 0.8, 0.7], 4.0)], [], RULES, "clean", (0.5, 1.0))
    assert [(p.frr, p.clips, p.condition) for p in points.points] == [(None, 0, "")] * 2


@pytest.mark.parametrize("target", [0.0, -1.0, math.nan, math.inf])
def test_impossible_targets_are_refused(target: float) -> None:
    with pytest.raises(EvaluationError, match="target"):
        choose_threshold(negative_curve(WORD, [peaks([0.5], 1.0)], RULES), target)
