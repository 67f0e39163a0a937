"""A lane whose engines run in a process of their own."""

from __future__ import annotations

import threading
import time
from weakref import WeakKeyDictionary

import structlog

from wakeword.runtime import Engine, EngineBase, EngineProcess
from wakeword_service.lane import Lane
from wakeword_service.metrics import Metrics
from wakeword_service.scoring import Scoring

log = structlog.get_logger(__name__)

REST_S = 60.0
"""A process without a stream for so long is ended: what a thousand streams took there goes back
to the system, and to start another takes a second."""


class ProcessLane(Lane):
    """One thread here, one process there; the process starts with the first stream.

    If it is lost, its streams end with a close code that makes clients connect again, and the
    next stream starts another.
    """

    def __init__(self, scoring: Scoring, metrics: Metrics, *, gather_s: float) -> None:
        super().__init__(scoring, metrics, workers=1, gather_s=gather_s)
        self._process: EngineProcess | None = None
        self._engines: WeakKeyDictionary[Engine, EngineBase] = WeakKeyDictionary()
        self._starting = threading.Lock()
        self._needed = 0.0

    @property
    def pid(self) -> int | None:
        """Of the process, while one runs."""
        process = self._process
        return process.pid if process is not None and process.alive else None

    def engine(self, engine: Engine) -> EngineBase:
        """The same engine in the process; it may have to start."""
        with self._starting:
            self._needed = time.monotonic()
            if self._process is None or not self._process.alive:
                self._begin()
            assert self._process is not None
            if engine not in self._engines:
                self._engines[engine] = self._process.engine(engine.bundle)
            return self._engines[engine]

    def stop(self) -> None:
        """End the thread, and then the process."""
        super().stop()
        with self._starting:
            if self._process is not None:
                self._process.close()

    def rest(self) -> None:
        """End the process where nobody has needed it for :data:`REST_S`; it may take a moment."""
        if self.pid is None:
            return
        with self._starting:  # who comes now is counted already, or waits until it has ended
            now = time.monotonic()
            if self.streams:
                self._needed = now
            elif self._process is not None and now - self._needed > REST_S:
                self._process.close()
                log.info("scoring process ended: no stream needs it", pid=self._process.pid)

    def _begin(self) -> None:
        if self._process is not None:
            self._process.close()
        self._engines = WeakKeyDictionary()
        self._process = EngineProcess()
        log.info("scoring process started", pid=self._process.pid)
