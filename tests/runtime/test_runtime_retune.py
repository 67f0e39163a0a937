"""What a server needs of streams: thresholds that change while they run, and bounded steps."""

import numpy as np
import pytest
from bundles import RATE, with_bursts
from engine_runs import assert_same, detections, feed, speech, whole
from hypothesis import given, settings
from hypothesis import strategies as st

from wakeword.errors import ConfigError
from wakeword.runtime import Engine, StepResult, Stream


def drain(engine: Engine, streams: list[Stream], max_steps: int) -> list[list[StepResult]]:
    """Results of each stream, from steps that take at most ``max_steps`` of each."""
    results: list[list[StepResult]] = [[] for _ in streams]
    while any(stream.due_steps for stream in streams):
        found = engine.step(streams, max_steps)
        for own, stream in zip(results, streams, strict=True):
            new = [r for r in found if r.stream is stream]
            assert len(new) <= max_steps
            own += new
    return results


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
@settings(max_examples=20)
def test_bounded_steps_find_the_same(engine: Engine, seed: int, max_steps: int) -> None:
    sounds = [speech(seed), speech(seed + 1, 2.0), speech(seed + 2, 0.3)]
    streams = [engine.open_stream(RATE) for _ in sounds]
    for stream, sound in zip(streams, sounds, strict=True):
        stream.accept(sound)
        stream.finish()
    for results, sound in zip(drain(engine, streams, max_steps), sounds, strict=True):
        assert_same(results, whole(engine, sound))


def test_a_long_backlog_takes_no_more_than_its_share(engine: Engine) -> None:
    live, bulk = engine.open_stream(RATE), engine.open_stream(RATE)
    live.accept(np.zeros(1600, np.float32))
    bulk.accept(np.zeros(160_000, np.float32))
    results = engine.step([bulk, live], max_steps=3)
    assert [r.stream for r in results] == [bulk, bulk, bulk, live]
    assert (bulk.due_steps, live.due_steps) == (97, 0)


@pytest.mark.parametrize("max_steps", [0, -1])
def test_no_steps_at_all_are_refused(engine: Engine, max_steps: int) -> None:
    with pytest.raises(ConfigError, match=f"max_steps = {max_steps}, but it must be at least 1"):
        engine.step([], max_steps)


def test_a_new_threshold_counts_from_the_next_step(engine: Engine) -> None:
    """As if the stream had been opened with it, but for what was detected before."""
    samples = with_bursts(6.0, [(1.0, "low tone"), (4.0, "low tone")])
    stream = engine.open_stream(RATE)
    results = []
    for at, threshold in ((0, 0.6), (48_000, 0.9)):
        stream.retune({"low tone": threshold})
        stream.accept(samples[at : at + 48_000])
        results += engine.step([stream])
    first, second = detections(results)
    assert first.end_sample == detections(whole(engine, samples))[0].end_sample
    opened = feed(engine, engine.open_stream(RATE, thresholds=0.9), [samples])
    expected = detections(opened)[1]
    assert (second.end_sample, second.threshold) == (expected.end_sample, 0.9)
    assert stream.thresholds == {"low tone": 0.9, "high tone": 0.6}
    for found, whole_run in zip(results, opened, strict=False):
        np.testing.assert_allclose(found.smoothed, whole_run.smoothed, rtol=2e-5, atol=1e-6)


def test_a_word_above_its_new_threshold_has_just_crossed_it(engine: Engine) -> None:
    stream = engine.open_stream(RATE, thresholds=0.999_999)
    stream.accept(with_bursts(1.5, [(1.0, "low tone")]))
    before = engine.step([stream])
    assert not detections(before) and before[-1].smoothed[0] > 0.5
    stream.retune(0.3)
    stream.accept(np.zeros(1600, np.float32))
    (found,) = detections(engine.step([stream]))
    assert (found.end_sample, found.threshold) == (25_600, 0.3)


def test_retuning_does_not_repeat_an_utterance(engine: Engine) -> None:
    stream = engine.open_stream(RATE)
    stream.accept(with_bursts(1.5, [(1.0, "low tone")]))
    assert len(detections(engine.step([stream]))) == 1
    for threshold in (0.9, 0.3):
        stream.retune(threshold)
        stream.accept(np.zeros(1600, np.float32))
        assert not detections(engine.step([stream]))


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        (1.0, "threshold of 'low tone' = 1,"),
        ({"high tone": 0.7, "low tone": -1.0}, "threshold of 'low tone' = -1,"),
        ({"alexa": 0.5}, "a threshold was given for 'alexa'"),
        (float("nan"), "= nan, but it must be between 0 and 1"),
    ],
)
def test_a_bad_threshold_changes_nothing(
    engine: Engine, thresholds: float | dict[str, float], message: str
) -> None:
    stream = engine.open_stream(RATE)
    with pytest.raises(ConfigError, match=message):
        stream.retune(thresholds)
    assert stream.thresholds == {"low tone": 0.6, "high tone": 0.6}
