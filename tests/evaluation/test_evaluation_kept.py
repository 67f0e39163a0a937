"""The curve that a bundle keeps: held against the detector, at its points and between them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from score_tracks import RULES, WORD, brute_force, scores, track, utterances

from wakeword.errors import EvaluationError
from wakeword.evaluation.calibration import (
    calibrate,
    choose_threshold,
    negative_curve,
    with_curve,
)
from wakeword.evaluation.events import Track
from wakeword.runtime import MeasuredCurve, OperatingPoints
from wakeword.runtime.measured_curve import MAX_POINTS

TARGETS = (0.5, 20.0, 400.0)
Posteriors = NDArray[np.float32]


def measured(
    negatives: list[Track], positives: list[Track], targets: tuple[float, ...] = TARGETS
) -> MeasuredCurve:
    curve = calibrate(WORD, negatives, positives, RULES, "clean", targets).curve
    assert curve is not None
    return curve


def noise(seed: int, steps: int = 3_000) -> list[Track]:
    """Negatives whose scores have a tail, and few plateaus."""
    rng = np.random.default_rng(seed)
    return [track((rng.random(steps) ** 6.0).astype(np.float32)) for _ in range(3)]


def clips(seed: int, count: int = 12) -> list[Track]:
    """Clips of a word that some thresholds miss."""
    rng = np.random.default_rng(seed)
    return [
        track((rng.random(30) ** 0.5).astype(np.float32), [(0.5, 1.2)], str(i))
        for i in range(count)
    ]


@given(
    st.lists(scores(), min_size=1, max_size=3),
    st.lists(st.tuples(scores(), utterances()), max_size=3),
    st.lists(st.floats(0.0, 1.0, exclude_min=True, exclude_max=True, width=32), max_size=20),
)
def test_counts_are_the_detectors_at_the_points_and_bound_it_between(
    negative: list[Posteriors],
    positive: list[tuple[Posteriors, list[tuple[float, float]]]],
    others: list[float],
) -> None:
    negatives = [track(t) for t in negative if len(t)] or [track([0.5])]
    positives = [track(t, said) for t, said in positive if len(t)]
    curve = measured(negatives, positives)
    assert curve.hours == pytest.approx(RULES.hours(negatives))
    for at, threshold in enumerate(curve.thresholds):
        found = brute_force(positives, negatives, threshold, RULES)
        assert found == (curve.missed[at], curve.alarms[at])
    for threshold in others:
        bounds = curve.counts(threshold)
        if bounds is not None:
            missed, alarms = brute_force(positives, negatives, threshold, RULES)
            assert bounds.alarms_low <= alarms <= bounds.alarms_high
            assert bounds.missed_low <= missed <= bounds.missed_high


HEIGHTS = st.lists(st.floats(0.015625, 0.984375, width=32), min_size=1, max_size=60)


def peaks(heights: list[float]) -> Track:
    """An hour of quiet with isolated peaks, one alarm each."""
    posteriors = np.full(36_000, 0.001, np.float32)
    posteriors[50 : 50 + 50 * len(heights) : 50] = heights
    return track(posteriors)


@given(HEIGHTS, st.lists(st.floats(0.015625, 0.984375, width=32), max_size=60))
def test_a_target_leads_where_calibration_leads(alarms: list[float], heard: list[float]) -> None:
    """To the same threshold while alarms are few; with more, to one that keeps the target too."""
    negatives = [peaks(alarms)]
    positives = [track([0.0] * 7 + [h] + [0.0] * 9, [(0.5, 1.0)], str(h)) for h in heard]
    points = calibrate(WORD, negatives, positives, RULES, "clean", (0.1, 60.0))
    negative = negative_curve(WORD, negatives, RULES)
    for target in (0.3, 0.9, 1.0, 1.5, 7.2, 20.0):
        assert points.threshold(target) == choose_threshold(negative, target).threshold
    for target in (35.5, 59.0):
        chosen = points.threshold(target)
        assert chosen >= choose_threshold(negative, target).threshold
        assert brute_force([], negatives, chosen, RULES)[1] <= target


@given(st.integers(0, 2**32 - 1), st.lists(st.floats(1.0, 150.0), min_size=2, max_size=6))
def test_more_alarms_never_need_a_higher_threshold(seed: int, targets: list[float]) -> None:
    points = calibrate(WORD, noise(seed), clips(seed), RULES, "clean", (0.5, 7.0, 160.0))
    found = [points.threshold(target) for target in sorted(targets)]
    assert found == sorted(found, reverse=True)


def test_a_curve_is_bounded_and_goes_from_many_alarms_to_all_missed() -> None:
    curve = measured(noise(1, steps=40_000), clips(2, count=400))
    assert 60 <= len(curve.thresholds) <= MAX_POINTS
    assert curve.highest_rate >= 100.0 and curve.alarms[-1] == 0
    assert curve.missed[-1] == curve.clips == 400
    assert set(range(21)) <= set(curve.alarms)
    jumps = np.diff(curve.missed)
    assert jumps.max() < 60


def test_clips_of_a_word_may_be_none() -> None:
    curve = measured(noise(3), [])
    assert (curve.clips, curve.condition, set(curve.missed)) == (0, "", {0})


def test_silence_has_a_curve_of_no_alarms() -> None:
    curve = measured([track(np.zeros(1_000, np.float32))], [])
    assert set(curve.alarms) == {0} and curve.highest_rate == 0.0


def test_saturated_scores_have_a_curve_that_no_target_keeps() -> None:
    posteriors = np.full(36_000, 0.001, np.float32)
    posteriors[50:300:50] = 1.0
    points = calibrate(WORD, [track(posteriors)], [], RULES, "clean", (0.5, 2.0))
    assert points.curve is not None and set(points.curve.alarms) == {5}
    assert points.threshold(1.0) == points.at(0.5).threshold


def test_a_curve_that_is_added_later_is_the_same() -> None:
    whole = calibrate(WORD, noise(4), clips(4), RULES, "clean", TARGETS)
    bare = replace(whole, curve=None)
    assert with_curve(bare, noise(4), clips(4), RULES, "clean") == whole


@pytest.mark.parametrize("what", ["negatives", "positives", "condition", "fewer clips"])
def test_a_curve_of_other_audio_is_refused(what: str) -> None:
    bare = replace(
        calibrate(WORD, noise(4), clips(4), RULES, "clean", TARGETS), curve=None
    )
    negatives = noise(5 if what == "negatives" else 4)
    positives = clips(9 if what == "positives" else 4)[what == "fewer clips" :]
    condition = "babble" if what == "condition" else "clean"
    with pytest.raises(EvaluationError, match="other audio, or another seed"):
        with_curve(bare, negatives, positives, RULES, condition)


def test_targets_beyond_the_highest_are_answered_as_far_as_the_curve_goes() -> None:
    points = calibrate(WORD, noise(6), clips(6), RULES, "clean", (5.0, 20.0))
    assert points.curve is not None
    low, high = points.limits
    assert low == 5.0 and high == points.curve.highest_rate > 90.0
    assert points.threshold(high) < points.threshold(50.0) < points.threshold(20.0)
    assert math.isclose(points.threshold(high), points.curve.thresholds[0])
    bare = OperatingPoints(WORD, points.points)
    assert bare.limits == (5.0, 20.0)
