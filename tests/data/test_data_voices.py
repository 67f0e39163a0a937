"""Speed, rooms, microphones and places against closed forms and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal
from tiny_corpus import RATE, Samples, burst

from wakeword.data.voices import (
    OCTAVES_HZ,
    change_tempo,
    change_voice,
    colour,
    place,
    response_of_a_microphone,
    vary_tempo,
)


def noise(n: int, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).standard_normal(n, np.float32)


def loudest_hz(samples: Samples) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 17))
    return float(spectrum.argmax() * RATE / (1 << 17))


@pytest.mark.parametrize("speed", [0.82, 0.95, 1.1, 1.22, 1.5])
def test_another_speed_is_another_length_and_pitch(speed: float) -> None:
    fast = change_voice(burst(1.0, 0.0, 1.0, hz=440.0), speed)
    assert fast.dtype == np.float32
    assert len(fast) == pytest.approx(RATE / speed, abs=1)
    assert loudest_hz(fast) == pytest.approx(440.0 * speed, abs=0.5)
    middle = fast[len(fast) // 4 : -len(fast) // 4]
    assert np.sqrt(2.0 * np.mean(middle**2)) == pytest.approx(0.1, rel=0.01)


def test_a_telephones_rate_changes_no_tempo_and_no_microphone() -> None:
    """The same tone at 8 kHz: as long, as high, as loud as at 16 kHz."""
    tones = [burst(2.0, 0.0, 2.0, hz=440.0), burst(2.0, 0.0, 2.0, hz=440.0)[::2]]
    gain_db = np.linspace(-6.0, 6.0, len(OCTAVES_HZ)).astype(np.float32)
    for tone, rate in zip(tones, (RATE, RATE // 2), strict=True):
        slow = change_tempo(tone, 0.8, rate)
        assert len(slow) / rate == pytest.approx(2.5, abs=0.02)
        middle = slow[rate // 2 : 2 * rate]
        found = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 1 << 17)).argmax()
        assert found * rate / (1 << 17) == pytest.approx(440.0, abs=2.0)
    wide, narrow = (
        colour(tone, rate, None, gain_db)[rate // 2 : -rate // 2]
        for tone, rate in zip(tones, (RATE, RATE // 2), strict=True)
    )
    assert np.std(narrow) == pytest.approx(np.std(wide), rel=0.01)


def test_times_in_a_clip_scale_with_speed() -> None:
    for speed in (0.82, 1.22):
        fast = change_voice(burst(2.0, 1.0, 1.002, hz=1000.0), speed)
        assert np.abs(fast).argmax() / RATE == pytest.approx(1.001 / speed, abs=0.001)


def test_the_same_speed_changes_nothing() -> None:
    samples = noise(100)
    assert change_voice(samples, 1.0) is samples
    assert len(change_voice(samples[:1], 1.3)) == 1 and len(change_voice(samples[:0], 1.3)) == 0


@pytest.mark.parametrize("tempo", [0.6, 0.8, 1.1, 1.5])
def test_another_tempo_is_another_length_at_the_same_pitch(tempo: float) -> None:
    tone = burst(1.0, 0.0, 1.0, hz=440.0)
    slow = change_tempo(tone, tempo, RATE)
    assert slow.dtype == np.float32
    assert len(slow) / RATE == pytest.approx(1.0 / tempo, abs=0.016)
    assert loudest_hz(slow) == pytest.approx(440.0, rel=0.01)
    middle = slow[1600:-1600]
    assert np.sqrt(2.0 * np.mean(middle**2)) == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("tempo", [0.65, 0.9, 1.25])
def test_times_in_a_clip_scale_with_tempo(tempo: float) -> None:
    """To the 6 ms by which a window may be moved, and half a window's fade."""
    slow = np.abs(change_tempo(burst(2.0, 0.6, 1.2, hz=700.0), tempo, RATE))
    heard = np.flatnonzero(slow > 0.05) / RATE
    assert heard[0] == pytest.approx(0.6 / tempo, abs=0.025)
    assert heard[-1] == pytest.approx(1.2 / tempo, abs=0.025)
    assert len(heard) > 0.5 * (heard[-1] - heard[0]) * RATE, "no gaps"


def test_tempo_keeps_what_it_need_not_change() -> None:
    samples = noise(4000)
    assert change_tempo(samples, 1.0, RATE) is samples
    for n in (0, 1, 200, 700):
        assert np.isfinite(change_tempo(samples[:n], 0.7, RATE)).all()
    # The first window is the signal's own: nothing clicks where the rest of the clip joins.
    assert change_tempo(samples, 0.8, RATE)[:240] == pytest.approx(samples[:240], abs=1e-6)


