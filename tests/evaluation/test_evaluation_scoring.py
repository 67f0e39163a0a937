"""Scoring many clips at once gives what each gives alone, as a stream would hear it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from bundles import TONES_HZ, with_bursts
from numpy.typing import NDArray

from wakeword.errors import AudioError
from wakeword.evaluation.events import Label, Truth, detected_steps, match
from wakeword.evaluation.scoring import Clip, event_rules, score_clips, score_each
from wakeword.runtime import Bundle, Engine, find_bundle

LOW, HIGH = TONES_HZ


@pytest.fixture(scope="module")
def bundle(tiny_bundle: Path) -> Bundle:
    return Bundle.load(tiny_bundle)


def alone(bundle: Bundle, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Smoothed posteriors (steps, words) of one stream fed in one piece."""
    engine = Engine(bundle)
    stream = engine.open_stream(engine.sample_rate)
    stream.accept(samples)
    stream.finish()
    return np.stack([result.smoothed for result in engine.step([stream])])


def random_clips(count: int) -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(5)
    lengths = rng.integers(100, 120_000, count)
    return [(0.1 * rng.standard_normal(n)).astype(np.float32) for n in lengths]


@pytest.mark.parametrize("workers", [1, 3])
def test_many_clips_are_each_clip_alone(bundle: Bundle, workers: int) -> None:
    audio = random_clips(40)
    clips = [Clip.of(Label(str(i)), samples) for i, samples in enumerate(audio)]
    tracks = score_clips(bundle, clips, workers=workers)
    assert [t.label.name for t in tracks] == [str(i) for i in range(40)]
    for track, samples in zip(tracks, audio, strict=True):
        assert track.words == bundle.words
        np.testing.assert_allclose(track.posteriors, alone(bundle, samples), atol=1e-6)
        assert track.scored_steps == len(samples) // 1_600


def test_the_same_again_is_the_same_to_the_last_bit_whichever_thread_is_faster() -> None:
    """What is scored together changes how sums are rounded."""
    bundle, delays_s = find_bundle("seven"), np.random.default_rng(3)

    def opened(audio: NDArray[np.float32]) -> tuple[NDArray[np.float32]]:
        time.sleep(delays_s.uniform(0.0, 0.02))
        return (audio,)

    clips = [
        Clip(Label(str(i)), partial(opened, audio)) for i, audio in enumerate(random_clips(9))
    ]
    first, *others = (score_clips(bundle, clips, workers=3) for _ in range(4))
    for again in others:
        for track, expected in zip(again, first, strict=True):
            assert np.array_equal(track.posteriors, expected.posteriors)


def test_blocks_are_read_as_they_are_needed(bundle: Bundle) -> None:
    """An hour of audio is never held: only a few seconds are read ahead of the engine."""
    most, yielded, scored = 0.0, 0.0, 0.0

    def blocks() -> Iterator[NDArray[np.float32]]:
        nonlocal most, yielded
        for _ in range(300):
            yielded += 1.0
            most = max(most, yielded - scored)
            yield np.zeros(16_000, np.float32)

    def progress(seconds: float) -> None:
        nonlocal scored
        scored += seconds

    (track,) = score_clips(bundle, [Clip(Label("a"), blocks)], workers=1, progress=progress)
    assert track.scored_steps == 3_000
    assert scored == pytest.approx(300.0)  # audio, without the silence after it
    assert most <= 5.0


def test_the_words_are_found_and_nothing_else(bundle: Bundle) -> None:
    samples = with_bursts(6.0, [(1.0, LOW), (3.0, HIGH)], noise=0.001)
    said = (Truth(LOW, 1.0, 1.4), Truth(HIGH, 3.0, 3.4))
    (track,) = score_clips(bundle, [Clip.of(Label("a", truths=said), samples)])
    rules = event_rules(bundle)
    for word in bundle.words:
        steps = detected_steps(track, word, 0.5, rules)
        found = match(steps, track.truths(word), rules)
        assert None not in found.hit_steps and not found.false_steps


def test_rules_follow_from_the_bundle(bundle: Bundle) -> None:
    rules = event_rules(bundle)
    assert (rules.sample_rate, rules.step_samples, rules.refractory_steps) == (16_000, 1_600, 10)
    assert rules.tolerance_s == pytest.approx(151 * 0.01 / 2 + 2 * 0.1)


def test_an_empty_list_and_empty_clips(bundle: Bundle) -> None:
    assert score_clips(bundle, []) == []
    empty = Clip.of(Label("empty"), np.zeros(0, np.float32))
    three = Clip.of(Label("three"), np.zeros(3, np.float32))
    first, second = score_clips(bundle, [empty, three])
    assert first.posteriors.shape == (0, 2) and first.scored_steps == 0
    assert len(second.posteriors) == 6 and second.scored_steps == 0


def test_a_damaged_recording_stops_everything(bundle: Bundle) -> None:
    opened = 0

    def broken() -> Iterator[NDArray[np.float32]]:
        yield np.zeros(1_000, np.float32)
        raise AudioError("cut.flac: cut short")

    def counted(label: Label) -> Clip:
        nonlocal opened
        opened += 1
        return Clip.of(label, np.zeros(16_000, np.float32))

    clips = (
        Clip(Label("broken"), broken) if i == 20 else counted(Label(str(i))) for i in range(10_000)
    )
    with pytest.raises(AudioError, match=r"cut\.flac"):
        score_clips(bundle, clips, workers=2)
    assert opened < 200


def test_tracks_come_one_by_one_and_whoever_stops_listening_stops_the_work(bundle: Bundle) -> None:
    audio = random_clips(200)
    opened = 0

    def counted() -> Iterator[Clip]:
        nonlocal opened
        for i, samples in enumerate(audio):
            opened += 1
            yield Clip.of(Label(str(i)), samples)

    tracks = score_each(bundle, counted(), workers=2)
    number, track = next(tracks)
    assert track.label.name == str(number)
    tracks.close()
    assert opened < 200
    assert sorted(n for n, _ in score_each(bundle, counted(), workers=2)) == [*range(200)]
