"""The promises of the engine: offline is streaming, batch is single, state is a value."""

from pathlib import Path

import numpy as np
import pytest
from bundles import RATE, load_tiny_bundle, posteriors_of, tiny_metadata, tone_burst, with_bursts
from engine_runs import Audio, assert_same, detections, feed, speech, whole
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from wakeword.errors import AudioError
from wakeword.frontend import Frontend, preset
from wakeword.runtime import Bundle, Engine, SmootherConfig, StepResult


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 64_000), max_size=20))
@settings(deadline=None, max_examples=30)
def test_how_a_file_is_cut_makes_no_difference(engine: Engine, seed: int, cuts: list[int]) -> None:
    samples = speech(seed)
    chunks = np.split(samples, sorted(cuts))
    assert_same(feed(engine, engine.open_stream(RATE), chunks), whole(engine, samples))


@pytest.mark.parametrize("size", [1, 160, 1600, 1601, 7919])
def test_regular_chunks_make_no_difference(engine: Engine, size: int) -> None:
    samples = speech(3, 1.0 if size == 1 else 4.0)
    chunks = np.split(samples, range(size, len(samples), size))
    assert_same(feed(engine, engine.open_stream(RATE), chunks), whole(engine, samples))


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
@pytest.mark.parametrize("size", [441, 5003])
def test_chunks_at_other_rates_make_no_difference(engine: Engine, rate: int, size: int) -> None:
    samples = with_bursts(3.0, [(0.8, "low tone")], rate, noise=0.001)
    chunks = np.split(samples, range(size, len(samples), size))
    results = whole(engine, samples, rate)
    assert_same(feed(engine, engine.open_stream(rate), chunks), results)
    (found,) = detections(results)
    assert found.keyword == "low tone" and 0.8 < found.end_s < 1.4
    assert results[9].input_end_sample == rate and results[9].end_s == 1.0


def test_types_and_channels_make_no_difference(engine: Engine) -> None:
    samples = np.round(speech(5) * 2**15) / np.float32(2**15)
    expected = whole(engine, samples)
    as_int = (samples * 2**15).astype(np.int16)
    assert_same(feed(engine, engine.open_stream(RATE), [as_int]), expected)
    assert_same(feed(engine, engine.open_stream(RATE), [samples.astype(np.float64)]), expected)
    stereo = np.stack([as_int, as_int], axis=1)
    assert_same(feed(engine, engine.open_stream(RATE, channels=2), [stereo]), expected)


def reference(bundle: Bundle, samples: Audio) -> NDArray[np.float64]:
    """Smoothed posteriors (steps, words) of a file, by the words of docs/architecture.md."""
    metadata = bundle.metadata
    frontend, step = Frontend(metadata.frontend), metadata.step_samples
    total = -(-len(samples) // step) * step + -(-8000 // step) * step
    padded = np.concatenate([samples, np.zeros(total - len(samples), np.float32)])
    features = frontend.process(padded[None], frontend.initial_state())[0][0]
    before = np.tile(frontend.silence(), (metadata.window_frames, 1))
    posteriors = []
    for end in range(step, total + 1, step):
        seen = features[: metadata.frontend.frames_after(end)]
        window = np.concatenate([before, seen])[-metadata.window_frames :]
        posteriors.append(posteriors_of(window, metadata.frontend, bundle.words)[1:])
    zeros = np.zeros((metadata.smoother.steps - 1, len(bundle.words)))
    track = np.concatenate([zeros, posteriors])
    return np.array([track[i : i + metadata.smoother.steps].mean(axis=0)
                     for i in range(len(posteriors))])  # fmt: skip


VARIANTS = {
    "as shipped": {},
    "log mel": {"frontend": preset("logmel-40")},
    "mfcc": {"frontend": preset("mfcc-40-20"), "window_frames": 76},
    "steps that are no multiple of the hop": {"step_samples": 1000},
    "steps shorter than a frame": {"step_samples": 100, "smoother": SmootherConfig(steps=30)},
    "one frame": {"window_frames": 1},
    "unsmoothed": {"smoother": SmootherConfig(steps=1)},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_scores_are_those_of_the_contract(tmp_path: Path, variant: str) -> None:
    bundle = load_tiny_bundle(tmp_path / "b", tiny_metadata(**VARIANTS[variant]))
    engine, samples = Engine(bundle), speech(11, 2.03)
    expected = reference(bundle, samples)
    for chunks in ([samples], np.split(samples, range(777, len(samples), 777))):
        results = feed(engine, engine.open_stream(RATE), chunks)
        np.testing.assert_allclose([r.smoothed for r in results], expected, rtol=1e-3, atol=1e-5)
        assert [r.index for r in results] == list(range(len(expected)))


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=6, unique=True), st.integers(0, 99))
@settings(deadline=None, max_examples=25)
def test_other_streams_in_the_batch_make_no_difference(
    engine: Engine, seeds: list[int], dice_seed: int
) -> None:
    """Each stream has its own rate, chunks and beginning; all are stepped together."""
    dice = np.random.default_rng(dice_seed)
    rates = {seed: [8_000, 16_000, 48_000][seed % 3] for seed in seeds}
    audio = {seed: speech(seed, 2.0) for seed in seeds}
    streams = {seed: engine.open_stream(rates[seed]) for seed in seeds}
    left, got = dict(audio), {seed: list[StepResult]() for seed in seeds}
    while not all(stream.finished for stream in streams.values()):
        for seed, stream in streams.items():
            size = int(dice.choice([0, 0, 100, 1600, 5000, 20_000]))
            if len(left[seed]):
                stream.accept(left[seed][:size])
                left[seed] = left[seed][size:]
            else:
                stream.finish()
        for result in engine.step(list(streams.values())):
            seed = next(s for s, stream in streams.items() if stream is result.stream)
            got[seed].append(result)
    for seed in seeds:
        assert_same(got[seed], whole(engine, audio[seed], rates[seed]))