def test_a_tempo_that_changes_moves_times_as_it_says_and_keeps_the_pitch() -> None:
    """Clicks come where the returned times put them; a steady tempo is change_tempo's."""
    clicks = np.zeros(2 * RATE, np.float32)
    at = np.array([4000, 12_000, 20_000, 28_000])
    for i in at:
        clicks[i : i + 40] = 0.5
    out, times = vary_tempo(clicks, np.array([0.7, 1.3, 0.8]), RATE)
    assert len(times) == len(clicks) + 1 and np.all(np.diff(times) > 0.0)
    assert len(out) == pytest.approx(times[-1], abs=480)
    for expected in times[at]:
        near = out[max(0, round(expected) - 500) : round(expected) + 500]
        assert np.abs(near).max() > 0.2, "within the 6 ms of the search and half a window"
    # d(time) = d(sample) / tempo, by the closed form of a tempo that rises evenly
    _, rising = vary_tempo(clicks, np.array([0.8, 1.2]), RATE)
    assert rising[-1] == pytest.approx(len(clicks) * np.log(1.2 / 0.8) / 0.4, rel=1e-3)
    tone = burst(1.0, 0.0, 1.0, hz=440.0)
    steady, evenly = vary_tempo(tone, np.array([0.8, 0.8]), RATE)
    assert evenly == pytest.approx(np.arange(RATE + 1) / 0.8)
    assert steady == pytest.approx(change_tempo(tone, 0.8, RATE), abs=1e-6)
    assert loudest_hz(vary_tempo(tone, np.array([0.7, 1.2]), RATE)[0]) == pytest.approx(
        440, rel=0.01
    )
    assert vary_tempo(clicks[:100], np.array([0.8, 1.2]), RATE)[1].tolist() == list(range(101))


@pytest.mark.parametrize("n", [1, 100, 4999])
def test_a_room_is_a_convolution(n: int) -> None:
    samples, room = noise(n), noise(700, 1)
    out = colour(samples, RATE, room)
    assert out.dtype == np.float32 and len(out) == n
    expected = signal.convolve(samples, room, method="direct")[:n]
    assert out == pytest.approx(expected, abs=2e-4)


def test_direct_sound_alone_leaves_everything_where_it_is() -> None:
    samples = noise(3000)
    assert colour(samples, RATE, np.array([1.0], np.float32)) == pytest.approx(samples, abs=1e-6)


def test_a_flat_microphone_and_none_at_all_change_nothing() -> None:
    samples = noise(3000)
    flat = np.zeros(len(OCTAVES_HZ), np.float32)
    assert colour(samples, RATE, microphone=flat) == pytest.approx(samples, abs=1e-5)
    assert colour(samples, RATE) == pytest.approx(samples, abs=1e-5)
    minus_6 = colour(samples, RATE, microphone=flat - np.float32(6.0206))
    assert minus_6 == pytest.approx(samples / 2.0, abs=1e-5)


def test_a_microphone_moves_nothing_in_time() -> None:
    impulse = np.zeros(8000, np.float32)
    impulse[4000] = 1.0
    for seed in range(5):
        out = colour(
            impulse, RATE, microphone=response_of_a_microphone(np.random.default_rng(seed))
        )
        assert np.abs(out).argmax() == 4000 and len(out) == 8000
        assert out[4000 - 1500 : 4000] == pytest.approx(out[4001:5501][::-1], abs=1e-5)


@pytest.mark.parametrize("octave", range(1, 7))
def test_a_microphone_has_its_gain_at_each_octave(octave: int) -> None:
    gain_db = np.array([3.0, -6.0, 2.0, 0.0, 4.0, -3.0, -9.0, 1.0], np.float32)
    tone = burst(2.0, 0.0, 2.0, hz=float(OCTAVES_HZ[octave]))
    out = colour(tone, RATE, microphone=gain_db)
    middle = slice(RATE // 2, 3 * RATE // 2)
    ratio = np.sqrt(np.mean(out[middle] ** 2) / np.mean(tone[middle] ** 2))
    assert 20 * np.log10(ratio) == pytest.approx(gain_db[octave], abs=0.2)


def test_room_and_microphone_are_one_after_the_other() -> None:
    samples, room = noise(5000), noise(300, 1) / 20
    microphone = response_of_a_microphone(np.random.default_rng(1))
    both = colour(samples, RATE, room, microphone)[:4000]
    apart = colour(colour(np.pad(samples, (0, 4000)), RATE, room), RATE, None, microphone)[:4000]
    assert both == pytest.approx(apart, abs=0.02 * float(np.abs(apart).max()))


def test_microphones_follow_from_their_generator_and_differ() -> None:
    rng = np.random.default_rng(4)
    first, second = response_of_a_microphone(rng), response_of_a_microphone(rng)
    assert np.array_equal(first, response_of_a_microphone(np.random.default_rng(4)))
    assert first.shape == OCTAVES_HZ.shape and not np.array_equal(first, second)


@given(n=st.integers(0, 30), at=st.integers(-60, 60), length=st.integers(0, 40))
def test_place_puts_every_sample_where_it_belongs(n: int, at: int, length: int) -> None:
    samples = np.arange(1, n + 1, dtype=np.float32)
    expected = [samples[i - at] if 0 <= i - at < n else 0.0 for i in range(length)]
    out = place(samples, at, length)
    assert out.dtype == np.float32 and out.tolist() == expected
