"""Resampler: chunking, length, alignment, quality against scipy, lag, refusals."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, resample_poly, sosfiltfilt

from wakeword.audio.resample import Resampler, resample
from wakeword.errors import AudioError, MissingExtraError, SampleRateError

RATES = [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000]


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, n).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(0, 6000),
    cuts=st.lists(st.integers(0, 6000), max_size=20),
    last_alone=st.booleans(),
)
def test_cutting_changes_no_bit(rate, n, cuts, last_alone):
    samples = noise(n)
    edges = [0, *sorted(min(c, n) for c in cuts), n]
    chunks = [samples[a:b] for a, b in pairwise(edges)]
    if last_alone:
        chunks.append(samples[:0])
    resampler = Resampler(rate)
    parts = [resampler.process(chunk) for chunk in chunks[:-1]]
    parts.append(resampler.process(chunks[-1], last=True))
    np.testing.assert_array_equal(np.concatenate(parts), resample(samples, rate))


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_single_samples_equal_one_chunk(rate):
    samples = noise(5000)
    resampler = Resampler(rate)
    parts = [resampler.process(samples[i : i + 1]) for i in range(len(samples))]
    parts.append(resampler.process(samples[:0], last=True))
    np.testing.assert_array_equal(np.concatenate(parts), resample(samples, rate))


@pytest.mark.parametrize("rate", [4_000, *RATES, 384_000])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 31, 1001, 48_003])
def test_length_is_the_rounded_duration(rate, n):
    assert len(resample(noise(n), rate)) == int(np.floor(n * 16_000 / rate + 0.5))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("frequency_hz", [100.0, 1000.0, 3300.0])
def test_a_sine_stays_where_it_was(rate, frequency_hz):
    """Signal to error of at least 95 dB against the same sine sampled at 16 kHz, in phase."""
    t_in = np.arange(2 * rate) / rate
    out = resample((0.5 * np.sin(2 * np.pi * frequency_hz * t_in)).astype(np.float32), rate)
    wanted = 0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(len(out)) / 16_000)
    middle = slice(3200, -3200)
    error = out[middle] - wanted[middle]
    assert 10 * np.log10(np.mean(wanted[middle] ** 2) / np.mean(error**2)) > 95


@pytest.mark.parametrize("rate", [r for r in RATES if r != 16_000])
def test_agrees_with_scipy_on_band_limited_noise(rate):
    """An independent resampler (polyphase, long Kaiser filter) gives the same signal."""
    top_hz = 0.35 * min(rate, 16_000)
    sos = butter(12, top_hz, fs=rate, output="sos")
    samples = sosfiltfilt(sos, noise(2 * rate).astype(np.float64))
    divisor = int(np.gcd(rate, 16_000))
    reference = resample_poly(samples, 16_000 // divisor, rate // divisor, window=("kaiser", 14.0))
    out = resample(samples.astype(np.float32), rate)
    middle = slice(1600, 28_000)
    error = out[middle] - reference[middle]
    assert np.sqrt(np.mean(error**2) / np.mean(reference[middle] ** 2)) < 2e-3


def test_what_16_khz_cannot_hold_is_removed_not_folded():
    t = np.arange(96_000) / 48_000
    out = resample((0.5 * np.sin(2 * np.pi * 11_000 * t)).astype(np.float32), 48_000)
    assert np.abs(out[1600:-1600]).max() < 0.5e-5 * 2


@pytest.mark.parametrize(
    ("rate", "limit_ms"),
    [(4_000, 240), (8_000, 120), (11_025, 120), (22_050, 45), (44_100, 45), (48_000, 40),
     (96_000, 80), (384_000, 80)],
)  # fmt: skip
def test_lag_is_known_and_bounded(rate, limit_ms):
    resampler, given_samples, worst = Resampler(rate), 0, 0.0
    step = rate // 1000
    for taken in range(step, rate + 1, step):
        given_samples += len(resampler.process(np.zeros(step, np.float32)))
        assert resampler.latency_samples == pytest.approx(taken * 16_000 / rate - given_samples)
        worst = max(worst, resampler.latency_samples)
    assert worst / 16 <= limit_ms


def test_reset_is_a_new_stream():
    resampler = Resampler(44_100)
    first = resampler.process(noise(3000), last=True)
    with pytest.raises(AudioError, match=r"after the end of the stream \(sample 3000\)"):
        resampler.process(noise(1))
    resampler.reset()
    resampler.process(noise(700, seed=9))
    resampler.reset()
    assert resampler.latency_samples == 0
    np.testing.assert_array_equal(resampler.process(noise(3000), last=True), first)


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (None, "missing"),
        (0, "is 0 Hz, but it must be between 4000 and 384000 Hz"),
        (3_999, "is 3999 Hz"),
        (384_001, "is 384001 Hz"),
        (-48_000, "is -48000 Hz"),
        (44_100.5, "whole number of Hz, not 44100.5"),
        ("48000", "whole number of Hz, not '48000'"),
        (True, "whole number of Hz, not True"),
    ],
)
def test_impossible_rates_are_refused(rate, message):
    with pytest.raises(SampleRateError, match=message):
        Resampler(rate)
    with pytest.raises(SampleRateError, match=message):
        Resampler(16_000, rate)


@pytest.mark.parametrize("samples", [np.zeros(4, np.int16), np.zeros((2, 4), np.float32)])
def test_only_mono_float32_is_taken(samples):
    with pytest.raises(AudioError, match="mono float32"):
        Resampler(48_000).process(samples)


def test_without_soxr_equal_rates_work_and_others_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "soxr", None)
    np.testing.assert_array_equal(Resampler(16_000).process(noise(100)), noise(100))
    with pytest.raises(MissingExtraError, match=r"8000 to 16000 Hz.*pip install 'wakeword\[cli\]'"):
        Resampler(8_000)


def test_importing_audio_modules_loads_no_optional_package():
    code = (
        "import sys, wakeword.audio.pcm, wakeword.audio.resample\n"
        "print([m for m in ('soxr', 'soundfile', 'sounddevice', 'click') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
