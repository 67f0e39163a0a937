"""Two utterances joined at the same sound: the path against closed forms and librosa."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from wakeword.audio.resample import MODEL_RATE as RATE
from wakeword.data.splice import splice, warping_path

HZ = (400.0, 900.0, 2000.0)


def word(*lengths_s: float, level: float = 0.2, rate: int = RATE) -> NDArray[np.float32]:
    """Three sounds, a tone each, of these lengths, in faint noise."""
    tones = [
        np.sin(2 * np.pi * hz / rate * np.arange(round(seconds * rate)))
        for hz, seconds in zip(HZ, lengths_s, strict=True)
    ]
    joined = np.concatenate(tones)
    noise = np.random.default_rng(0).standard_normal(len(joined))
    return (level * (joined + 0.01 * noise)).astype(np.float32)


def seconds_of(samples: NDArray[np.float32], hz: float, rate: int = RATE) -> float:
    """How long a tone is the loudest of the three."""
    frames = samples[: len(samples) // 80 * 80].reshape(-1, 80)
    t = np.arange(80) / rate
    power = [np.abs(frames @ np.exp(-2j * np.pi * f * t)) ** 2 for f in HZ]
    return float((np.argmax(power, 0) == HZ.index(hz)).sum() * 80 / rate)


@given(n=st.integers(1, 12), m=st.integers(1, 12), seed=st.integers(0, 500))
@settings(deadline=None, max_examples=60)
def test_the_path_costs_as_little_as_librosas(n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(n, 3)), rng.normal(size=(m, 3))
    path = warping_path(first, second)
    steps = np.diff(path, axis=0)
    assert path[0].tolist() == [0, 0] and path[-1].tolist() == [n - 1, m - 1]
    assert ((steps >= 0) & (steps <= 1)).all() and (steps.sum(1) >= 1).all()
    distance = cdist(first, second)
    expected = librosa.sequence.dtw(C=distance)[0][-1, -1]
    assert distance[tuple(path.T)].sum() == pytest.approx(expected)


def test_the_same_sounds_at_another_pace_are_found() -> None:
    first = np.repeat(np.eye(3), [4, 6, 5], axis=0)
    second = np.repeat(np.eye(3), [7, 2, 6], axis=0)
    for i, j in warping_path(first, second):
        assert first[i].argmax() == second[j].argmax()


@pytest.mark.parametrize("rate", [RATE, 8000])
@pytest.mark.parametrize("at", [0.15, 0.5, 0.85])
def test_no_sound_is_lost_or_said_twice(at: float, rate: int) -> None:
    """Cut inside the first, the second or the third: each sound is as long as in one of them."""
    lengths = (0.3, 0.24, 0.28), (0.2, 0.4, 0.2)
    one, two = (word(*seconds, rate=rate) for seconds in lengths)
    said = splice(one, two, rate, at)
    cut = int(np.searchsorted(np.cumsum(lengths[0]) / sum(lengths[0]), at))
    for k, hz in enumerate(HZ):
        found = seconds_of(said, hz, rate)
        if k < cut:
            assert found == pytest.approx(lengths[0][k], abs=0.045)
        elif k > cut:
            assert found == pytest.approx(lengths[1][k], abs=0.045)
        else:
            assert min(a[k] for a in lengths) - 0.045 < found < 0.04 + sum(a[k] for a in lengths)


def test_the_second_is_as_loud_as_the_first_and_joined_without_a_click() -> None:
    one, two = word(0.3, 0.3, 0.3), word(0.3, 0.3, 0.3, level=0.01)
    said = splice(one, two, RATE, 0.5)
    assert np.array_equal(said[: RATE // 3], one[: RATE // 3])
    assert np.std(said[-2000:]) == pytest.approx(np.std(one[-2000:]), rel=0.05)
    assert np.abs(np.diff(said)).max() < 1.5 * np.abs(np.diff(one)).max()
    assert said.dtype == np.float32


def test_what_is_too_short_or_silent_is_left_or_joined_in_peace() -> None:
    one, short = word(0.2, 0.2, 0.2), word(0.02, 0.02, 0.02)
    assert splice(one, short, RATE, 0.5) is one and splice(short, one, RATE, 0.5) is short
    for pair in ((one, np.zeros(RATE, np.float32)), (np.zeros(RATE, np.float32), one)):
        assert np.isfinite(splice(*pair, RATE, 0.5)).all()
