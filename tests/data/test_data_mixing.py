"""Levels and mixtures against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_corpus import Samples, burst

from wakeword.data.mixing import babble, coloured_noise, fit, loudest_rms, mix_at_snr, rms
from wakeword.errors import ConfigError

RATE = 16_000


def white(n: int, seed: int = 0, level: float = 0.1) -> Samples:
    return np.float32(level) * np.random.default_rng(seed).standard_normal(n, np.float32)


def decibel(ratio: float) -> float:
    return 20.0 * math.log10(ratio)


def loudest_by_hand(samples: Samples, n: int) -> float:
    """RMS of the loudest ``n`` samples, beginning anywhere."""
    sums = np.cumsum(np.concatenate([[0.0], samples.astype(np.float64) ** 2]))
    return math.sqrt(float((sums[n:] - sums[:-n]).max()) / n)


def test_rms_of_known_signals() -> None:
    assert rms(np.zeros(0, np.float32)) == 0.0
    assert rms(np.full(10, -0.5, np.float32)) == 0.5
    assert rms(burst(1.0, 0.0, 1.0, hz=100.0)) == pytest.approx(0.1 / math.sqrt(2.0), rel=1e-5)
    assert rms(np.full(10_000_000, 0.1, np.float32)) == pytest.approx(0.1, rel=1e-6)


@given(start=st.integers(0, 170), length=st.integers(1, 60))
def test_the_loudest_stretch_is_that_of_the_word(start: int, length: int) -> None:
    """A word of constant level: all of 0.3 s if it is as long, its share of it if shorter."""
    samples = np.zeros(2 * RATE + 70, np.float32)
    samples[start * 160 : (start + length) * 160] = 0.25
    share = min(1.0, min(length, 200 - start) / 30)
    assert loudest_rms(samples, RATE) == pytest.approx(0.25 * math.sqrt(share), rel=1e-6)


@given(seed=st.integers(0, 1000), blocks=st.integers(31, 250))
@settings(max_examples=40, deadline=None)
def test_the_loudest_stretch_is_found_to_10_ms(seed: int, blocks: int) -> None:
    n = 160 * blocks
    rng = np.random.default_rng(seed)
    shape = np.repeat(rng.random(n // 800 + 1) ** 3, 800)[:n]
    samples = (shape * rng.standard_normal(n)).astype(np.float32)
    exact = loudest_by_hand(samples, 4800)
    inside = loudest_by_hand(samples, 4800 - 160) * math.sqrt((4800 - 160) / 4800)
    assert inside * (1.0 - 1e-6) <= loudest_rms(samples, RATE) <= exact * (1.0 + 1e-6)


def test_what_is_shorter_than_the_stretch_is_taken_whole() -> None:
    short = white(1000)
    assert loudest_rms(short, RATE) == rms(short)
    assert loudest_rms(np.zeros(0, np.float32), RATE) == 0.0


@given(
    snr_db=st.floats(-20.0, 40.0),
    speech_level=st.floats(1e-3, 1.0),
    noise_level=st.floats(1e-4, 1.0),
    pause_s=st.floats(0.0, 2.0),
)
@settings(max_examples=40, deadline=None)
def test_the_ratio_is_the_one_asked_for(
    snr_db: float, speech_level: float, noise_level: float, pause_s: float
) -> None:
    """Pauses around the word do not change it, nor do the levels that were there before."""
    word = white(round(0.5 * RATE), 1, speech_level)
    speech = np.pad(word, (round(pause_s * RATE), 4800))
    mixed = mix_at_snr(speech, white(len(speech), 2, noise_level), snr_db, RATE)
    assert mixed.dtype == np.float32
    added = rms(mixed - speech)
    assert decibel(loudest_rms(speech, RATE) / added) == pytest.approx(snr_db, abs=0.01)


def test_without_speech_or_noise_there_is_no_ratio() -> None:
    speech, nothing = white(8000), np.zeros(8000, np.float32)
    assert np.array_equal(mix_at_snr(speech, nothing, 0.0, RATE), speech)
    assert np.array_equal(mix_at_snr(nothing, speech, 0.0, RATE), nothing)


def test_speech_and_noise_of_two_lengths_are_refused() -> None:
    with pytest.raises(ConfigError, match="speech has 10 samples, noise 11"):
        mix_at_snr(white(10), white(11), 0.0, RATE)


@given(n=st.integers(1, 50), length=st.integers(1, 200), seed=st.integers(0, 50))
def test_fit_cuts_what_is_long_and_repeats_what_is_short(n: int, length: int, seed: int) -> None:
    samples = np.arange(n, dtype=np.float32)
    out = fit(samples, length, np.random.default_rng(seed))
    assert len(out) == length
    expected = (out[0] + np.arange(length)) % n if n < length else out[0] + np.arange(length)
    assert np.array_equal(out, expected) and out[-1] < n


def test_fit_starts_anywhere_and_fills_nothing_with_silence() -> None:
    rng = np.random.default_rng(0)
    starts = {int(fit(np.arange(12, dtype=np.float32), 10, rng)[0]) for _ in range(100)}
    assert starts == {0, 1, 2}
    assert not fit(np.zeros(0, np.float32), 7, rng).any()


@pytest.mark.parametrize("talkers", [1, 2, 6])
def test_babble_is_a_sum_of_talkers_of_nearly_equal_level(talkers: int) -> None:
    voices = [white(2 * RATE, i, 10.0**-i) for i in range(talkers)]
    out = babble(voices, RATE, RATE, np.random.default_rng(0))
    assert out.shape == (RATE,) and out.dtype == np.float32
    low, high = (math.sqrt(talkers) * 10.0 ** (g / 20.0) for g in (-3.0, 3.0))
    assert low * 0.98 <= rms(out) <= high * 1.02


def test_babble_follows_from_its_generator_and_leaves_silent_talkers_out() -> None:
    voices = [white(RATE, i) for i in range(3)]
    first, again, other = (
        babble(voices, RATE // 2, RATE, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert not babble([np.zeros(RATE, np.float32)], 100, RATE, np.random.default_rng(0)).any()
    assert not babble([], 100, RATE, np.random.default_rng(0)).any()


@pytest.mark.parametrize("slope", [-0.5, 0.0, 0.5, 1.0, 2.0])
def test_the_spectrum_of_coloured_noise_falls_as_it_says(slope: float) -> None:
    """The regression of log power on log frequency, above a few bins, has that slope."""
    noise = coloured_noise(1 << 16, slope, np.random.default_rng(5))
    assert noise.dtype == np.float32 and rms(noise) == pytest.approx(1.0, abs=0.01)
    power = np.abs(np.fft.rfft(noise)) ** 2
    bins = np.arange(64, len(power) - 64)
    octaves = np.log2(bins)
    edges = np.arange(6.0, 14.9, 0.5)
    at = np.digitize(octaves, edges)
    level = [np.log2(power[bins[at == i]].mean()) for i in range(1, len(edges))]
    fitted = np.polyfit((edges[:-1] + edges[1:]) / 2, level, 1)[0]
    assert fitted == pytest.approx(-slope, abs=0.07)


@pytest.mark.parametrize("length", [1, 2, 1001])
@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_coloured_noise_has_any_length(length: int, slope: float) -> None:
    assert coloured_noise(length, slope, np.random.default_rng(0)).shape == (length,)
