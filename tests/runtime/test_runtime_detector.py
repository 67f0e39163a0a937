"""The detector against a plain reading of its rule, the smoother against a plain mean."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from wakeword.errors import ConfigError
from wakeword.runtime import Detection, Detector, DetectorConfig, Smoother, SmootherConfig
from wakeword.runtime.detector import Crossing, refractory_steps

LEVELS = st.sampled_from([0.0, 0.2, 0.4999, 0.5, 0.8, 1.0])
TRACKS = hnp.arrays(np.float32, st.tuples(st.integers(0, 60), st.just(2)), elements=LEVELS)
CUTS = st.lists(st.integers(0, 60), max_size=6)


def plain_rule(
    track: NDArray[np.float32], threshold: float, refractory: int
) -> list[tuple[int, float]]:
    """The rule as docs/architecture.md says it, one step after the other."""
    events: list[tuple[int, float]] = []
    for step, value in enumerate(track.tolist()):
        crossed = value >= threshold and (step == 0 or track[step - 1] < threshold)
        if crossed and (not events or step - events[-1][0] >= refractory):
            events.append((step, value))
    return events


def pieces(array: NDArray[np.float32], cuts: list[int]) -> list[NDArray[np.float32]]:
    return np.split(array, sorted(c for c in cuts if c <= len(array)))


@given(TRACKS, st.integers(0, 12), CUTS)
@settings(deadline=None, max_examples=300)
def test_detections_follow_the_rule_however_the_track_is_cut(
    track: NDArray[np.float32], refractory: int, cuts: list[int]
) -> None:
    detector = Detector([0.5, 0.8], refractory)
    state, found = detector.initial_state(), list[Crossing]()
    for piece in pieces(track, cuts):
        crossings, state = detector.process(piece, state)
        found += crossings
    assert state.steps == len(track)
    for word, threshold in enumerate([0.5, np.float64(0.8)]):
        expected = plain_rule(track[:, word].astype(np.float64), threshold, refractory)
        assert [(c.step, c.score) for c in found if c.word == word] == expected
    assert [c.step for c in found] == sorted(c.step for c in found)


@pytest.mark.parametrize(
    ("track", "steps"),
    [
        ([0.9, 0.9, 0.9, 0.9, 0.9, 0.9], [0]),  # in the first step; staying above is one event
        ([0.0, 0.5], [1]),  # exactly at the threshold counts
        ([0.9, 0.0, 0.9, 0.0, 0.9, 0.0], [0, 4]),  # the crossing at 2 is the same utterance
        ([0.9, 0.0, 0.0, 0.9, 0.9, 0.9], [0]),  # above when the refractory period ends: no event
        ([0.0, 0.0, 0.0], []),
        ([], []),
    ],
)
def test_examples_with_a_refractory_period_of_four_steps(
    track: list[float], steps: list[int]
) -> None:
    detector = Detector([0.5], 4)
    found, _ = detector.process(np.array(track, np.float32)[:, None], detector.initial_state())
    assert [c.step for c in found] == steps


def test_a_state_is_a_value_and_not_changed() -> None:
    detector = Detector([0.5], 2)
    state = detector.initial_state()
    track = np.array([[0.9], [0.0], [0.9]], np.float32)
    assert detector.process(track, state)[0] == detector.process(track, state)[0]
    assert not state.above.any() and state.steps == 0


def test_words_do_not_share_the_refractory_period() -> None:
    detector = Detector([0.5, 0.5], 10)
    track = np.array([[0.9, 0], [0, 0.9]], np.float32)
    found, _ = detector.process(track, detector.initial_state())
    assert [(c.step, c.word) for c in found] == [(0, 0), (1, 1)]


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.1, 1.1, float("nan"), float("inf")])
def test_thresholds_outside_0_1_are_refused(threshold: float) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        Detector([threshold], 10)


def test_other_bad_values_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 0"):
        Detector([0.5], -1)
    detector = Detector([0.5], 1)
    with pytest.raises(ConfigError, match=r"\(steps, 1\), not \(3, 2\)"):
        detector.process(np.zeros((3, 2), np.float32), detector.initial_state())


@pytest.mark.parametrize(
    ("seconds", "step", "steps"), [(1.0, 1600, 10), (1.0, 1500, 11), (0.0, 1600, 0), (0.3, 1600, 3)]
)
def test_the_refractory_period_in_steps(seconds: float, step: int, steps: int) -> None:
    assert refractory_steps(DetectorConfig(seconds), step, 16_000) == steps


def test_seconds_of_a_detection() -> None:
    detection = Detection("alexa", 0.9, 0.5, 8_000, 32_000, 16_000, "seven")
    assert (detection.start_s, detection.end_s) == (0.5, 2.0)


@given(TRACKS, st.integers(1, 9), CUTS)
@settings(deadline=None)
def test_the_smoother_is_the_mean_of_the_last_steps_however_cut(
    track: NDArray[np.float32], steps: int, cuts: list[int]
) -> None:
    smoother = Smoother(SmootherConfig(steps=steps))
    state, parts = smoother.initial_state(1, 2), [np.zeros((0, 2), np.float32)]
    for piece in pieces(track, cuts):
        smoothed, state = smoother.process(piece[None], state)
        parts.append(smoothed[0])
    padded = np.concatenate([np.zeros((steps - 1, 2)), track])
    expected = [padded[i : i + steps].mean(axis=0) for i in range(len(track))]
    np.testing.assert_allclose(
        np.concatenate(parts), np.reshape(expected, (-1, 2)), rtol=1e-6, atol=1e-7
    )
    whole, _ = smoother.process(track[None], smoother.initial_state(1, 2))
    assert np.array_equal(np.concatenate(parts), whole[0]), "cutting changes no bit"


def test_the_smoother_keeps_streams_apart() -> None:
    smoother = Smoother(SmootherConfig(steps=3))
    tracks = np.random.default_rng(0).random((4, 7, 2), np.float32)
    together, _ = smoother.process(tracks, smoother.initial_state(4, 2))
    for track, smoothed in zip(tracks, together, strict=True):
        alone, _ = smoother.process(track[None], smoother.initial_state(1, 2))
        assert np.array_equal(alone[0], smoothed)


@given(st.integers(0, 10_000), st.integers(1, 5))
def test_skipping_is_processing_steps_below_the_lowest_threshold(seed: int, steps: int) -> None:
    """Whatever came before, and whatever comes after."""
    rng = np.random.default_rng(seed)
    detector = Detector([0.5, 0.8], 3)
    before, after = rng.random((2, 6, 2)).astype(np.float32)
    quiet = (0.4999 * rng.random((steps, 2))).astype(np.float32)
    assert quiet.max() < detector.lowest == 0.5
    _, state = detector.process(before, detector.initial_state())
    crossings, processed = detector.process(quiet, state)
    skipped = detector.skip(steps, state)
    assert crossings == [] and skipped.steps == processed.steps
    np.testing.assert_array_equal(skipped.above, processed.above)
    np.testing.assert_array_equal(skipped.last, processed.last)
    assert detector.process(after, skipped)[0] == detector.process(after, processed)[0]
