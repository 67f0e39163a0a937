"""Streams that are scored by the same threads: who is next, and how many together.

Streams that have something to score wait in one of two queues. A worker waits a moment for
others to come in (:attr:`Settings.gather_ms`) unless none is left to come, takes its share of
those that are live, lets streams that are faster than real time use what is left, scores the
whole share together, and hands all answers to the event loop in one go.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from wakeword.runtime import Engine, EngineBase
from wakeword_service.live import MAX_STEPS, LiveStream
from wakeword_service.metrics import Metrics
from wakeword_service.scoring import Scoring

log = structlog.get_logger(__name__)

SHARE = 128
"""Streams that a worker takes at once: some 15 ms of work. More gain little, and all in a share
wait for the last of it."""

BULK_STREAMS = 8
"""Of these at most so many are faster than real time."""

BULK_STEPS_BESIDE_LIVE = SHARE // 4
"""Steps for them in a share that also has live streams: a fifth of its time at most."""

LAG_MEMORY_S = 2.0
"""The lag of the server is the worst of so much time."""


class Lane:
    """Worker threads of this process and the queues that they serve.

    Parameters
    ----------
    scoring
        What is done with a share.
    workers
        Threads.
    gather_s
        How long the first stream that is due waits for others.
    """

    def __init__(
        self, scoring: Scoring, metrics: Metrics, *, workers: int, gather_s: float
    ) -> None:
        self._scoring = scoring
        self._metrics = metrics
        self.gather_s = gather_s
        """As the parameter; it may change at any time."""
        self._workers = workers
        self.streams = 0
        """Streams that are to be scored here, counted by the scheduler."""
        self._held = 0
        self._live: deque[LiveStream] = deque()
        self._bulk: deque[LiveStream] = deque()
        self._first_due = 0.0
        self._waiting = 0
        self._ready = threading.Condition()
        self._stopping = False
        self._lags: deque[tuple[float, float]] = deque()
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def engine(self, engine: Engine) -> EngineBase:
        """Where streams of this lane are to be opened."""
        return engine

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to score; answers are handed to ``loop``."""
        self._loop = loop
        for number in range(self._workers):
            thread = threading.Thread(target=self._work, name=f"score-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Let the workers finish what they hold, and end them."""
        with self._ready:
            self._stopping = True
            self._ready.notify_all()
        for thread in self._threads:
            thread.join()

    @property
    def alive(self) -> bool:
        """Whether every worker runs."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def schedule(self, live: LiveStream) -> None:
        """Let a worker look at ``live`` soon."""
        with self._ready:
            if live.scheduled:
                return
            live.scheduled = True
            self._enqueue(live)
            # Whoever waits for others to come in is not woken for each of them.
            is_first = len(self._live) + len(self._bulk) == 1
            if self._waiting and (is_first or self._complete):
                self._ready.notify()

    def lag_s(self, now: float) -> float:
        """How late scoring is: the worst of the last seconds, and of what waits right now."""
        with self._ready:
            lags = [lag for when, lag in self._lags if when >= now - LAG_MEMORY_S]
            waiting = [live.lag_s(now) for live in self._live]
        return max([*lags, *waiting, 0.0])

    def _enqueue(self, live: LiveStream) -> None:
        if not self._live and not self._bulk:
            self._first_due = time.monotonic()
        (self._bulk if live.is_bulk else self._live).append(live)

    @property
    def _complete(self) -> bool:
        """Whether there is nothing to be gained by waiting for others."""
        here = len(self._live) + len(self._bulk)
        return len(self._live) >= SHARE or here + self._held >= self.streams

    def _work(self) -> None:
        while self._visit():  # a call each, so that nothing is held while nobody is due
            pass

    def _visit(self) -> bool:
        share = self._take()
        if share is None:
            return False
        lives, max_steps = share
        try:
            lag_s = self._scoring.run(lives, max_steps)
            self._remember(lag_s)
        except Exception as why:
            self._fail(lives, why)
        self._give_back(lives)
        return True

    def _take(self) -> tuple[list[LiveStream], int] | None:
        """The next share and the steps that each of its streams may take; None at the end."""
        with self._ready:
            while not self._stopping:
                count = len(self._live) + len(self._bulk)
                wait_s = self._first_due + self.gather_s - time.monotonic() if count else None
                if wait_s is not None and (wait_s <= 0 or self._complete):
                    share = self._share()
                    self._held += len(share[0])
                    if self._waiting and (self._live or self._bulk):
                        self._ready.notify()
                    return share
                self._waiting += 1
                self._ready.wait(wait_s)
                self._waiting -= 1
            return None

    def _share(self) -> tuple[list[LiveStream], int]:
        """Live streams first; the others get a bounded number of steps beside them."""
        fair = -(-len(self._live) // self._workers)
        lives = _pop(self._live, min(SHARE, max(fair, SHARE // 4)))
        bulk = _pop(self._bulk, min(BULK_STREAMS, -(-len(self._bulk) // self._workers)))
        if not bulk:
            return lives, MAX_STEPS
        steps = BULK_STEPS_BESIDE_LIVE if lives else SHARE
        return lives + bulk, max(1, min(MAX_STEPS, steps // len(bulk)))

    def _give_back(self, lives: Sequence[LiveStream]) -> None:
        with self._ready:
            self._held -= len(lives)
            for live in lives:
                live.scheduled = live.needs_visit
                if live.scheduled:
                    self._enqueue(live)
        assert self._loop is not None
        wakes = [live.wake for live in lives if len(live.outbox) or live.held_back]
        if wakes:
            try:
                self._loop.call_soon_threadsafe(_call_all, wakes)
            except RuntimeError:  # the loop was closed: there is nobody to tell
                log.warning("answers came after the end of the event loop", streams=len(wakes))

    def _remember(self, lag_s: float) -> None:
        now = time.monotonic()
        with self._ready:
            self._lags.append((now, lag_s))
            while self._lags[0][0] < now - LAG_MEMORY_S:
                self._lags.popleft()

    def _fail(self, lives: Sequence[LiveStream], why: Exception) -> None:
        """A fault of ours: all streams of the share hear of it, and the worker goes on."""
        self._metrics.faults.labels("worker").inc()
        log.error("scoring failed", streams=len(lives), exc_info=why)
        for live in lives:
            self._scoring.break_off(live, why)


def _pop(queue: deque[LiveStream], most: int) -> list[LiveStream]:
    return [queue.popleft() for _ in range(min(most, len(queue)))]


def _call_all(wakes: Sequence[Callable[[], None]]) -> None:
    for wake in wakes:
        wake()
