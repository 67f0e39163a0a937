"""Algorithm 1: against its lines read aloud, against symmetry, on scores made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wakeword.alignment.sequential import (
    CharacterTimes,
    Decay,
    align_characters,
    smooth_over_time,
)
from wakeword.errors import ConfigError

STEPS = 60


def peaks(at: dict[str, list[tuple[int, float]]], word: str) -> np.ndarray:
    """Occupancy (K, STEPS) of a word: Gaussian bumps of a letter at (step, height)."""
    t = np.arange(STEPS)
    tracks = {
        letter: sum(height * np.exp(-0.5 * ((t - step) / 1.5) ** 2) for step, height in bumps)
        for letter, bumps in at.items()
    }
    return np.stack([tracks[letter] for letter in word]).astype(np.float32)


def as_the_paper_says(p: list[list[float]], alpha: float, iterations: int) -> CharacterTimes:
    """The lines of Algorithm 1 one by one, characters counted from 1, without numpy's help."""
    big_k, times = len(p), range(len(p[0]))
    p_lr = {k: list(p[k - 1]) for k in range(1, big_k + 1)}
    p_rl = {k: list(p[k - 1]) for k in range(1, big_k + 1)}

    def argmax(track: list[float]) -> int:
        return max(times, key=lambda t: (track[t], -t))

    for _ in range(iterations):
        for k in range(0, big_k - 2 + 1):
            latest = argmax(p_rl[big_k - k])
            for t in times:
                if t >= latest:
                    p_rl[big_k - k - 1][t] *= alpha
        for k in range(big_k - 1, 1 - 1, -1):
            earliest = argmax(p_lr[big_k - k])
            for t in times:
                if t <= earliest:
                    p_lr[big_k - k + 1][t] *= alpha
    return CharacterTimes(
        np.array([argmax(p_lr[k]) for k in range(1, big_k + 1)]),
        np.array([argmax(p_rl[k]) for k in range(1, big_k + 1)]),
    )


scores = st.tuples(st.integers(1, 6), st.integers(1, 12)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.floats(0, 1, width=16), unique=False)
)


@given(scores, st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_it_is_what_the_paper_prints(p: np.ndarray, alpha: float, iterations: int) -> None:
    found = align_characters(p, Decay(alpha, iterations))
    expected = as_the_paper_says(p.astype(np.float64).tolist(), alpha, iterations)
    assert found.left_to_right.tolist() == expected.left_to_right.tolist()
    assert found.right_to_left.tolist() == expected.right_to_left.tolist()


@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_backwards_in_time_the_directions_change_places(
    seed: int, characters: int, iterations: int
) -> None:
    p = np.random.default_rng(seed).random((characters, 25)).astype(np.float32)
    decay = Decay(0.5, iterations)
    found, mirrored = align_characters(p, decay), align_characters(p[::-1, ::-1], decay)
    assert (24 - mirrored.right_to_left[::-1]).tolist() == found.left_to_right.tolist()
    assert (24 - mirrored.span[1], 24 - mirrored.span[0]) == found.span


def test_letters_in_their_order_are_found_where_they_are() -> None:
    p = peaks({"j": [(5, 1.0)], "a": [(9, 0.5)], "r": [(14, 0.9)], "v": [(30, 0.2)]}, "jarv")
    found = align_characters(p, Decay(0.5, 5))
    assert found.left_to_right.tolist() == found.right_to_left.tolist() == [5, 9, 14, 30]
    assert found.span == (5, 30)


def test_a_letter_that_is_said_twice_is_found_at_both_places() -> None:
    """Both places of 'a' begin with the same scores; order alone tells them apart."""
    at = {"a": [(10, 0.6), (40, 0.9)], "l": [(17, 0.8)], "e": [(24, 0.8)], "x": [(31, 0.8)]}
    p = peaks(at, "alexa")
    assert p[0].argmax() == p[4].argmax() == 40
    found = align_characters(p, Decay(0.5, 10))
    assert found.right_to_left.tolist() == [10, 17, 24, 31, 40]
    assert found.span == (10, 40)


def test_without_decay_each_letter_is_where_it_is_loudest() -> None:
    p = peaks({"a": [(40, 0.9), (10, 0.6)], "b": [(20, 0.8)]}, "ab")
    found = align_characters(p, Decay(1.0, 50))
    assert found.left_to_right.tolist() == found.right_to_left.tolist() == [40, 20]


def test_many_gentle_decays_forgive_one_wrong_letter_that_a_hard_one_does_not() -> None:
    """A stray, slightly louder 'a' before the word: hard decisions from the left drag all along."""
    at = {"c": [(20, 1.0)], "a": [(2, 0.5), (26, 0.45)], "t": [(32, 1.0)]}
    p = peaks(at, "cat")
    assert align_characters(p, Decay(0.5, 20)).span == (20, 32)
    assert align_characters(p, Decay(0.0, 1)).span[0] < 2


def test_one_character_and_one_moment() -> None:
    assert align_characters(np.array([[0.1, 0.7, 0.2]], np.float32), Decay()).span == (1, 1)
    assert align_characters(np.ones((3, 1), np.float32), Decay(0.0, 1)).span == (0, 0)


@pytest.mark.parametrize(
    "p",
    [np.zeros((0, 5)), np.zeros((5, 0)), np.zeros(5), np.full((2, 3), np.nan), -np.ones((2, 3))],
    ids=["no character", "no time", "one axis", "not a number", "below 0"],
)
def test_what_is_no_occupancy_is_refused(p: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="occupancy must"):
        align_characters(p.astype(np.float32), Decay())


@pytest.mark.parametrize(("rate", "iterations"), [(-0.1, 1), (1.1, 1), (np.nan, 1), (0.5, 0)])
def test_impossible_decays_are_refused(rate: float, iterations: int) -> None:
    with pytest.raises(ConfigError, match=r"decay\.\w+ = "):
        Decay(rate, iterations)


@given(arrays(np.float32, (40, 3), elements=st.floats(0, 1, width=16)), st.sampled_from([1, 3, 9]))
@settings(max_examples=40, deadline=None)
def test_smoothing_is_a_convolution_with_a_hann_window(p: np.ndarray, steps: int) -> None:
    kernel = np.sin(np.pi * np.arange(1, steps + 1) / (steps + 1)) ** 2
    expected = [np.convolve(p[:, i], kernel / kernel.sum(), "same") for i in range(3)]
    found = smooth_over_time(p, steps)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.T, expected, atol=1e-6)


def test_smoothing_over_more_than_there_is() -> None:
    one = smooth_over_time(np.ones((1, 2), np.float32), 5)
    assert one.shape == (1, 2) and np.all((one > 0) & (one < 1))
    for steps in (0, 4, -1):
        with pytest.raises(ConfigError, match="odd and at least 1"):
            smooth_over_time(np.ones((3, 2), np.float32), steps)
