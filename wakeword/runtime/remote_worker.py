"""The process behind :class:`wakeword.runtime.remote.EngineProcess`.

It reads what to do from standard input and ends with it: then nobody needs it any more.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import WakewordError
from wakeword.runtime.bundle import Bundle
from wakeword.runtime.engine import Engine
from wakeword.runtime.memory import keep_memory
from wakeword.runtime.metadata import BundleMetadata
from wakeword.runtime.pipe import read_message, write_message
from wakeword.runtime.remote import Kind
from wakeword.runtime.stream import SampleQueue, Stream

NEVER = 1.0 - 1e-12
"""Detections are found by the process that asked."""


class Worker:
    """Engines and streams by the numbers that the other process gave them."""

    def __init__(self) -> None:
        self._engines: dict[int, Engine] = {}
        self._streams: dict[int, Stream] = {}

    def answer(self, kind: int, parts: Sequence[bytes]) -> list[bytes]:
        """Do what a message asks."""
        if kind == Kind.LOAD:
            metadata = BundleMetadata.from_dict(json.loads(parts[1]))
            bundle = Bundle(Path(metadata.name), metadata, parts[2])
            self._engines[_numbers(parts[0])[0]] = Engine(bundle)
            return []
        engine, numbers, steps, samples, streams_gone, engines_gone = parts
        for number in _numbers(streams_gone):
            self._streams.pop(number, None)
        for number in _numbers(engines_gone):
            self._engines.pop(number, None)
        return self._score(
            self._engines[_numbers(engine)[0]],
            _numbers(numbers),
            _numbers(steps),
            np.frombuffer(samples, np.float32),
        )

    def _score(
        self, engine: Engine, numbers: list[int], steps: list[int], samples: NDArray[np.float32]
    ) -> list[bytes]:
        for number in numbers:
            if number not in self._streams:
                self._streams[number] = engine.open_stream(engine.sample_rate, thresholds=NEVER)
        streams = [self._streams[number] for number in numbers]
        ends = np.cumsum(steps) * engine.step_samples
        before = [stream.state for stream in streams]
        try:
            for stream, piece in zip(streams, np.split(samples, ends[:-1]), strict=True):
                stream.accept(piece)
            results = engine.step(streams)
        except Exception:  # wholly or not at all
            for stream, state in zip(streams, before, strict=True):
                stream.state, stream.pending = state, SampleQueue()
            raise
        return [
            np.array([r.posteriors for r in results], np.float32).tobytes(),
            np.array([r.smoothed for r in results], np.float32).tobytes(),
        ]


def main() -> None:
    """Answer until nobody asks any more."""
    source, sink = sys.stdin.buffer, _answers()
    keep_memory()
    worker = Worker()
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


def _answers() -> BinaryIO:
    """Standard output for answers alone: whatever else is printed goes to standard error."""
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return sink


def _numbers(data: bytes) -> list[int]:
    return [int(value) for value in np.frombuffer(data, np.uint64)]


if __name__ == "__main__":
    main()
