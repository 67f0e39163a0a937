"""Streams in use: words, thresholds, bad samples, failures, threads, memory."""

import itertools
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from bundles import RATE, with_bursts
from engine_runs import assert_same, detections, feed, speech, whole
from numpy.typing import NDArray

from wakeword.errors import AudioError, BundleError, ConfigError, SampleRateError, UnknownModelError
from wakeword.runtime import Bundle, Engine


def test_a_stream_may_hear_some_of_the_words(engine: Engine) -> None:
    samples = with_bursts(5.0, [(0.5, "low tone"), (3.0, "high tone")])
    all_words = whole(engine, samples)
    stream = engine.open_stream(RATE, words=["high tone"])
    results = feed(engine, stream, [samples])
    assert stream.words == ("high tone",) and stream.thresholds == {"high tone": 0.6}
    assert [d.keyword for d in detections(results)] == ["high tone"]
    for some, every in zip(results, all_words, strict=True):
        np.testing.assert_array_equal(some.smoothed, every.smoothed[1:])
    swapped = engine.open_stream(RATE, words=["high tone", "low tone", "high tone"])
    assert swapped.words == ("high tone", "low tone")
    assert detections(feed(engine, swapped, [samples])) == detections(all_words)


def test_thresholds_come_from_operating_points_or_the_caller(engine: Engine) -> None:
    def thresholds(**options: object) -> list[float]:
        return list(engine.open_stream(RATE, **options).thresholds.values())  # type: ignore

    assert thresholds() == [0.6, 0.6]
    assert thresholds(false_alarms_per_hour=2.0) == [0.5, 0.5]
    assert thresholds(thresholds=0.7) == [0.7, 0.7]
    assert thresholds(thresholds={"low tone": 0.9}) == [0.9, 0.6]
    assert thresholds(thresholds={"low tone": 0.9}, false_alarms_per_hour=0.1) == [0.9, 0.8]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sample_rate": 0}, SampleRateError, "0 Hz"),
        ({"sample_rate": None}, SampleRateError, "missing"),
        ({"sample_rate": 16_000.5}, SampleRateError, "whole number"),
        ({"channels": 0}, AudioError, "channels = 0"),
        ({"channels": 65}, AudioError, "between 1 and 64"),
        ({"words": []}, ConfigError, "at least one word"),
        ({"words": ["alexa"]}, UnknownModelError, "low tone, high tone"),
        ({"thresholds": 1.0}, ConfigError, "between 0 and 1"),
        ({"thresholds": {"low tone": 0.0}}, ConfigError, "threshold of 'low tone' = 0,"),
        ({"thresholds": {"alexa": 0.5}}, ConfigError, "'alexa'"),
        ({"thresholds": 0.5, "false_alarms_per_hour": 1.0}, ConfigError, "not both"),
        ({"false_alarms_per_hour": 50.0}, ConfigError, "0.1 to 2"),
    ],
)
def test_bad_options_are_one_clear_error(
    engine: Engine, options: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        engine.open_stream(**{"sample_rate": RATE, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.array([0.0, np.nan], np.float32), "NaN"),
        (np.array([np.inf], np.float32), "infinite"),
        (np.full(10, 32_000.0, np.float32), "full scale is 1"),
        (np.zeros((10, 2), np.float32), "1 channels were declared"),
        (np.zeros((1, 1, 1), np.float32), "shape"),
        (np.zeros(4, np.uint8), "uint8"),
        (np.zeros(4, np.complex64), "complex64"),
    ],
)
def test_bad_samples_leave_the_stream_as_it_was(
    engine: Engine, samples: NDArray[np.generic], message: str
) -> None:
    stream, audio = engine.open_stream(RATE), speech(4)
    stream.accept(audio[:5000])
    with pytest.raises(AudioError, match=message):
        stream.accept(samples)
    stream.accept(audio[5000:])
    stream.finish()
    assert_same(engine.step([stream]), whole(engine, audio))


def test_a_failing_network_leaves_all_streams_as_they_were(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = [speech(seed) for seed in range(3)]
    streams = [engine.open_stream(RATE) for _ in audio]
    for stream, samples in zip(streams, audio, strict=True):
        stream.accept(samples)
        stream.finish()

    def fail(*_: object) -> None:
        raise BundleError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(engine._windows, "score", fail)
        with pytest.raises(BundleError, match="broken"):
            engine.step(streams)
    assert [stream.scored_steps for stream in streams] == [0, 0, 0]
    results = engine.step(streams)
    for stream, samples in zip(streams, audio, strict=True):
        assert_same([r for r in results if r.stream is stream], whole(engine, samples))


def test_a_stream_is_stepped_by_its_own_engine_and_once(tiny_bundle: Path, engine: Engine) -> None:
    other = Engine(Bundle.load(tiny_bundle)).open_stream(RATE)
    with pytest.raises(ConfigError, match="the engine that opened it"):
        engine.step([other])
    stream = engine.open_stream(RATE)
    stream.accept(np.zeros(3200, np.float32))
    assert len(engine.step([stream, stream])) == 2


def test_the_caller_may_reuse_its_buffer(engine: Engine) -> None:
    stream, buffer, audio = engine.open_stream(RATE), np.zeros(160, np.float32), speech(6)
    for start in range(0, len(audio), 160):
        buffer[:] = audio[start : start + 160]
        stream.accept(buffer)
    stream.finish()
    assert_same(engine.step([stream]), whole(engine, audio))


def test_memory_grows_with_the_batch_and_not_with_the_audio(tiny_bundle: Path) -> None:
    engine = Engine(Bundle.load(tiny_bundle), max_batch=64)

    def peak_mib(seconds: int) -> float:
        stream = engine.open_stream(RATE)
        stream.accept(np.random.default_rng(0).random(seconds * RATE, np.float32))
        tracemalloc.start()
        engine.step([stream])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak / 2**20

    short, long = peak_mib(10), peak_mib(300)
    assert long - short < 3.0, f"{short:.1f} MiB for 10 s, {long:.1f} MiB for 300 s"


def test_an_idle_stream_keeps_no_memory_of_its_batch(engine: Engine) -> None:
    streams = [engine.open_stream(RATE) for _ in range(8)]
    for stream in streams:
        stream.accept(np.zeros(1600, np.float32))
    engine.step(streams)
    for stream in streams:
        heard = stream.state.heard
        for array in (heard.frames, heard.smoother, heard.frontend.tail, heard.frontend.smoothed):
            assert array.base is None or array.base.size <= array.size


def test_different_threads_may_step_different_streams(engine: Engine) -> None:
    from concurrent.futures import ThreadPoolExecutor

    audio = [speech(seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda samples: whole(engine, samples), audio))
    for results, samples in itertools.zip_longest(together, audio):
        assert_same(results, whole(engine, samples))