@pytest.mark.parametrize("max_batch", [1, 3, 64])
def test_the_size_of_batches_makes_no_difference(tiny_bundle: Path, engine: Engine,
                                                 max_batch: int) -> None:  # fmt: skip
    small = Engine(Bundle.load(tiny_bundle), max_batch=max_batch)
    audio = [speech(seed) for seed in range(4)]
    streams = [small.open_stream(RATE) for _ in audio]
    for stream, samples in zip(streams, audio, strict=True):
        stream.accept(samples)
        stream.finish()
    results = small.step(streams)
    assert [r.stream for r in results] == sorted((r.stream for r in results), key=streams.index), (
        "grouped by stream in the order given"
    )
    for stream, samples in zip(streams, audio, strict=True):
        assert_same([r for r in results if r.stream is stream], whole(engine, samples))


def test_reset_is_the_state_of_a_new_stream(engine: Engine) -> None:
    stream = engine.open_stream(48_000)
    feed(engine, stream, [speech(1), speech(2)])
    stream.reset()
    fresh = engine.open_stream(48_000)
    assert (stream.received_samples, stream.scored_steps, stream.finished) == (0, 0, False)
    for a, b in (
        (stream.state.heard.frontend.tail, fresh.state.heard.frontend.tail),
        (stream.state.heard.frontend.smoothed, fresh.state.heard.frontend.smoothed),
        (stream.state.heard.frames, fresh.state.heard.frames),
        (stream.state.heard.smoother, fresh.state.heard.smoother),
        (stream.state.detector.above, fresh.state.detector.above),
        (stream.state.detector.last, fresh.state.detector.last),
    ):
        np.testing.assert_array_equal(a, b)
    one, other = feed(engine, stream, [speech(3)]), feed(engine, fresh, [speech(3)])
    assert all(np.array_equal(a.smoothed, b.smoothed) for a, b in zip(one, other, strict=True))


def test_the_initial_state_is_silence(engine: Engine) -> None:
    heard = engine.open_stream(RATE).state.heard
    assert heard.frames.shape == (1, 151, 40) and not heard.frames.any()
    results = whole(engine, np.zeros(RATE, np.float32))
    for result in results:
        np.testing.assert_allclose(result.posteriors, results[0].posteriors)
    assert not detections(results)


@pytest.mark.parametrize("word", ["low tone", "high tone"])
@pytest.mark.parametrize("noise", [0.0, 0.003])
def test_a_word_at_the_very_start_is_found(engine: Engine, word: str, noise: float) -> None:
    (found,) = detections(whole(engine, with_bursts(3.0, [(0.0, word)], noise=noise)))
    assert found.keyword == word
    assert found.start_sample == 0 and found.end_s <= 0.6


@pytest.mark.parametrize("cut_s", [0.25, 0.3, 0.4])
def test_a_word_that_ends_with_the_file_is_found(engine: Engine, cut_s: float) -> None:
    samples = np.concatenate([np.zeros(RATE // 3, np.float32), tone_burst("low tone", cut_s)])
    (found,) = detections(whole(engine, samples))
    assert found.end_sample <= len(samples), "no detection lies behind the end of its file"


def test_one_utterance_is_one_detection_and_two_are_two(engine: Engine) -> None:
    samples = with_bursts(8.0, [(1.0, "low tone"), (4.0, "low tone"), (4.2, "high tone")])
    found = detections(whole(engine, samples))
    assert [d.keyword for d in found] == ["low tone", "low tone", "high tone"]
    for detection in found:
        assert detection.end_sample % 1600 == 0
        assert detection.end_sample - detection.start_sample in (24_400, detection.end_sample)
        assert detection.score >= detection.threshold == 0.6
        assert detection.model == "tiny" and detection.sample_rate == RATE


def test_the_same_audio_gives_the_same_bits_at_any_speed(engine: Engine) -> None:
    """Time is counted in samples: how fast they come is nowhere an input."""
    one, other = whole(engine, speech(9)), whole(engine, speech(9))
    assert all(np.array_equal(a.smoothed, b.smoothed) for a, b in zip(one, other, strict=True))


def test_steps_end_where_the_contract_says(engine: Engine) -> None:
    stream = engine.open_stream(RATE)
    stream.accept(np.zeros(1599, np.float32))
    assert engine.step([stream]) == [] and stream.due_steps == 0
    stream.accept(np.zeros(1, np.float32))
    (result,) = engine.step([stream])
    assert (result.index, result.end_sample, result.end_s) == (0, 1600, 0.1)
    assert engine.step([stream]) == [] and engine.step([]) == []


@pytest.mark.parametrize(("samples", "steps"), [(0, 0), (3, 6), (1600, 6), (1601, 7), (16_000, 15)])
def test_the_end_adds_half_a_second_of_silence(engine: Engine, samples: int, steps: int) -> None:
    stream = engine.open_stream(RATE)
    assert len(feed(engine, stream, [np.zeros(samples, np.float32)])) == steps
    assert stream.received_samples == samples
    stream.finish()
    assert engine.step([stream]) == []
    with pytest.raises(AudioError, match="after the end"):
        stream.accept(np.zeros(1, np.float32))
