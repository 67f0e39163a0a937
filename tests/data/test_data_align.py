"""Energy alignment: words of noise at known times, and hand-made times of real recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_corpus import RATE, Samples, burst, faint

from wakeword.audio.files import read_audio
from wakeword.data.align import AlignConfig, WordTimes, align_word, level_db
from wakeword.data.manifest import read_manifest
from wakeword.errors import ConfigError

NEAR_S = 0.03


def found(samples: Samples, config: AlignConfig | None = None) -> WordTimes:
    times = align_word(samples, RATE, config or AlignConfig())
    assert times is not None
    return times


@given(
    start=st.floats(0.05, 1.0),
    length=st.floats(0.25, 1.1),
    gain=st.floats(0.05, 8.0),
    seed=st.integers(0, 100),
)
@settings(max_examples=40, deadline=None)
def test_a_word_is_found_where_it_is(start: float, length: float, gain: float, seed: int) -> None:
    clip = np.float32(gain) * burst(2.4, start, start + length, seed=seed)
    times = found(faint(clip, seed=seed))
    assert times.start_s == pytest.approx(start, abs=NEAR_S)
    assert times.end_s == pytest.approx(start + length, abs=NEAR_S)
    assert times.seconds == times.end_s - times.start_s
    assert times.contrast_db > 20.0


def test_contrast_is_the_level_of_the_word_above_the_room() -> None:
    loud = found(faint(burst(2.0, 0.5, 1.0)))
    soft = found(faint(burst(2.0, 0.5, 1.0) / np.float32(10.0)))
    assert loud.contrast_db - soft.contrast_db == pytest.approx(20.0, abs=0.5)


def test_a_word_at_either_end_of_its_clip_is_found() -> None:
    for start, end in ((0.0, 0.4), (1.2, 1.6)):
        times = found(faint(burst(1.6, start, end)))
        assert times.start_s == pytest.approx(start, abs=NEAR_S)
        assert times.end_s == pytest.approx(end, abs=NEAR_S)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(2 * RATE, np.float32),
        faint(np.zeros(2 * RATE, np.float32)),
        np.zeros(0, np.float32),
        np.ones(3, np.float32),
        burst(0.09, 0.0, 0.09),
        np.full(RATE, np.nan, np.float32),
    ],
    ids=["digital silence", "room", "nothing", "3 samples", "90 ms", "not a number"],
)
def test_where_there_is_no_word_there_are_no_times(samples: Samples) -> None:
    assert align_word(samples, RATE) is None


def test_the_gap_of_a_plosive_is_part_of_the_word() -> None:
    times = found(faint(burst(2.0, 0.5, 0.75) + burst(2.0, 0.9, 1.2, seed=1)))
    assert (times.start_s, times.end_s) == pytest.approx((0.5, 1.2), abs=NEAR_S)
    apart = found(
        faint(burst(2.0, 0.5, 0.75) + burst(2.0, 0.9, 1.2, seed=1)), AlignConfig(bridge_s=0.05)
    )
    assert (apart.start_s, apart.end_s) == pytest.approx((0.9, 1.2), abs=NEAR_S)


def test_of_two_sounds_the_word_is_the_longer_not_the_louder() -> None:
    """A door or a cough before or after is shorter than a word."""
    word, knock = burst(3.0, 1.2, 1.8), 3.0 * burst(3.0, 0.3, 0.36, seed=2)
    for clip in (word + knock, (word + knock)[::-1]):
        times = found(faint(clip.astype(np.float32)))
        assert times.seconds == pytest.approx(0.6, abs=2 * NEAR_S)


def test_of_two_sounds_of_one_length_the_word_is_the_louder() -> None:
    clip = burst(3.0, 0.3, 0.8) / np.float32(5.0) + burst(3.0, 1.6, 2.1, seed=1)
    assert found(faint(clip)).start_s == pytest.approx(1.6, abs=NEAR_S)


def test_what_is_too_long_for_a_word_is_cut_to_its_loudest_part() -> None:
    clip = burst(5.0, 1.0, 3.5) / np.float32(4.0)
    clip[2 * RATE : 3 * RATE] *= 4.0
    times = found(faint(clip))
    assert times.seconds == pytest.approx(AlignConfig().max_word_s)
    assert times.start_s <= 2.02 and times.end_s >= 2.98


def test_soft_ends_of_a_word_belong_to_it() -> None:
    """A sound 30 dB below the word's peak, joined to it, is its beginning."""
    clip = burst(2.0, 0.8, 1.3) + burst(2.0, 0.72, 0.8, seed=1) * np.float32(10 ** (-30 / 20))
    assert found(faint(clip, 1e-5)).start_s == pytest.approx(0.72, abs=NEAR_S)


def test_hum_below_and_hiss_above_speech_are_not_heard() -> None:
    seconds = np.arange(2 * RATE) / RATE
    hum = (0.3 * np.sin(2 * np.pi * 50.0 * seconds)).astype(np.float32)
    times = found(faint(burst(2.0, 0.5, 1.0, hz=900.0) + hum))
    assert (times.start_s, times.end_s) == pytest.approx((0.5, 1.0), abs=NEAR_S)


def test_levels_are_those_of_the_frames_in_decibel() -> None:
    tone = burst(1.0, 0.0, 1.0, hz=1000.0)
    level = level_db(tone, RATE)
    assert level.shape == (100,) and level.dtype == np.float32
    # A tone of amplitude a has |X|^2 = (a sum(w) / 2)^2 in its bin, spread over three by Hann.
    window = np.hanning(480)
    spread = 10 * np.log10((0.1 * window.sum() / 2) ** 2 * 1.5)
    assert level[10:90] == pytest.approx(np.full(80, spread), abs=0.05)
    half = level_db(tone / np.float32(2.0), RATE)
    assert (level - half)[10:90] == pytest.approx(np.full(80, 6.02), abs=0.01)


def test_other_rates_give_the_same_times() -> None:
    clip = faint(burst(2.0, 0.5, 1.0, hz=900.0))
    assert found(clip).start_s == align_word(clip[::2], RATE // 2).start_s


@pytest.mark.parametrize(
    "change",
    [
        {"hop_s": 0.0}, {"hop_s": 0.05}, {"window_s": -1.0}, {"below_peak_db": 0.0},
        {"above_floor_db": float("nan")}, {"bridge_s": -0.1}, {"edge_s": float("inf")},
        {"edge_below_peak_db": 20.0}, {"max_word_s": 0.0}, {"low_hz": 8000.0}, {"low_hz": -1.0},
    ],
)  # fmt: skip
def test_impossible_thresholds_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"align\.\w+ = "):
        AlignConfig(**change)


@pytest.mark.shared
def test_words_of_the_telephone_are_found_where_people_marked_them(shared_data: Path) -> None:
    """Recordings of one word each, with hand-made times; one of six, spread over all speakers."""
    manifest = read_manifest(shared_data / "manifest.csv", check_files=False)
    words = {"onword", "wildfire", "operator", "voyager", "think engine"}
    clips = manifest.where(
        lambda r: r.corpus == "wuw2" and r.text in words and r.word_start_s >= 0.0
    )[::6]
    assert len(clips) > 150
    errors = []
    for clip in clips:
        times = align_word(read_audio(clip.path), RATE)
        assert times is not None, clip.path.name
        errors.append((times.start_s - clip.word_start_s, times.end_s - clip.word_end_s))
    wrong = np.abs(errors)
    assert np.median(wrong[:, 0]) < 0.05 and np.median(wrong[:, 1]) < 0.05
    assert np.mean(wrong.max(axis=1) <= 0.25) >= 0.9
