"""Scenes: what they say of themselves is in their sound."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_corpus import (
    CLIP_S,
    KINDS,
    RATE,
    SENTENCE,
    WORD_HZ,
    WORD_S,
    WORDS,
    Samples,
    burst,
    corpus_of,
    recording,
    words_and_company,
)

from wakeword.data.mixing import loudest_rms
from wakeword.data.rooms import simulate_rooms
from wakeword.data.scene_config import SHARES, SceneConfig
from wakeword.data.scenes import Scene, SceneMaker
from wakeword.data.sources import Mined, Sources, collect
from wakeword.errors import ConfigError

CLEAN = SceneConfig(
    positives=1.0, clean=1.0, faint=0.0, room=0.0, microphone=0.0, synthetic=0.0, carrier=0.0,
    fresh=0.0, paced=0.0, level_db=(-20.0, -20.0),
)  # fmt: skip
NEGATIVE = replace(CLEAN, positives=0.0, near_miss=0.0, mined=0.0)


@pytest.fixture(scope="module")
def sources() -> Sources:
    return collect(words_and_company(), WORDS, KINDS, simulate_rooms(3, 1))


def draw(sources: Sources, config: SceneConfig, count: int = 40, seed: int = 0) -> list[Scene]:
    maker, rng = SceneMaker(sources, config), np.random.default_rng(seed)
    return [maker.draw(rng) for _ in range(count)]


def energy(samples: Samples) -> float:
    return float(np.square(samples, dtype=np.float64).sum())


def loud_s(samples: Samples) -> float:
    """Seconds, in blocks of 10 ms, that are within 20 dB of the loudest."""
    blocks = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    level = np.sqrt(np.mean(np.square(blocks), axis=1))
    return float((level > 0.1 * level.max()).sum()) / 100 if level.max() > 1e-3 else 0.0


@given(seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_every_scene_is_sane_and_follows_from_its_seed(sources: Sources, seed: int) -> None:
    for scene, again in zip(
        draw(sources, SceneConfig(), 4, seed), draw(sources, SceneConfig(), 4, seed), strict=True
    ):
        assert np.array_equal(scene.samples, again.samples)
        assert (scene.label, scene.start, scene.end, scene.begin) == (
            again.label, again.start, again.end, again.begin)  # fmt: skip
        assert scene.samples.dtype == np.float32
        assert scene.samples.shape == (round(SceneConfig().seconds * RATE),)
        assert np.abs(scene.samples).max() <= 1.0
        assert 0 <= scene.label <= 2 and 0 <= scene.begin < len(scene.samples)
        if scene.label:
            assert 0 <= scene.start < scene.end <= len(scene.samples)
            assert 2.0 - 1e-3 <= scene.end / RATE <= 2.6 + 1e-3 and scene.begin <= scene.start + 1
        else:
            assert (scene.start, scene.end) == (0, 0)


def test_another_seed_is_another_scene(sources: Sources) -> None:
    (one,), (two,) = (draw(sources, SceneConfig(), 1, seed) for seed in (1, 2))
    assert not np.array_equal(one.samples, two.samples)


def test_word_times_hold_the_word_at_its_pitch(sources: Sources) -> None:
    """All energy of a clean scene is inside; the tone is the word's, at some speed."""
    speeds = []
    for scene in draw(sources, CLEAN):
        inside = scene.samples[scene.start : scene.end]
        margin = slice(scene.start - 80, scene.end + 80)
        assert energy(scene.samples[margin]) > 0.99 * energy(scene.samples)
        assert energy(inside) > 0.98 * energy(scene.samples)
        seconds = (scene.end - scene.start) / RATE
        spectrum = np.abs(np.fft.rfft(inside * np.hanning(len(inside)), 1 << 17))
        hz = spectrum.argmax() * RATE / (1 << 17)
        speed = (WORD_S[1] - WORD_S[0]) / seconds
        assert hz / speed == pytest.approx(WORD_HZ[WORDS[scene.label - 1]], rel=0.01)
        speeds.append(speed)
    assert 0.82 <= min(speeds) < 0.95 and 1.05 < max(speeds) <= 1.22


def test_tempo_changes_the_length_of_a_word_and_not_its_pitch(sources: Sources) -> None:
    lengths = []
    for scene in draw(sources, replace(CLEAN, speed=(1.0, 1.0), paced=1.0, tempo=(0.65, 1.25))):
        inside = scene.samples[scene.start : scene.end]
        assert energy(inside) > 0.95 * energy(scene.samples)
        assert loud_s(inside) == pytest.approx(len(inside) / RATE, abs=0.04)
        spectrum = np.abs(np.fft.rfft(inside * np.hanning(len(inside)), 1 << 17))
        hz = spectrum.argmax() * RATE / (1 << 17)
        assert hz == pytest.approx(WORD_HZ[WORDS[scene.label - 1]], rel=0.02)
        lengths.append(len(inside) / RATE)
    assert 0.319 < min(lengths) < 0.36 and 0.53 < max(lengths) < 0.616


