"""Which streams there are, and in which lane each is scored.

The first are scored by threads of this process: a home needs no more. Those that come when there
are ``streams_here`` of them go to processes of their own, which share no interpreter lock: to the
next one only when the last has company enough for its visits to be worth it.
"""

from __future__ import annotations

import asyncio
import threading

from wakeword_service.lane import Lane
from wakeword_service.live import Ending, LiveStream
from wakeword_service.metrics import Metrics
from wakeword_service.opening import SiteThresholds
from wakeword_service.process_lane import ProcessLane
from wakeword_service.scoring import Scoring

FULL = 100
"""Streams of a process before the next one takes any. Half as many in each of two processes would
double the visits, and each visit has a price of its own."""

UNHURRIED = 300
"""Streams up to which the time to gather is as it was set. Beyond, it grows as they do: when the
processor has little left, fewer and larger visits are what brings answers sooner."""

MOST_UNHURRIED = 3.0
"""So many times as long, at most."""


class Scheduler:
    """All streams, and the lanes that score them.

    Parameters
    ----------
    scoring
        What is done with a share of the streams.
    tuning
        Asked for the threshold when it was changed.
    workers
        Threads that score here.
    processes
        Most processes that score beside this one.
    streams_here
        Streams at a time that are scored without them.
    gather_s
        How long the first stream that is due waits for others, up to :data:`UNHURRIED`.
    """

    def __init__(
        self,
        scoring: Scoring,
        tuning: SiteThresholds,
        metrics: Metrics,
        *,
        workers: int,
        processes: int,
        streams_here: int,
        gather_s: float,
    ) -> None:
        self._tuning = tuning
        self._here = Lane(scoring, metrics, workers=workers, gather_s=gather_s)
        self._there = [ProcessLane(scoring, metrics, gather_s=gather_s) for _ in range(processes)]
        self._streams_here, self._gather_s = streams_here, gather_s
        self._counting = threading.Lock()
        self.streams: dict[str, LiveStream] = {}
        """Those that are connected, by id."""

    @property
    def _lanes(self) -> list[Lane]:
        return [self._here, *self._there]

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to score; answers are handed to ``loop``."""
        for lane in self._lanes:
            lane.start(loop)

    def stop(self) -> None:
        """Let the workers finish what they hold, and end them."""
        for lane in self._lanes:
            lane.stop()

    def rest(self) -> None:
        """End processes that nobody has needed for a while; it may take a moment."""
        for lane in self._there:
            lane.rest()

    @property
    def alive(self) -> bool:
        """Whether every worker runs."""
        return all(lane.alive for lane in self._lanes)

    @property
    def pids(self) -> list[int]:
        """Processes that score beside this one."""
        return [pid for lane in self._there if (pid := lane.pid) is not None]

    def enter(self) -> Lane:
        """The lane for a new stream, counted from now on until :meth:`leave`.

        Here while there is room, then the first that is not full, then where fewest are.
        """
        with self._counting:
            lane = self._here
            if self._there and lane.streams >= self._streams_here:
                lane = min(self._there, key=lambda there: max(FULL - 1, there.streams))
            self._count(lane, 1)
        return lane

    def leave(self, lane: Lane) -> None:
        """A stream that was counted in ``lane`` has gone, or never came to be."""
        with self._counting:
            self._count(lane, -1)

    def _count(self, lane: Lane, more: int) -> None:
        lane.streams += more
        crowd = sum(lane.streams for lane in self._lanes) / UNHURRIED
        for each in self._lanes:
            each.gather_s = self._gather_s * min(MOST_UNHURRIED, max(1.0, crowd))

    def add(self, live: LiveStream, lane: Lane) -> None:
        """Serve ``live`` from now on, in the lane whose engines it was opened with."""
        live.lane = lane
        self.streams[live.id] = live
        # A change that came between its opening and this has told only the others.
        for key, source in live.sources.items():
            if source in ("site", "model"):
                live.new_thresholds[key] = self._tuning.threshold(*key)

    def remove(self, live: LiveStream) -> None:
        """Its client has gone: forget it."""
        if self.streams.pop(live.id, None) is not None:
            self.leave(live.lane)
        live.done = True
        live.inbox.clear()

    def end(self, live: LiveStream, ending: Ending) -> None:
        """Let a stream end; the first reason counts."""
        if live.stop(ending):
            live.lane.schedule(live)

    def retune(self, model: str, word: str) -> None:
        """Put a changed threshold of the site in force in all streams, before their next step."""
        key, threshold = (model, word), self._tuning.threshold(model, word)
        for live in list(self.streams.values()):
            if live.sources.get(key) in ("site", "model"):
                live.new_thresholds[key] = threshold

    def lag_s(self, now: float) -> float:
        """How late scoring is: the worst of all lanes."""
        return max(lane.lag_s(now) for lane in self._lanes)
