"""The sound of a stream: levels measured back, any stretch alike, silence cut from noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bundles import RATE, tone_burst
from numpy.typing import NDArray
from tone_manifest import LOW, write_wav

from wakeword.data.manifest import Recording
from wakeword.data.picovoice_plan import Kind, StreamConfig
from wakeword.data.picovoice_sounds import (
    Ingredients,
    SoundCache,
    measure_lengths,
    without_silence,
)
from wakeword.data.picovoice_stream import StreamMaker, loudest_frame
from wakeword.errors import AudioError

FRAME = 512
NAN = float("nan")


def recording(path: Path, text: str, samples: NDArray[np.float32]) -> Recording:
    write_wav(path, samples)
    return Recording(path, "c", text, "s", "dev", NAN, NAN, len(samples) / RATE)


@pytest.fixture(scope="module")
def ingredients(tmp_path_factory: pytest.TempPathFactory) -> Ingredients:
    """Keywords, speech and noise whose lengths are no multiple of anything."""
    folder, rng = tmp_path_factory.mktemp("stream"), np.random.default_rng(3)
    keywords = [
        recording(
            folder / f"k{i}.wav", LOW, 0.05 * (i + 1) * np.pad(tone_burst(LOW), 999 * (i + 1))
        )
        for i in range(3)
    ]
    speech = [
        recording(folder / f"s{i}.wav", "said so", 0.1 * rng.standard_normal(9_001 + 4_003 * i))
        for i in range(4)
    ]
    noise = [
        recording(folder / f"n{i}.wav", "hiss", 0.02 * rng.standard_normal(20_011 + 10_007 * i))
        for i in range(3)
    ]
    return Ingredients(LOW, tuple(keywords), tuple(speech), tuple(noise))


def maker(ingredients: Ingredients, rate: int = RATE, **changes: float) -> StreamMaker:
    cache = SoundCache(rate)
    config = StreamConfig(**{"hours": 0.01, **changes})
    return StreamMaker(ingredients, measure_lengths([ingredients], cache), config, cache)


def sound(made: StreamMaker, cut: int | None = None) -> NDArray[np.float32]:
    gain, _ = made.survey()
    stop = made.plan.samples
    edges = range(0, stop, cut or stop)
    return np.concatenate(
        [b for a in edges for b in made.blocks(a, min(stop, a + edges.step), gain)]
    )


def test_the_sound_is_what_the_benchmark_makes_in_one_piece(ingredients: Ingredients) -> None:
    """Written out as ``mixer.py`` does it, with whole arrays, for the same draws."""
    made, cache = maker(ingredients), SoundCache(RATE)
    noises = [cache.speech(ingredients.noise[i]) for i in made.plan.noise.sources]
    naive = np.concatenate([n / np.abs(n).max() for n in noises])[: made.plan.samples]
    groups = {Kind.KEYWORD: ingredients.keywords, Kind.SPEECH: ingredients.speech}
    start = 0
    for kind, source, length in zip(
        made.plan.kinds, made.plan.parts.sources, made.plan.lengths, strict=True
    ):
        part = naive[start : start + length]
        if kind != Kind.SILENCE:
            speech = cache.speech(groups[Kind(kind)][source])
            loudest = [
                max(
                    float((x[i : i + FRAME] ** 2).sum())
                    for i in range(0, length - FRAME + 1, FRAME)
                )
                for x in (part, speech)
            ]
            part += speech * np.sqrt(loudest[0] * 10.0 / loudest[1])
        start += length
    naive /= np.abs(naive).max()
    assert np.abs(sound(made) - np.rint(naive * 32_767) / 32_768).max() <= 1.01 / 32_768


@pytest.mark.parametrize("cut", [777, 16_000, 99_991])
def test_a_stretch_sounds_the_same_whatever_came_before(ingredients: Ingredients, cut: int) -> None:
    made = maker(ingredients)
    assert np.array_equal(sound(made, cut), sound(made))


def test_the_stream_peaks_at_full_scale_in_16_bit(ingredients: Ingredients) -> None:
    whole = sound(maker(ingredients))
    assert len(whole) == maker(ingredients).plan.samples
    assert np.abs(whole).max() == np.float32(32_767 / 32_768)
    assert np.array_equal(whole * 32_768, np.rint(whole * 32_768))


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 25.0])
def test_the_snr_is_that_of_the_loudest_frames(ingredients: Ingredients, snr_db: float) -> None:
    """Measured back in the sound itself, against a stream whose speech is inaudible."""
    made, mute = maker(ingredients, snr_db=snr_db), maker(ingredients, snr_db=-40.0)
    assert mute.survey()[0] == pytest.approx(1.0, abs=0.02)  # noise alone peaks at 1
    under, mixed = sound(mute) / mute.survey()[0], sound(made) / made.survey()[0]
    for index in np.flatnonzero(made.plan.kinds != Kind.SILENCE).tolist():
        start, end = made._span(index)
        noise = loudest_frame(under[start:end], FRAME)
        said = loudest_frame(mixed[start:end] - under[start:end], FRAME)
        assert 10 * np.log10(said / noise) == pytest.approx(snr_db, abs=0.6)


def test_segments_that_are_not_spoken_are_noise_alone(ingredients: Ingredients) -> None:
    made = maker(ingredients, snr_db=20.0)
    gain, keywords = made.survey()
    whole = sound(made)
    noises = [SoundCache(RATE).noise(r) for r in ingredients.noise]
    row = made.plan.noise
    noise = np.concatenate([noises[i] for i in row.sources])[: len(whole)]
    silent = np.repeat(made.plan.kinds == Kind.SILENCE, made.plan.lengths)
    assert np.abs(whole[silent] - gain * noise[silent]).max() < 1.01 / 32_768
    assert silent.mean() > 0.5
    for keyword in keywords:
        assert not silent[keyword.start : keyword.end].any()


def test_keywords_are_told_with_their_places(ingredients: Ingredients) -> None:
    _, keywords = maker(ingredients).survey()
    assert {k.recording.path.name for k in keywords} == {"k0.wav", "k1.wav", "k2.wav"}
    assert [k.start for k in keywords] == sorted(k.start for k in keywords)
    # White noise over the clip has less energy in its mean than in its loudest frame, and 0.3 s
    # of the tone less than its loudest 32 ms: the two measures lie within a few dB.
    assert all(k.snr_db == pytest.approx(10.0, abs=4.0) for k in keywords)
    lengths = {f"k{i}.wav": len(tone_burst(LOW)) + 2 * 999 * (i + 1) for i in range(3)}
    assert {k.recording.path.name: k.end - k.start for k in keywords} == lengths


def test_an_alarm_is_blamed_on_what_was_last_said_or_else_on_the_noise(
    ingredients: Ingredients,
) -> None:
    made = maker(ingredients)
    plan = made.plan
    # The first segment that is spoken and has one that is not after it.
    kinds = plan.kinds[:-1], plan.kinds[1:]
    spoken = int(np.flatnonzero((kinds[0] == Kind.SPEECH) & (kinds[1] == Kind.SILENCE))[0])
    start, _ = made._span(spoken)
    expected = ingredients.speech[int(plan.parts.sources[spoken])]
    assert made.source_at(start + 10, 5) == (expected, True)
    low, high = made._span(spoken + 1)
    assert made.source_at(low + 10, 100) == (expected, True)
    noise = ingredients.noise[int(plan.noise.sources[plan.noise.at(high - 1)])]
    assert made.source_at(high - 1, 10) == (noise, False)
    assert made.source_at(plan.samples + RATE, 1)[0] is not None


def test_the_lengths_of_another_rate_follow_the_rate(ingredients: Ingredients) -> None:
    full, half = maker(ingredients), maker(ingredients, rate=8_000)
    cache = SoundCache(8_000)
    assert len(cache.speech(ingredients.speech[0])) == pytest.approx(9_001 / 2, abs=1)
    assert half.plan.samples == pytest.approx(full.plan.samples / 2, rel=0.1)


def test_the_cache_forgets_what_was_not_asked_for_longest(ingredients: Ingredients) -> None:
    cache = SoundCache(RATE, most_bytes=4 * 40_000)
    first = cache.noise(ingredients.noise[0])
    assert cache.noise(ingredients.noise[0]) is first
    for r in ingredients.noise[1:]:
        cache.noise(r)
    again = cache.noise(ingredients.noise[0])
    assert again is not first and np.array_equal(again, first)


def test_digital_silence_is_cut_from_noise_and_refused_alone(tmp_path: Path) -> None:
    loud = (0.1 * np.random.default_rng(1).standard_normal(4 * FRAME)).astype(np.float32)
    gap, rest = np.zeros(3 * FRAME, np.float32), np.full(100, 0.01, np.float32)
    assert np.array_equal(without_silence(np.concatenate([loud, gap]), FRAME), loud)
    kept = without_silence(np.concatenate([gap, loud, gap, loud, rest]), FRAME)
    assert np.array_equal(kept, np.concatenate([loud, loud, rest]))
    assert np.array_equal(without_silence(rest, FRAME), rest)
    assert np.array_equal(without_silence(loud * 1e-2, FRAME), loud * 1e-2)
    silent = recording(tmp_path / "silent.wav", "nothing", gap)
    for group in ("keywords", "speech", "noise"):
        parts = {"keywords": (), "speech": (), "noise": (), group: (silent,)}
        with pytest.raises(AudioError, match=r"silent\.wav is digital silence"):
            measure_lengths([Ingredients(LOW, **parts)], SoundCache(RATE))


def test_energy_of_the_loudest_frame() -> None:
    samples = np.array([1.0, 1.0, 3.0, 1.0, 2.0, 2.0, 9.0], np.float32)
    assert loudest_frame(samples, 2) == 10.0
    assert loudest_frame(samples[:1], 2) == 1.0
