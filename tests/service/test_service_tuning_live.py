"""Score peaks of live use: the detector's own rule at every threshold, kept through anything."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from bundles import load_tiny_bundle, tiny_metadata, with_bursts
from hypothesis import given, settings
from hypothesis import strategies as st
from live_use import KITCHEN, LIVE, START, Clock, hear, recorder_of
from numpy.typing import NDArray
from wakeword_service.peaks import GRID, PeakCounter
from wakeword_service.recorder import Recorder
from wakeword_service.settings import Settings
from wakeword_service.steady import SteadyClock
from wakeword_service.store import DetectionFilter, LiveSums, StorageFull, Store

from wakeword.audio.files import read_audio
from wakeword.evaluation.curve import sweep
from wakeword.runtime import Engine, StepResult, Stream


def results(stream: Stream, scores: NDArray[np.float32]) -> list[StepResult]:
    """Steps with these scores (steps, words)."""
    return [StepResult(stream, i, (i + 1) * 1600, row, row, ()) for i, row in enumerate(scores)]


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 40), max_size=12), st.booleans())
@settings(max_examples=40)
def test_every_threshold_fires_as_the_evaluation_counts(
    engine: Engine, seed: int, cuts: list[int], quiet: bool
) -> None:
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0, 2.5, (120, 2)), axis=0) - (4.0 if quiet else 0.0)
    scores = (1.0 / (1.0 + np.exp(-walk))).astype(np.float32)
    stream = engine.open_stream(16_000)
    counter = PeakCounter(stream)
    fired: dict[tuple[str, float], int] = {}
    edges = sorted({0, 120, *np.cumsum(cuts)[np.cumsum(cuts) < 120].tolist()} if cuts else {0, 120})
    steps = results(stream, scores)
    for first, stop in pairwise(edges):
        for key in counter.process(steps[first:stop]):
            fired[key] = fired.get(key, 0) + 1
    for column, word in enumerate(stream.words):
        wanted = sweep(scores[:, column], np.array(GRID), 10).false_alarms
        assert [fired.get((word, t), 0) for t in GRID] == wanted.tolist()


def test_real_words_give_peaks_and_times(store: Store, repository: Path, engine: Engine) -> None:
    from wakeword.runtime import find_bundle

    seven = Engine(find_bundle("seven"))
    clock = Clock()
    recorder = recorder_of(store, clock)
    stream = seven.open_stream(16_000)
    samples = read_audio(repository / "samples" / "words.flac")
    stream.accept(samples)
    stream.finish()
    steps = seven.step([stream])
    recorder.steps(LIVE, steps)
    for result in steps:
        for detection in result.detections:
            recorder.detection(LIVE, detection, None)
    recorder.flush()
    rows = store.detections.page(DetectionFilter(), 100)
    assert len(rows) == 7
    for row in rows:
        column = stream.words.index(row.word)
        at = round(row.end_s * 10) - 1
        highest = max(float(r.smoothed[column]) for r in steps[at : at + 10])
        assert row.peak == pytest.approx(highest) and row.peak >= row.score >= row.threshold
    minute = int(clock.wall_s // 60)
    sums = store.live.sums("seven", seven.bundle.sha256, minute, minute)
    heard_s = len(samples) // 1600 / 10
    assert {w: s.seconds for w, s in sums.items()} == pytest.approx(
        dict.fromkeys(stream.words, heard_s)
    )
    for row in rows:
        assert all(sums[row.word].fired[t] >= 1 for t in GRID if t <= row.peak)


def test_a_stream_that_continues_another_counts_nothing_twice(store: Store, engine: Engine) -> None:
    start = replace(START, first_sample=80_000, detect_after_sample=160_000)
    live = SimpleNamespace(id="stream-2", name=None, start=start)
    recorder = recorder_of(store, Clock())
    stream = engine.open_stream(16_000, 1, KITCHEN)
    stream.accept(with_bursts(9.0, [(2.0, "low tone"), (7.0, "low tone")]))
    recorder.steps(live, engine.step([stream]))
    recorder.flush()
    sums = store.live.sums("tiny", engine.bundle.sha256, 0, 2**40)
    assert sums["low tone"].seconds == pytest.approx(4.0) and sums["low tone"].fired[0.5] == 1


def test_steps_of_several_models_may_be_mixed(store: Store, tmp_path: Path) -> None:
    engines = [
        Engine(load_tiny_bundle(tmp_path / name, tiny_metadata(name))) for name in ("one", "two")
    ]
    sound = with_bursts(4.0, [(1.0, "low tone")])
    steps: list[StepResult] = []
    for engine, extra in zip(engines, (1600, 0), strict=True):
        stream = engine.open_stream(16_000, 1, KITCHEN)
        stream.accept(np.pad(sound, (0, extra)))
        steps += engine.step([stream])
    recorder = recorder_of(store, Clock())
    recorder.steps(LIVE, sorted(steps, key=lambda step: step.end_s))
    recorder.flush()
    for engine, seconds in zip(engines, (4.1, 4.0), strict=True):
        sums = store.live.sums(engine.bundle.name, engine.bundle.sha256, 0, 2**40)
        assert sums["low tone"] == LiveSums(pytest.approx(seconds), sums["low tone"].fired)
        assert sums["low tone"].fired[0.5] == 1


def test_what_was_told_is_written_within_a_second_and_survives(
    tmp_path: Path, engine: Engine
) -> None:
    store = Store(tmp_path)
    recorder = Recorder(store, Settings())
    recorder.start()
    (one,) = hear(recorder, engine, with_bursts(5.0, [(1.0, "low tone")]))
    deadline = time.monotonic() + 10.0
    other = Store(tmp_path)  # as another process would see it
    while other.detections.get(one) is None or not other.live.sums(
        "tiny", engine.bundle.sha256, 0, 2**40
    ):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    other.close()
    recorder.stop()
    recorder.stop()
    store.close()


def test_many_threads_lose_no_second(store: Store, engine: Engine) -> None:
    clock = Clock()
    recorder = recorder_of(store, clock)
    sound = with_bursts(6.0, [(1.0, "low tone")])
    threads = [threading.Thread(target=hear, args=(recorder, engine, sound)) for _ in range(6)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        recorder.flush()
    recorder.flush()
    sums = store.live.sums("tiny", engine.bundle.sha256, 0, 2**40)
    assert sums["low tone"].seconds == pytest.approx(36.0)
    assert sums["low tone"].fired[0.5] == 6
    assert len(store.detections.page(DetectionFilter(word="low tone"), 100)) == 6


def test_a_full_disk_delays_and_loses_nothing(
    store: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = recorder_of(store, Clock())

    def full(*_: object) -> None:
        raise StorageFull("the disk is full")

    with monkeypatch.context() as broken:
        for table in (store.live, store.detections):
            broken.setattr(table, "add", full)
        found = hear(recorder, engine, with_bursts(5.0, [(1.0, "low tone")]))
        assert not recorder.flush() and not recorder.flush()
    assert recorder.flush()
    assert store.detections.get(found[0]) is not None
    sums = store.live.sums("tiny", engine.bundle.sha256, 0, 2**40)
    assert sums["low tone"].seconds == pytest.approx(5.0)


@pytest.mark.parametrize("jump_s", [-1e9, -3600.0, 3600.0, 30 * 86_400.0, 1e12, 1e18, -1e18])
def test_a_jump_of_the_clock_breaks_nothing(store: Store, engine: Engine, jump_s: float) -> None:
    clock = Clock()
    recorder = recorder_of(store, clock)
    sound = with_bursts(3.0, [(1.0, "low tone")])
    hear(recorder, engine, sound)
    recorder.flush()
    before = clock.wall_s
    clock.wall_s += jump_s
    clock.monotonic_s += 1.0
    found = hear(recorder, engine, sound)
    assert recorder.flush() and store.detections.get(found[0]) is not None
    recorder._tidy()
    clock.wall_s = before + 2.0
    clock.monotonic_s += 1.0
    recorder._tidy()
    minute = int(before // 60)
    kept = store.live.sums("tiny", engine.bundle.sha256, minute - 60, minute)
    assert kept["low tone"].seconds >= 3.0  # the jump was taken back, and nothing was deleted


def test_what_is_old_goes_when_the_clock_is_steady(store: Store, engine: Engine) -> None:
    clock = Clock()
    recorder = recorder_of(store, clock)
    hear(recorder, engine, with_bursts(3.0, [(1.0, "low tone")]))
    recorder.flush()
    for _ in range(9 * 24):
        clock.tick(3600.0)
        recorder._tidy()
    assert not store.live.sums("tiny", engine.bundle.sha256, 0, 2**40)


def test_a_clock_is_steady_again_an_hour_after_a_jump() -> None:
    clock = Clock()
    steady = SteadyClock(lambda: clock.wall_s, lambda: clock.monotonic_s)
    assert steady.is_steady()
    clock.wall_s += 90.0
    assert not steady.is_steady()
    clock.tick(3599.0)
    assert not steady.is_steady()
    clock.tick(2.0)
    assert steady.is_steady()


def test_a_new_version_of_the_model_starts_anew(store: Store, tmp_path: Path) -> None:
    recorder = recorder_of(store, Clock())
    for words in (("low tone",), ("low tone", "high tone")):
        bundle = load_tiny_bundle(tmp_path / "m", tiny_metadata(words=words))
        stream_words = {w: 0.5 for w in words}
        stream = Engine(bundle).open_stream(16_000, 1, stream_words)
        stream.accept(np.zeros(32_000, np.float32))
        recorder.steps(LIVE, stream.engine.step([stream]))
        recorder.flush()
        sums = store.live.sums("tiny", bundle.sha256, 0, 2**40)
        assert sums == {w: LiveSums(pytest.approx(2.0), {}) for w in words}
