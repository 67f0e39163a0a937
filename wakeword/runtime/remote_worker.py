"""The process behind :class:`wakeword.runtime.remote.EngineProcess`.

It reads what to do from standard input and ends with it: then nobody needs it any more.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import WakewordError
from wakeword.runtime.bundle import Bundle
from wakeword.runtime.engine import Engine
from wakeword.runtime.memory import give_memory_back, keep_memory
from wakeword.runtime.metadata import BundleMetadata
from wakeword.runtime.pipe import read_message, write_message
from wakeword.runtime.remote import Kind
from wakeword.runtime.room import Room
from wakeword.runtime.rows import Rows

GIVE_BACK_S = 20.0
"""How often free memory goes back to the system; a moment's work between two answers."""


class Worker:
    """Engines by the numbers that the other process gave them, and what their streams heard."""

    def __init__(self, room: Room | None = None) -> None:
        self._room = room
        self._engines: dict[int, tuple[Engine, Rows]] = {}

    def answer(self, kind: int, parts: Sequence[bytes]) -> list[bytes]:
        """Do what a message asks."""
        if kind == Kind.LOAD:
            metadata = BundleMetadata.from_dict(json.loads(parts[1]))
            engine = Engine(Bundle(Path(metadata.name), metadata, parts[2]))
            self._engines[_numbers(parts[0])[0]] = engine, Rows(engine)
            return []
        chosen, streams, steps, samples, streams_gone, engines_gone = parts
        for number in _numbers(engines_gone):
            self._engines.pop(number, None)
        self._forget(_numbers(streams_gone))
        engine, rows = self._engines[_numbers(chosen)[0]]
        counts = np.frombuffer(steps, np.uint64).astype(np.int64)
        if self._room is not None:
            heard = self._room.look(int(counts.sum()) * engine.step_samples)
        else:
            heard = np.frombuffer(samples, np.float32)
        found = score(engine, rows, rows.find(_numbers(streams)), counts, heard)
        return [part.tobytes() for part in found]

    def _forget(self, streams: Sequence[int]) -> None:
        for _, rows in self._engines.values():
            rows.forget(streams)
            if rows.shrink():
                give_memory_back()


def score(
    engine: Engine,
    rows: Rows,
    chosen: NDArray[np.int64],
    steps: NDArray[np.int64],
    samples: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Score the next ``steps`` of each of the ``chosen`` rows, wholly or not at all.

    Parameters
    ----------
    samples
        Those of all, one stream behind the other.

    Returns
    -------
    posteriors, smoothed (steps of all streams, words)
    """
    ends = np.cumsum(steps)
    posteriors, smoothed = np.empty((2, int(steps.sum()), len(engine.words)), np.float32)
    by_step = samples.reshape(-1, engine.step_samples)
    rows.make_room(len(by_step))
    moved, steps_taken = [], 0
    # One number for both, because unique() takes ten times as long with rows of two.
    kinds = rows.tail_samples(chosen) * (len(by_step) + 1) + steps
    for kind in np.unique(kinds):
        at = np.flatnonzero(kinds == kind)
        places = (ends[at, None] - steps[at[0]] + np.arange(steps[at[0]])).ravel()
        new, averaged, heard = engine.advance(
            rows.take(chosen[at], steps_taken), by_step[places].reshape(len(at), -1)
        )
        steps_taken += len(places)
        posteriors[places] = new.reshape(len(places), -1)
        smoothed[places] = averaged.reshape(len(places), -1)
        moved.append((chosen[at], replace(heard, frames=heard.frames.copy())))
    for where, heard in moved:
        rows.put(where, heard)
    return posteriors, smoothed


def main() -> None:
    """Answer until nobody asks any more."""
    source, sink = sys.stdin.buffer, _answers()
    keep_memory()
    room = Room(int(sys.argv[1])) if len(sys.argv) > 1 else None
    worker, give_back = Worker(room), 0.0
    while True:
        try:
            kind, parts = read_message(source)
        except EOFError:
            return
        try:
            answer: tuple[int, list[bytes]] = (Kind.DONE, worker.answer(kind, parts))
        except WakewordError as why:
            answer = (Kind.FAILED, [type(why).__name__.encode(), str(why).encode()])
        except Exception as why:
            sys.excepthook(type(why), why, why.__traceback__)
            answer = (Kind.FAILED, [type(why).__name__.encode(), str(why).encode()])
        write_message(sink, answer[0], *answer[1])
        if time.monotonic() >= give_back:
            give_memory_back()
            give_back = time.monotonic() + GIVE_BACK_S


def _answers() -> BinaryIO:
    """Standard output for answers alone: whatever else is printed goes to standard error."""
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return sink


def _numbers(data: bytes) -> list[int]:
    return [int(value) for value in np.frombuffer(data, np.uint64)]


if __name__ == "__main__":
    main()