def test_a_word_longer_than_a_window_is_said_faster(sources: Sources) -> None:
    rows = [
        (recording("alpha", seconds=4.0, times_s=(1.0, 3.0)), burst(4.0, 1.0, 3.0, 700.0)),
        (recording("fan", "hum"), burst(1.0, 0.0, 1.0)),
        (recording("gamma"), burst(1.0, 0.0, 1.0)),
    ]
    slow = collect(corpus_of(rows), ["alpha"], KINDS, [])
    for scene in draw(slow, replace(CLEAN, paced=0.5), 20):
        assert scene.end - scene.start <= 1.4 * RATE + 1
        assert energy(scene.samples[scene.start : scene.end]) > 0.95 * energy(scene.samples)


def test_all_labels_are_drawn_as_often_as_the_configuration_says(sources: Sources) -> None:
    labels = Counter(s.label for s in draw(sources, SceneConfig(positives=0.5), 300))
    assert labels[0] == pytest.approx(150, abs=35)
    assert labels[1] == pytest.approx(75, abs=30) and labels[2] == pytest.approx(75, abs=30)
    assert {s.label for s in draw(sources, NEGATIVE, 20)} == {0}


def test_the_level_is_the_one_asked_for(sources: Sources) -> None:
    for scene in draw(sources, CLEAN, 20):
        assert 20 * np.log10(loudest_rms(scene.samples, RATE)) == pytest.approx(-20.0, abs=0.1)
    loud = replace(CLEAN, level_db=(10.0, 10.0))
    assert max(np.abs(s.samples).max() for s in draw(sources, loud, 10)) == 1.0


def test_noise_is_there_at_the_ratio_asked_for(sources: Sources) -> None:
    noisy = replace(CLEAN, clean=0.0, faint=0.0, snr_db=(0.0, 0.0), speed=(1.0, 1.0))
    outside = [
        energy(s.samples[: s.start - 800]) / (s.start - 800) for s in draw(sources, noisy, 60)
    ]
    word = [energy(s.samples[s.start : s.end]) / (s.end - s.start) for s in draw(sources, CLEAN, 9)]
    ratio_db = 10 * np.log10(np.median(word) / np.median(outside))
    assert ratio_db == pytest.approx(0.0, abs=4.0)


def test_only_fresh_scenes_begin_late_and_never_after_the_word(sources: Sources) -> None:
    assert {s.begin for s in draw(sources, CLEAN)} == {0}
    for scene in draw(sources, replace(CLEAN, fresh=1.0)):
        assert scene.start - RATE // 2 <= scene.begin <= scene.start
    begins = [s.begin for s in draw(sources, replace(NEGATIVE, fresh=1.0))]
    assert all(0 < b <= 1.2 * RATE for b in begins)


def test_synthetic_voices_are_drawn_as_often_as_asked(sources: Sources) -> None:
    """Here they are told apart by their pitch."""
    rows = [
        (recording("alpha", "robot", times_s=WORD_S), burst(CLIP_S, *WORD_S, 700.0)),
        (recording("alpha", times_s=WORD_S), burst(CLIP_S, *WORD_S, 3000.0)),
        (recording("fan", "hum"), burst(1.0, 0.0, 1.0)),
        (recording(SENTENCE, seconds=3.0), burst(3.0, 0.0, 3.0)),
    ]
    both = collect(corpus_of(rows), ["alpha"], KINDS, [])
    for share in (0.0, 1.0):
        for scene in draw(both, replace(CLEAN, synthetic=share), 8):
            spectrum = np.abs(np.fft.rfft(scene.samples))
            hz = spectrum.argmax() * RATE / len(scene.samples)
            assert (hz < 1000.0) == (share == 1.0)


def test_a_word_with_synthetic_voices_only_is_still_drawn() -> None:
    rows = [
        (recording("alpha", "robot", times_s=WORD_S), burst(CLIP_S, *WORD_S, 700.0)),
        (recording("fan", "hum"), burst(1.0, 0.0, 1.0)),
        (recording("gamma"), burst(1.0, 0.0, 1.0)),
    ]
    only = collect(corpus_of(rows), ["alpha"], KINDS, [])
    assert all(s.label == 1 and energy(s.samples) > 0.0 for s in draw(only, CLEAN, 5))
    everything = replace(SceneConfig(), positives=0.3)
    assert all(np.isfinite(s.samples).all() for s in draw(only, everything, 40))


