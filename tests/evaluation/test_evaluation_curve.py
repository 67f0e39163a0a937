"""The sweep over thresholds is the detector at each of them, only faster."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from score_tracks import RULES, WORD, brute_force, scores, track, utterances

from wakeword.errors import EvaluationError
from wakeword.evaluation.curve import Curve, candidate_thresholds, measure, sweep
from wakeword.evaluation.events import EventRules, Track, detected_steps, match


@st.composite
def some_rules(draw: st.DrawFn) -> EventRules:
    refractory, tolerance = draw(st.floats(0.0, 1.5)), draw(st.floats(0.0, 1.0))
    return EventRules(16_000, 1_600, refractory, tolerance)


tracks_with_truth = st.builds(track, scores(), utterances())
negatives = st.lists(st.builds(track, scores()), min_size=1, max_size=3)


@given(st.lists(tracks_with_truth, max_size=3), negatives, some_rules())
def test_curve_is_brute_force_at_every_threshold(
    positives: list[Track], others: list[Track], rules: EventRules
) -> None:
    curve = measure(WORD, positives, others, rules)
    for i, threshold in enumerate(curve.thresholds):
        expected = brute_force(positives, others, float(threshold), rules)
        assert (curve.missed[i], curve.false_alarms[i]) == expected


@given(tracks_with_truth, negatives, some_rules(), st.floats(0.001, 0.999))
def test_nothing_changes_between_two_candidates(
    positive: Track, others: list[Track], rules: EventRules, threshold: float
) -> None:
    """The candidates are complete: any other threshold behaves as the next one above it."""
    curve = measure(WORD, [positive], others, rules)
    above = int(np.searchsorted(curve.thresholds, threshold))
    if above == len(curve.thresholds):  # higher than all scores, or than all but 1.0
        above -= 1
    expected = brute_force([positive], others, threshold, rules)
    assert (curve.missed[above], curve.false_alarms[above]) == expected


@given(tracks_with_truth, some_rules(), st.lists(st.floats(0.01, 0.99), min_size=1, unique=True))
def test_sweep_counts_extra_detections_as_false_alarms(
    positive: Track, rules: EventRules, values: list[float]
) -> None:
    thresholds = np.sort(np.array(values))
    truths = positive.truths(WORD)
    windows = [rules.steps_of(t) for t in truths]
    counts = sweep(positive.column(WORD), thresholds, rules.refractory_steps, windows)
    for i, threshold in enumerate(thresholds):
        found = match(detected_steps(positive, WORD, threshold, rules), truths, rules)
        assert counts.hits[i].tolist() == [hit is not None for hit in found.hit_steps]
        assert counts.false_alarms[i] == len(found.false_steps)
        inside = [any(first <= s < stop for first, stop in windows) for s in found.false_steps]
        assert counts.repeats[i] == sum(inside)


def test_hand_made_curve() -> None:
    """Peaks 0.9 and 0.6 in the negatives, 0.8 in one clip and 0.3 in the other."""
    negative = track([0.1, 0.9, 0.1, 0.1, 0.1, 0.1, 0.6, 0.1])
    clips = [track([0.0, 0.2, 0.8, 0.1], [(0.0, 0.3)]), track([0.0, 0.3, 0.0], [(0.0, 0.3)])]
    at = np.array([0.05, 0.2, 0.5, 0.7, 0.85, 0.95])
    curve = measure(WORD, clips, [negative], RULES, at)
    assert curve.false_alarms.tolist() == [1, 2, 2, 1, 1, 0]
    assert curve.missed.tolist() == [0, 0, 1, 1, 2, 2]
    assert curve.hours == pytest.approx(8 * 0.1 / 3600)
    assert curve.misses_at(2).value == 0.5
    assert curve.rate_at(3).alarms == 1


def test_a_score_that_never_falls_is_no_low_rate() -> None:
    """At 0.05 the score crosses once and stays above: few alarms, but not by deciding well."""
    curve = measure(WORD, [], [track([0.1, 0.9, 0.1, 0.1, 0.1, 0.1, 0.6, 0.1])], RULES)
    one_alarm = 1 / curve.hours
    index = curve.first_within(one_alarm)
    assert index is not None and curve.thresholds[index] == np.float32(0.9)
    assert curve.first_within(0.99 * one_alarm) == len(curve.thresholds) - 1


def test_no_threshold_silences_a_score_of_one() -> None:
    curve = measure(WORD, [], [track([0.0, 1.0, 0.0])], RULES)
    assert curve.first_within(1.0) is None


@given(st.lists(scores(30), min_size=1, max_size=3), st.integers(1, 12), st.integers(2, 6))
def test_thinned_candidates_keep_the_highest(
    tracks: list[NDArray[np.float32]], exact: int, coarse: int
) -> None:
    every = candidate_thresholds(tracks)
    few = candidate_thresholds(tracks, exact, coarse)
    assert len(few) <= exact + coarse
    assert set(few) <= set(every)
    assert few[-exact:].tolist() == every[-exact:].tolist()
    assert few[0] == every[0]


def test_a_frontier_has_no_point_that_another_beats() -> None:
    rng = np.random.default_rng(3)
    curve = measure(
        WORD,
        [track(rng.random(40) ** 2, [(1.0, 1.6)], str(i)) for i in range(30)],
        [track(rng.random(4_000) ** 4)],
        RULES,
    )
    points = curve.frontier(50)
    assert len(points) <= 50
    alarms = curve.false_alarms[points]
    assert (np.diff(curve.thresholds[points]) > 0).all() and alarms[-1] == 0
    for index in points:
        assert curve.first_within(curve.false_alarms[index:].max() / curve.hours) == index


def test_negatives_that_hold_the_word_do_not_count() -> None:
    holds = track([0.9] * 10, name="holds", unsure=[WORD])
    said = track([0.9] * 10, [(0.1, 0.5)])
    clean = track([0.1] * 10)
    curve: Curve = measure(WORD, [], [holds, said, clean], RULES)
    assert curve.hours == RULES.hours([clean]) and curve.false_alarms.max() == 1
    with pytest.raises(EvaluationError, match="no negative audio for 'low tone'"):
        measure(WORD, [], [holds, said], RULES)
