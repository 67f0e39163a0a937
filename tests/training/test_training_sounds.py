"""Clusters of sounds: ten copies of one are one, three others are three, whatever the order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakeword.errors import ConfigError
from wakeword.evaluation.peaks import find_peaks
from wakeword.frontend import Frontend, FrontendConfig
from wakeword.training.hard_negatives.found import Choice, Peak, choose
from wakeword.training.hard_negatives.sounds import BANDS, CELLS, Clusters, describe

RATE = 16_000


def window(samples: np.ndarray, frames: int = 151) -> np.ndarray:
    front = Frontend(FrontendConfig())
    features, _ = front.process(samples[None].astype(np.float32), front.initial_state())
    return np.asarray(features[0, -frames:])


def sound(kind: str, delay_s: float = 0.0, gain: float = 1.0, seed: int = 0) -> np.ndarray:
    """Description of a click, a chirp, a buzz or a voice-like stretch in faint noise."""
    t = np.arange(3 * RATE) / RATE
    tone = {
        "tick": np.sin(2 * np.pi * 3000 * t) * (np.abs(t - 2.3) < 0.02),
        "chirp": np.sin(2 * np.pi * (300 + 900 * (t - 1.8)) * t) * (np.abs(t - 2.2) < 0.4),
        "buzz": np.sign(np.sin(2 * np.pi * 120 * t)) * (np.abs(t - 2.0) < 0.25),
        "steps": np.sin(2 * np.pi * np.where(t < 2.2, 600, 1700) * t) * (np.abs(t - 2.2) < 0.3),
    }[kind]
    noise = np.random.default_rng(seed).standard_normal(len(t))
    heard = np.roll(tone, round(delay_s * RATE)) + 1e-3 * noise
    return describe(window(0.3 * gain * heard))


KINDS = ("tick", "chirp", "buzz", "steps")
COPIES = [
    sound("tick", delay, gain, seed)
    for seed, (delay, gain) in enumerate(
        (d, g) for d in (-0.08, -0.04, 0.0, 0.05, 0.09) for g in (1.0, 0.1)
    )
]
OTHERS = [sound(kind, seed=i) for i, kind in enumerate(KINDS[1:])]


def peak(score: float, of: np.ndarray, path: str = "a.wav", end: int = 0) -> Peak:
    return Peak(Path(path), "alpha", score, end, of)


@given(st.permutations(range(13)))
def test_ten_copies_of_one_sound_and_three_others_are_four_clusters(order: list[int]) -> None:
    sounds = [*COPIES, *OTHERS]
    clusters = Clusters()
    numbers = {i: clusters.add(sounds[i]) for i in order}
    assert sorted(clusters.sizes) == [1, 1, 1, 10]
    assert len({numbers[i] for i in range(10)}) == 1


def test_a_sound_that_is_louder_is_the_same_sound() -> None:
    clusters = Clusters()
    assert [clusters.add(sound("chirp", gain=g)) for g in (0.02, 0.2, 2.0)] == [0, 0, 0]


def test_many_leaders_are_kept() -> None:
    rng = np.random.default_rng(1)
    clusters = Clusters()
    sounds = [rng.integers(-90, 90, CELLS * BANDS).astype(np.int8) for _ in range(300)]
    assert [clusters.add(s) for s in sounds] == [*range(300)]
    assert [clusters.add(s) for s in reversed(sounds)] == [*reversed(range(300))]


def test_descriptions_of_nothing_and_of_short_windows_are_defined() -> None:
    silent = describe(np.zeros((151, 40), np.float32))
    assert silent.shape == (CELLS * BANDS,) and not silent.any()
    short = describe(np.random.default_rng(1).random((7, 13), np.float32))
    assert short.shape == (CELLS * BANDS,)
    clusters = Clusters()
    assert [clusters.add(silent), clusters.add(silent)] == [0, 1], "silence is like nothing"


def test_a_description_is_the_grid_of_averages() -> None:
    features = np.repeat(np.repeat(np.arange(6.0).reshape(3, 2), 50, 0), 20, 1)
    grid = describe(features.astype(np.float32)).reshape(CELLS, BANDS)
    cells = np.repeat(np.repeat(np.arange(6.0).reshape(3, 2), 5, 0), 10, 1)
    for border in (5, 10):  # each cell is half itself and a quarter each of those beside it
        below, above = cells[border - 1].copy(), cells[border].copy()
        cells[border - 1], cells[border] = 0.75 * below + 0.25 * above, 0.75 * above + 0.25 * below
    standard = (cells - cells.mean()) / cells.std()
    assert grid == pytest.approx(32.0 * standard, abs=0.51)


def test_one_ticking_clock_does_not_fill_the_list() -> None:
    ticks = [peak(0.9 - 0.01 * i, s, end=RATE * i) for i, s in enumerate(COPIES)]
    others = [peak(0.3 + 0.1 * i, s, "b.wav", RATE * i) for i, s in enumerate(OTHERS)]
    kept, clusters = choose([*others, *ticks], RATE, Choice(per_cluster=2))
    assert clusters == 4
    assert [round(c.peak.score, 2) for c in kept] == [0.9, 0.89, 0.5, 0.4, 0.3]
    assert [c.cluster_size for c in kept] == [10, 10, 1, 1, 1]
    assert choose(reversed([*others, *ticks]), RATE, Choice(per_cluster=2))[0] == kept


def test_bounds_of_the_choice() -> None:
    peaks = [peak(0.9 - 0.1 * i, s, f"{i % 2}.wav", RATE * i) for i, s in enumerate(OTHERS)]
    scores = [0.9, 0.8, 0.7]
    for choice, wanted in (
        (Choice(), scores),
        (Choice(most=2), scores[:2]),
        (Choice(per_recording=1), scores[:2]),
        (Choice(least_score=0.75), scores[:2]),
        (Choice(least_score=0.95), []),
    ):
        assert [c.peak.score for c in choose(peaks, RATE, choice)[0]] == pytest.approx(wanted)


def test_a_mistake_that_a_border_divides_is_one() -> None:
    pair = [peak(0.8, OTHERS[0], end=RATE), peak(0.9, OTHERS[1], end=round(1.5 * RATE))]
    kept, clusters = choose(pair, RATE, Choice())
    assert [c.peak.score for c in kept] == [0.9] and clusters == 1
    apart = [pair[0], peak(0.9, OTHERS[1], "b.wav", round(1.5 * RATE))]
    assert len(choose(apart, RATE, Choice())[0]) == 2


@pytest.mark.parametrize(
    "wrong", [{"most": 0}, {"per_cluster": 0}, {"per_recording": -1}, {"least_score": 0.001},
              {"least_score": 1.5}, {"least_score": float("nan")}],
)  # fmt: skip
def test_impossible_choices_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Choice(**wrong)


def test_peaks_by_hand() -> None:
    scores = np.array([0.1, 0.5, 0.4, 0.9, 0.2, 0.9, 0.0, 0.3], np.float32)
    assert [at for at, _ in find_peaks(scores, 1, 9, 0.3)] == [3, 5, 1, 7]
    assert [at for at, _ in find_peaks(scores, 2, 9, 0.1)] == [3, 7, 0]
    assert find_peaks(scores, 1, 2, 0.3)[1] == (5, pytest.approx(0.9))
    assert find_peaks(scores, 1, 9, 0.95) == [] == find_peaks(scores[:0], 1, 9, 0.0)
