"""Engines in a process of their own: the same scores, and a clear error when it is gone."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engine_runs import assert_same, detections, feed, speech, whole

from wakeword.errors import AudioError, BundleError, EngineLostError
from wakeword.runtime import Bundle, Engine, EngineProcess
from wakeword.runtime.room import Room


@pytest.fixture(scope="module")
def bundle(tiny_bundle) -> Bundle:
    return Bundle.load(tiny_bundle)


@pytest.fixture(scope="module")
def engine(bundle: Bundle) -> Engine:
    return Engine(bundle)


@pytest.fixture
def process() -> Iterator[EngineProcess]:
    started = EngineProcess()
    yield started
    started.close()


def test_many_streams_in_random_chunks_get_what_they_get_here(
    engine: Engine, process: EngineProcess
) -> None:
    found = []
    for tested in (engine, process.engine(engine.bundle, max_batch=13)):
        streams = [tested.open_stream(16_000) for _ in range(7)]
        audio = [speech(seed) for seed in range(7)]
        results, ends = [], [0] * 7
        rng = np.random.default_rng(1)
        while any(end < len(a) for end, a in zip(ends, audio, strict=True)):
            for i, stream in enumerate(streams):
                begin, ends[i] = ends[i], ends[i] + int(rng.integers(0, 9000))
                stream.accept(audio[i][begin : ends[i]])
            results += tested.step(streams, max_steps=int(rng.integers(1, 5)))
        for stream in streams:
            stream.finish()
        results += tested.step(streams)
        found.append(sorted(results, key=lambda r: (streams.index(r.stream), r.index)))
    assert detections(found[0])
    assert_same(*found)


def test_samples_go_through_the_pipe_where_two_processes_share_no_memory(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Room, "make", staticmethod(lambda: None))
    process = EngineProcess()
    try:
        assert_same(whole(process.engine(engine.bundle), speech(3)), whole(engine, speech(3)))
    finally:
        process.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such files")
def test_a_room_grows_and_the_other_side_sees_what_was_put() -> None:
    ours = Room.make()
    assert ours is not None
    theirs = Room(os.dup(ours.descriptor))
    dice, files = np.random.default_rng(0), len(os.listdir("/proc/self/fd"))
    for sizes in ([3, 4], [1], [5000, 1600], [7], [300_000], [2], [1_000_000]):
        pieces = [dice.standard_normal(size).astype(np.float32) for size in sizes]
        ours.put(pieces)
        assert np.array_equal(theirs.look(sum(sizes)), np.concatenate(pieces))
        assert len(os.listdir("/proc/self/fd")) == files
    ours.close()
    theirs.close()


def test_reset_other_rates_and_retuning_work_as_ever(
    engine: Engine, process: EngineProcess
) -> None:
    remote = process.engine(engine.bundle)
    assert_same(whole(remote, speech(3), 48_000), whole(engine, speech(3), 48_000))
    stream = remote.open_stream(16_000)
    feed(remote, stream, [speech(1), speech(2)])
    stream.reset()
    stream.retune(0.999)
    assert not detections(feed(remote, stream, [np.zeros(16_000, np.float32)]))
    stream.reset()
    stream.retune({"low tone": 0.5})
    here = engine.open_stream(16_000, thresholds=dict(stream.thresholds))
    assert_same(feed(remote, stream, [speech(4)]), feed(engine, here, [speech(4)]))


def test_audio_that_cannot_be_scored_changes_nothing(
    engine: Engine, process: EngineProcess
) -> None:
    remote = process.engine(engine.bundle)
    stream, samples = remote.open_stream(16_000), speech(5)
    first = feed_steps(remote, stream, samples[:16_000])
    stream.accept(samples[16_000:20_800])
    kept = stream.pending.peek(4800).copy()
    stream.pending.peek(4800)[:] = 1e9
    with pytest.raises(AudioError, match="full scale"):
        remote.step([stream])
    stream.pending.peek(4800)[:] = kept
    rest = remote.step([stream]) + feed(remote, stream, [samples[20_800:]])
    assert_same(first + rest, whole(engine, samples))


def feed_steps(engine, stream, samples):
    stream.accept(samples)
    return engine.step([stream])


def test_a_network_that_cannot_run_is_refused(bundle: Bundle, process: EngineProcess) -> None:
    with pytest.raises(BundleError):
        process.engine(replace(bundle, model=b"garbage"))
    assert process.alive and whole(process.engine(bundle), speech(1))


def test_what_nobody_needs_any_more_is_given_back(
    engine: Engine, process: EngineProcess
) -> None:
    remote, other = process.engine(engine.bundle), process.engine(engine.bundle)
    for _ in range(3):
        for seed in range(4):
            whole(remote, speech(seed, 0.3))
        gc.collect()
    assert len(process._dropped[False]) <= 4, "numbers of streams went back with the next call"
    del other
    gc.collect()
    assert len(process._dropped[True]) == 1
    whole(remote, speech(0, 0.3))
    assert not process._dropped[True]


def test_a_lost_process_is_an_error_and_never_a_wait(
    engine: Engine, process: EngineProcess
) -> None:
    remote = process.engine(engine.bundle)
    stream = remote.open_stream(16_000)
    os.kill(process.pid, signal.SIGKILL)
    stream.accept(speech(1))
    for _ in range(2):
        with pytest.raises(EngineLostError, match="-9"):
            remote.step([stream])
    assert not process.alive and stream.scored_steps == 0
    with pytest.raises(EngineLostError):
        process.engine(engine.bundle)


def test_it_ends_with_the_process_that_started_it() -> None:
    code = (
        "import os, signal\n"
        "from wakeword.runtime import EngineProcess\n"
        "print(EngineProcess().pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    pid, deadline = int(done.stdout), time.monotonic() + 20.0
    while is_running(pid):
        assert time.monotonic() < deadline, "the scoring process stayed behind"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
