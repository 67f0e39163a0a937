"""What scoring takes goes back: the rows of a crowd that has gone, the room of large batches."""

import gc
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from engine_runs import speech, whole

from wakeword.runtime import Engine, EngineProcess, Stream, find_bundle
from wakeword.runtime.remote_worker import score
from wakeword.runtime.rows import Rows

MIB = 2**20
STAY = [3, 17, 39]
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and glibc")


@pytest.fixture
def process() -> Iterator[EngineProcess]:
    started = EngineProcess()
    yield started
    started.close()


def resident_mib(process: EngineProcess) -> float:
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * 4096 / MIB


def test_streams_that_stay_hear_on_when_a_crowd_has_gone() -> None:
    engine = Engine(find_bundle("seven"))
    rows, step = Rows(engine), engine.step_samples
    sounds = {n: speech(n)[: 40 * step].reshape(40, step) for n in range(60)}
    heard: dict[int, list[np.ndarray]] = {n: [] for n in sounds}
    for at in range(40):
        if at == 20:
            crowded = rows._table.nbytes
            rows.forget(n for n in sounds if n not in STAY)
            assert rows.shrink() and not rows.shrink()
            assert len(rows) == 3 and rows._table.nbytes < crowded / 2
        here = list(sounds) if at < 20 else STAY
        samples = np.concatenate([sounds[n][at] for n in here])
        _, smoothed = score(engine, rows, rows.find(here), np.ones(len(here), np.int64), samples)
        for n, found in zip(here, smoothed, strict=True):
            heard[n].append(found)
    for n in STAY:
        expected = [r.smoothed for r in whole(engine, sounds[n].ravel())][:40]
        np.testing.assert_allclose(heard[n], expected, rtol=2e-5, atol=2e-6)


@linux
def test_a_process_gives_the_memory_of_a_crowd_back(process: EngineProcess) -> None:
    engine = process.engine(find_bundle("seven"))
    few = [engine.open_stream(16_000) for _ in range(4)]
    step(few, [8] * 4)
    before = resident_mib(process)
    crowd = [engine.open_stream(16_000) for _ in range(1_000)]
    step(crowd, [1] * len(crowd))
    most = resident_mib(process)
    assert most - before > 60.0, "the crowd was to take memory"
    del crowd
    gc.collect()
    step(few, [1] * 4)
    step(few, [1] * 4)
    kept = resident_mib(process) - before
    assert kept < (most - before) / 3, f"{kept:.0f} of {most - before:.0f} MiB did not go back"


@linux
def test_batches_of_all_sizes_take_no_more_than_the_largest(process: EngineProcess) -> None:
    engine = process.engine(find_bundle("seven"))
    streams = [engine.open_stream(16_000) for _ in range(128)]
    for steps in (1, 1, 4):
        step(streams, [steps] * len(streams))
    warm, dice = resident_mib(process), np.random.default_rng(0)
    for _ in range(60):
        chosen = dice.choice(128, int(dice.integers(1, 129)), replace=False)
        step([streams[n] for n in chosen], dice.integers(1, 4, len(chosen)).tolist())
    assert resident_mib(process) < 1.1 * warm


def step(streams: Sequence[Stream], steps: Sequence[int]) -> None:
    """Score so many steps of noise of each stream, all together."""
    dice = np.random.default_rng(len(streams))
    for stream, count in zip(streams, steps, strict=True):
        noise = dice.standard_normal(count * stream.engine.step_samples, np.float32)
        stream.accept(0.1 * noise)
    streams[0].engine.step(streams)