def test_a_carrier_sentence_leaves_the_word_alone(sources: Sources) -> None:
    scenes = draw(sources, replace(CLEAN, carrier=1.0), 40)
    before = [energy(s.samples[: s.start - 800]) > 0.01 for s in scenes]
    assert np.mean(before) > 0.6
    for scene in scenes:
        for gap in (slice(scene.start - 400, scene.start - 330),
                    slice(scene.end + 330, scene.end + 400)):  # fmt: skip
            quiet = np.sqrt(np.mean(scene.samples[gap] ** 2)) if gap.stop < 51_000 else 0.0
            assert quiet < 0.005
        inside = scene.samples[scene.start : scene.end]
        assert loud_s(inside) == pytest.approx(len(inside) / RATE, abs=0.03)


def test_a_near_miss_is_a_part_of_a_word_or_parts_of_two(sources: Sources) -> None:
    longest_s = (WORD_S[1] - WORD_S[0]) / 0.82
    lengths = [loud_s(s.samples) for s in draw(sources, replace(NEGATIVE, near_miss=1.0), 60)]
    assert all(0.1 < length <= 1.2 * longest_s + 0.03 for length in lengths)
    halves = [length for length in lengths if length <= 0.6 * longest_s + 0.03]
    assert len(halves) > 25, "two of three kinds are half a word"
    single = collect(words_and_company(), WORDS[:1], KINDS, [])
    for scene in draw(single, replace(NEGATIVE, near_miss=1.0), 20):
        assert loud_s(scene.samples) <= 0.6 * longest_s + 0.03


def test_what_was_mined_is_where_a_word_would_be() -> None:
    """One click in a long silence, found as a mistake: it comes at the place of a word's end."""
    click = np.zeros(20 * RATE, np.float32)
    click[7 * RATE - 40 : 7 * RATE] = 0.5
    rows = [
        (recording("alpha", times_s=WORD_S), burst(CLIP_S, *WORD_S)),
        (recording("fan", "hum"), burst(1.0, 0.0, 1.0)),
        (recording(SENTENCE, seconds=20.0), click),
    ]
    sources = replace(
        collect(corpus_of(rows), ["alpha"], KINDS, []), mined=(Mined(2, 7 * RATE, 0.9),)
    )
    for scene in draw(sources, replace(NEGATIVE, mined=1.0), 20):
        at = int(np.abs(scene.samples).argmax()) / RATE
        assert scene.label == 0 and 1.99 <= at <= 2.61


def test_negatives_are_of_many_kinds(sources: Sources) -> None:
    """Speech that goes on, short clips, noise, music, and digital silence now and then."""
    no_hiss = [loud_s(s.samples) for s in draw(sources, NEGATIVE, 150)]
    assert sum(length == 0.0 for length in no_hiss) >= 1
    assert sum(0.0 < length < 1.6 for length in no_hiss) > 15
    assert sum(length > 2.5 for length in no_hiss) > 15


@pytest.mark.parametrize("name", SHARES)
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"scenes\.{name} = .* must be in \[0, 1\]"):
        SceneConfig(**{name: value})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"snr_db": (5.0, -5.0)}, "snr_db"),
        ({"faint_snr_db": (5.0, float("nan"))}, "faint_snr_db"),
        ({"level_db": (0.0, -10.0)}, "level_db"),
        ({"speed": (1.2, 0.8)}, "speed"),
        ({"speed": (0.0, 1.0)}, "speed"),
        ({"speed": (1.0, 3.0)}, "speed"),
        ({"tempo": (0.0, 1.0)}, "tempo"),
        ({"tempo": (1.0, float("nan"))}, "tempo"),
        ({"word_end_s": (1.0, 2.0)}, "word_end_s"),
        ({"word_end_s": (2.0, 3.0)}, "word_end_s"),
        ({"seconds": 2.0}, "word_end_s"),
    ],
)
def test_impossible_ranges_are_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=rf"scenes\.{says} = "):
        SceneConfig(**change)  # type: ignore[arg-type]


def test_a_word_said_by_two_has_its_times_and_the_ends_of_both() -> None:
    """The same word low and high: every scene begins with one of them, many end in the other."""
    rows = [
        (recording("alpha", times_s=WORD_S), burst(CLIP_S, *WORD_S, 600.0)),
        (recording("alpha", times_s=WORD_S), burst(CLIP_S, *WORD_S, 3000.0)),
        (recording("fan", "hum"), burst(1.0, 0.0, 1.0)),
        (recording("gamma"), burst(1.0, 0.0, 1.0)),
    ]
    both = collect(corpus_of(rows), ["alpha"], KINDS, [])
    mixed = 0
    for scene in draw(both, replace(CLEAN, spliced=1.0), 30):
        inside = scene.samples[scene.start : scene.end]
        assert energy(inside) > 0.97 * energy(scene.samples)
        quarter = len(inside) // 4
        high = [
            np.abs(np.fft.rfft(part)).argmax() * RATE / len(part) > 1500
            for part in (inside[:quarter], inside[-quarter:])
        ]
        mixed += high[0] != high[1]
    assert mixed > 5, "half of the pairs are two different ones"
