"""Pace: pauses where a word's level dips, and times that go on holding the word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from wakeword.data.pace import LONGEST_WORD_S, say, syllable_borders
from wakeword.data.scene_config import SceneConfig
from wakeword.errors import ConfigError

RATE = 16_000
STEADY = SceneConfig(speed=(1.0, 1.0), paced=0.0, syllabic=1.0, pause_s=(0.1, 0.1))
Samples = NDArray[np.float32]


def syllables(*lengths_s: float, gap_s: float = 0.03) -> Samples:
    """A word of tones of a fifth each, with short quiet gaps between them."""
    parts: list[Samples] = []
    for k, length_s in enumerate(lengths_s):
        t = np.arange(round(length_s * RATE)) / RATE
        parts += [np.sin(2 * np.pi * 300 * 1.5**k * t), np.zeros(round(gap_s * RATE))]
    return (0.3 * np.concatenate(parts[:-1])).astype(np.float32)


def in_a_room(word: Samples) -> tuple[Samples, int, int]:
    """One second of faint noise with the word in it at 0.5 s, and half a second after it."""
    rng = np.random.default_rng(0)
    clip = rng.normal(0, 3e-4, len(word) + RATE).astype(np.float32)
    clip[RATE // 2 : RATE // 2 + len(word)] += word
    return clip, RATE // 2, RATE // 2 + len(word)


def test_borders_are_where_the_level_dips() -> None:
    word = syllables(0.2, 0.15, 0.25)
    assert syllable_borders(word, RATE) / RATE == pytest.approx([0.215, 0.395], abs=0.02)
    assert len(syllable_borders(syllables(0.5), RATE)) == 0
    assert len(syllable_borders(word[:1000], RATE)) == 0


def test_pauses_are_put_between_syllables_and_nothing_else_changes() -> None:
    clip, start, end = in_a_room(syllables(0.2, 0.15, 0.25))
    lengths = set()
    for seed in range(40):
        out, first, last = say(clip, start, end, RATE, STEADY, np.random.default_rng(seed))
        pauses = last - first - (end - start)
        assert pauses in (0, RATE // 10, RATE // 5) and len(out) == len(clip) + pauses
        lengths.add(pauses)
        assert np.array_equal(out[:start], clip[:start]) and first == start
        assert np.array_equal(out[last + RATE // 20 :], clip[end + RATE // 20 :])
        assert np.abs(out).max() <= np.abs(clip).max()
        kept = float((out[first:last] ** 2).sum() / (clip[start:end] ** 2).sum())
        assert kept == pytest.approx(1.0, abs=0.05)
        # The room goes on in a pause: neither digital silence nor a part of the word.
        frames = out[first : first + (last - first) // 80 * 80].reshape(-1, 80)
        rms = np.sqrt((frames**2).mean(1))
        assert rms.min() > 1e-5 and (rms < 1e-3).sum() >= pauses // 80
    assert lengths == {0, RATE // 10, RATE // 5}


def levels_db(samples: Samples) -> NDArray[np.float64]:
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(np.float64)
    return 10.0 * np.log10((frames**2).mean(1) + 1e-12)


def test_stress_moves_levels_inside_the_word_and_nothing_else() -> None:
    clip, start, end = in_a_room(syllables(0.8))
    config = replace(STEADY, syllabic=0.0, stress_db=5.0)
    edge = RATE // 20
    changes = []
    for seed in range(60):
        out, first, last = say(clip, start, end, RATE, config, np.random.default_rng(seed))
        assert (first, last, len(out)) == (start, end, len(clip))
        assert np.array_equal(out[: start - edge], clip[: start - edge])
        assert np.array_equal(out[end + edge :], clip[end + edge :])
        change = levels_db(out[start:end]) - levels_db(clip[start:end])
        assert np.abs(np.diff(change)).max() < 2.0, "no step: a gain that goes evenly"
        changes.append(change[[2, -3]])
    apart = np.diff(np.array(changes), axis=1)
    assert np.std(apart) == pytest.approx(5.0 * np.sqrt(2.0), rel=0.25)
    assert abs(np.mean(apart)) < 3.0


def said_in_three(config: SceneConfig, seeds: int) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Three syllables of 0.2 s and gaps of 60 ms, said anew for each seed; all before them stays.

    The two borders between them and the length of the word, in samples, where two are found.
    """
    clip, start, end = in_a_room(syllables(0.2, 0.2, 0.2, gap_s=0.06))
    for seed in range(seeds):
        out, first, last = say(clip, start, end, RATE, config, np.random.default_rng(seed))
        near = slice(first - RATE // 40, last + RATE // 40)
        assert (out[near] ** 2).sum() > 0.98 * (out**2).sum()
        assert np.array_equal(out[: start - RATE // 20], clip[: start - RATE // 20])
        borders = syllable_borders(out[first:last], RATE)
        if len(borders) == 2:
            yield borders, last - first


def test_an_uneven_pace_moves_syllables_by_their_own_factor() -> None:
    config = replace(STEADY, syllabic=0.0, uneven=0.25)
    shares = [borders[0] / length for borders, length in said_in_three(config, 60)]
    assert len(shares) > 40 and np.std(shares) > 0.02
    assert np.mean(shares) == pytest.approx(0.32, abs=0.03)


def test_syllables_said_apart_are_drawn_out_each_by_its_own_factor() -> None:
    """The length of the first one against that of the last one varies."""
    shares = {}
    for drawn in (0.0, 0.35):
        config = replace(STEADY, syllabic=1.0, drawn=drawn, pause_s=(0.0, 0.0))
        found = [np.log(b[0] / (length - b[1])) for b, length in said_in_three(config, 80)]
        assert len(found) > 40
        shares[drawn] = np.std(found)
    # Of two syllables the difference of their logarithms; a border that is not cut lessens it.
    assert shares[0.0] < 0.1 and 0.2 < shares[0.35] < 0.35 * np.sqrt(2.0) + 0.05


@given(
    lengths_s=st.lists(st.floats(0.1, 0.5), min_size=1, max_size=4),
    seed=st.integers(0, 1000),
    share=st.sampled_from([0.0, 0.5, 1.0]),
    uneven=st.sampled_from([0.0, 0.25, 0.5]),
    drawn=st.sampled_from([0.0, 0.25, 0.5]),
)
@settings(deadline=None, max_examples=60)
def test_times_hold_the_word_and_a_window_holds_both(
    lengths_s: list[float], seed: int, share: float, uneven: float, drawn: float
) -> None:
    clip, start, end = in_a_room(syllables(*lengths_s))
    config = replace(SceneConfig(), syllabic=share, uneven=uneven, drawn=drawn)
    out, first, last = say(clip, start, end, RATE, config, np.random.default_rng(seed))
    assert 0 <= first < last <= len(out) and np.isfinite(out).all()
    assert last - first <= LONGEST_WORD_S * RATE + 2
    # Overlap-add takes 30 ms at a time as they are: where all is said thrice as slowly or as fast,
    # an edge of the word comes that much early or late.
    near = slice(max(0, first - RATE // 20), last + RATE // 20)
    assert (out[near] ** 2).sum() > 0.95 * (out**2).sum()


@pytest.mark.parametrize("pause_s", [(-0.1, 0.2), (0.3, 0.2), (0.0, 1.1), (0.0, float("nan"))])
def test_impossible_pauses_are_refused(pause_s: tuple[float, float]) -> None:
    with pytest.raises(ConfigError, match="pause_s"):
        SceneConfig(pause_s=pause_s)


@pytest.mark.parametrize("name", ["uneven", "drawn", "stress_db"])
@pytest.mark.parametrize("value", [-0.1, 13.0, float("nan")])
def test_impossible_variation_is_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"scenes\.{name} = "):
        SceneConfig(**{name: value})
