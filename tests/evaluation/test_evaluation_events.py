"""Events against the truth: what is a hit, what is a false alarm, what is scored time."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_tracks import RULES, WORD, scores, track, utterances

from wakeword.errors import EvaluationError
from wakeword.evaluation.events import EventRules, Label, Track, Truth, detected_steps, match


def test_steps_of_an_utterance_are_those_that_end_in_it() -> None:
    """Step i ends at (i + 1) * 0.1 s; the tolerance is 0.5 s."""
    assert RULES.steps_of(Truth(WORD, 0.25, 0.5)) == (2, 10)
    assert RULES.steps_of(Truth(WORD, 0.0, 0.05)) == (0, 5)
    # A step that ends exactly where the word begins heard nothing of it.
    assert RULES.steps_of(Truth(WORD, 0.3, 0.5))[0] == 3


@given(st.floats(0.0, 20.0), st.floats(0.01, 2.0), st.floats(0.0, 1.5))
def test_steps_of_an_utterance_by_their_definition(
    start_s: float, length_s: float, tolerance_s: float
) -> None:
    rules = EventRules(16_000, 1_600, 1.0, tolerance_s)
    first, stop = rules.steps_of(Truth(WORD, start_s, start_s + length_s))
    start = round(start_s * 16_000)
    end = round((start_s + length_s + tolerance_s) * 16_000)
    inside = [i for i in range(300) if start < (i + 1) * 1_600 <= end]
    assert inside == list(range(first, stop))


@pytest.mark.parametrize(
    ("detected", "hits", "false"),
    [
        ([], (None, None), ()),
        ([3], (3, None), ()),
        ([3, 6], (3, None), (6,)),
        ([1, 3], (3, None), (1,)),
        ([4, 31], (4, 31), ()),
        ([20], (None, None), (20,)),
    ],
)
def test_each_detection_is_a_hit_or_a_false_alarm(
    detected: list[int], hits: tuple[int | None, ...], false: tuple[int, ...]
) -> None:
    said = [Truth(WORD, 0.25, 0.5), Truth(WORD, 3.0, 3.5)]
    found = match(detected, said, RULES)
    assert (found.hit_steps, found.false_steps) == (hits, false)


def test_detections_of_overlapping_utterances_are_shared_out_in_order() -> None:
    said = [Truth(WORD, 0.0, 0.6), Truth(WORD, 0.7, 1.3)]
    assert match([8, 12], said, RULES).hit_steps == (8, 12)
    assert match([12], said, RULES).hit_steps == (None, 12)


@given(scores(), utterances(), st.floats(0.01, 0.99))
def test_every_detection_is_counted_once(
    values: np.ndarray, said: list[tuple[float, float]], threshold: float
) -> None:
    found_in = track(values, said)
    steps = detected_steps(found_in, WORD, threshold, RULES)
    found = match(steps, found_in.truths(WORD), RULES)
    hits = [step for step in found.hit_steps if step is not None]
    assert sorted([*hits, *found.false_steps]) == list(steps)
    assert all(b - a >= RULES.refractory_steps for a, b in pairwise(steps))


def test_refractory_period_is_rounded_up_to_steps() -> None:
    assert EventRules(16_000, 1_600, 0.4, 0.5).refractory_steps == 4
    assert EventRules(16_000, 1_600, 0.41, 0.5).refractory_steps == 5
    assert EventRules(16_000, 1_600, 0.0, 0.5).refractory_steps == 0


def test_hours_are_scored_steps() -> None:
    label = Label("a")
    inside = Track(label, (WORD,), np.zeros((18_005, 1), np.float32), 18_000)
    assert RULES.hours([inside, inside]) == pytest.approx(1.0)


@pytest.mark.parametrize("times", [(1.0, 1.0), (2.0, 1.0), (-0.1, 1.0), (0.0, math.nan)])
def test_an_utterance_needs_an_interval(times: tuple[float, float]) -> None:
    with pytest.raises(EvaluationError, match="not an interval"):
        Truth(WORD, *times)
