"""Engines in a process of their own: many streams, and no share of this interpreter's lock.

Scoring hundreds of streams in threads, Python's lock is handed over thousands of times a second,
and each handing over makes somebody wait. Here only the samples of the next steps go to the other
process and only posteriors come back; what a stream remembers stays there, under a number.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from enum import IntEnum
from itertools import count

import numpy as np
from numpy.typing import NDArray

from wakeword import errors
from wakeword.errors import EngineLostError, WakewordError
from wakeword.runtime.batches import Groups
from wakeword.runtime.bundle import Bundle
from wakeword.runtime.engine_base import MAX_BATCH, EngineBase, Scored
from wakeword.runtime.pipe import read_message, write_message
from wakeword.runtime.room import Room
from wakeword.runtime.stream import Stream

WORKER = "wakeword.runtime.remote_worker"
STOP_S = 5.0
PIPE_BYTES = 2**20
"""What Linux lets a pipe hold at most without privileges."""


class Kind(IntEnum):
    """What a message to the process, or from it, is about."""

    LOAD = 1
    """Number of the engine, metadata as JSON, network."""
    SCORE = 2
    """Number of the engine; numbers of streams, steps of each, samples (nothing where they lie in
    the :class:`Room`); streams and engines that nobody needs any more."""
    DONE = 3
    """Posteriors and smoothed posteriors, after SCORE."""
    FAILED = 4
    """Name and text of the error; nothing has changed."""


class EngineProcess:
    """A process that scores for this one. Threads take turns.

    It ends with this process, however that ends. If it is lost, every call raises from then on:
    start another one, and open new streams.
    """

    def __init__(self) -> None:
        self._room = Room.make()
        shared = () if self._room is None else (self._room.descriptor,)
        self._process = subprocess.Popen(
            [sys.executable, "-m", WORKER, *map(str, shared)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=shared,
            start_new_session=True,  # Ctrl-C on a terminal is for us to handle
        )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        _widen(self._to.fileno())
        self._lock = threading.Lock()
        self._lost = ""
        self._numbers = count(1)
        self._dropped: tuple[deque[int], deque[int]] = (deque(), deque())

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can be used."""
        return not self._lost and self._process.poll() is None

    def engine(self, bundle: Bundle, max_batch: int = MAX_BATCH) -> RemoteEngine:
        """An engine there.

        Raises
        ------
        BundleError
            The network cannot be loaded or does not fit its metadata.
        EngineLostError
            The process has ended.
        """
        number = next(self._numbers)
        metadata = json.dumps(bundle.metadata.to_dict()).encode()
        self._call(Kind.LOAD, _u64(number), metadata, bundle.model)
        return RemoteEngine(self, number, bundle, max_batch)

    def close(self) -> None:
        """End it; what it remembers of streams is gone."""
        self._lost = self._lost or "it was closed"
        with contextlib.suppress(OSError):
            self._to.close()  # it ends when it finds that nobody writes any more
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._from.close()
        with self._lock:
            if self._room is not None:
                self._room.close()
                self._room = None

    def score(
        self, engine: int, streams: bytes, steps: bytes, samples: Sequence[NDArray[np.float32]]
    ) -> list[bytes]:
        """Posteriors and smoothed posteriors of the next steps; for :class:`RemoteEngine`."""
        dropped = [_u64(*(queue.popleft() for _ in range(len(queue)))) for queue in self._dropped]
        chosen = _u64(engine), streams, steps
        with self._lock:
            if self._room is None:
                sent = np.concatenate(samples).data.cast("B")
            else:
                self._room.put(samples)
                sent = memoryview(b"")
            return self._ask(Kind.SCORE, *chosen, sent, *dropped)

    def number(self, of_engine: bool = False) -> Number:
        """A new number for something there, given back when nobody has it any more."""
        return Number(next(self._numbers), self._dropped[of_engine].append)

    def _call(self, kind: Kind, *parts: bytes | memoryview) -> list[bytes]:
        with self._lock:
            return self._ask(kind, *parts)

    def _ask(self, kind: Kind, *parts: bytes | memoryview) -> list[bytes]:
        """As :meth:`_call`, for who has the lock."""
        if self._lost:
            raise EngineLostError(f"the scoring process cannot be used: {self._lost}")
        try:
            write_message(self._to, kind, *parts)
            answer, found = read_message(self._from)
        except (OSError, EOFError, ValueError):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_S)
            self._lost = f"it ended with code {self._process.returncode}"
            raise EngineLostError(f"the scoring process was lost: {self._lost}") from None
        if answer == Kind.FAILED:
            raise _error(*(part.decode() for part in found))
        return found


class Number:
    """What stands here for something in the process."""

    def __init__(self, value: int, drop: Callable[[int], None]) -> None:
        self.value = value
        self._drop = drop

    def __del__(self) -> None:
        self._drop(self.value)


class RemoteEngine(EngineBase):
    """As :class:`wakeword.runtime.Engine`, in an :class:`EngineProcess`: the same scores.

    Detections are found here, so that thresholds can change between any two steps.
    """

    def __init__(self, process: EngineProcess, number: int, bundle: Bundle, max_batch: int) -> None:
        super().__init__(bundle, max_batch)
        self._process = process
        self._number = Number(number, process._dropped[True].append)

    def _nothing_heard(self) -> Number:
        return self._process.number()

    def _kind(self, stream: Stream) -> int:
        return 0  # the engine there sorts them again

    def _score(self, groups: Groups) -> list[Scored]:
        flat = [(s, steps) for (_, steps), streams in groups.items() for s in streams]
        answer = self._process.score(
            self._number.value,
            _u64(*(stream.state.heard.value for stream, _ in flat)),
            _u64(*(steps for _, steps in flat)),
            [stream.pending.peek(steps * self.step_samples) for stream, steps in flat],
        )
        rows = [np.frombuffer(part, np.float32).reshape(-1, len(self.words)) for part in answer]
        scored, at = [], 0
        for (_, steps), streams in groups.items():
            shape = (len(streams), steps, len(self.words))
            posteriors, smoothed = (r[at : at + len(streams) * steps].reshape(shape) for r in rows)
            heard = [stream.state.heard for stream in streams]
            scored.append(Scored(streams, posteriors, smoothed, heard))
            at += len(streams) * steps
        return scored


def _widen(pipe: int) -> None:
    """Let a pipe hold a whole message, so that the two sides need not take turns over it."""
    with contextlib.suppress(ImportError, AttributeError, OSError):  # Linux has it, others not
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _u64(*values: int) -> bytes:
    return np.array(values, np.uint64).tobytes()


def _error(name: str, text: str) -> Exception:
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, WakewordError):
        return kind(text)
    return RuntimeError(f"{name} in the scoring process: {text}")
