"""What happens in live use, on its way to the store: detections, clips, score peaks.

The scheduler's threads only add to memory. One thread of our own writes: detections soon, all else
every second, so that a crash loses the last second at most.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Protocol
from weakref import WeakKeyDictionary, ref

import numpy as np
from numpy.typing import NDArray

from wakeword.protocol import StartMessage
from wakeword.runtime import Detection, StepResult, Stream
from wakeword_service.clips import Clips
from wakeword_service.detection_queue import DetectionQueue
from wakeword_service.live_counts import LiveCounts
from wakeword_service.peaks import PeakCounter
from wakeword_service.settings import Settings
from wakeword_service.steady import SteadyClock
from wakeword_service.store import DetectionRow, Store, StoreError
from wakeword_service.utterances import Event, Utterances

logger = logging.getLogger(__name__)

FLUSH_S = 1.0
"""Between two looks at what all streams have heard."""

SOONEST_FLUSH_S = 0.2
"""Between two commits of detections: with a thousand streams there is always one to write."""

TIDY_S = 60.0
LIVE_DAYS = 8


class Live(Protocol):
    """What is read of a running stream."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def start(self) -> StartMessage: ...


class Recorder:
    """Takes what the scheduler hears; :meth:`start` it before, :meth:`stop` it after.

    Everything that waits for the disk is bounded: where the disk stays full, the oldest are
    dropped, and the log says so.

    Parameters
    ----------
    clock, monotonic
        The wall clock, for dates and windows only, and one that never jumps, in seconds.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._keep_clips = settings.keep_clips
        self.clips = Clips(store, settings.clip_retention_h * 3600.0, settings.clip_max_bytes)
        self._clock, self._monotonic = clock, monotonic
        self._steady = SteadyClock(clock, monotonic)
        self._counts = LiveCounts()
        self._counters: WeakKeyDictionary[Stream, PeakCounter] = WeakKeyDictionary()
        self._running: dict[PeakCounter, tuple[ref[Stream], int]] = {}
        self._lock = threading.Lock()
        self._utterances = Utterances(monotonic)
        self._detections = DetectionQueue(store, self.clips, self._utterances)
        self._flushing = threading.Lock()
        self._failing = False
        self._tidied_s, self._counted_s = -TIDY_S, -FLUSH_S
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write."""
        self.clips.sweep()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and end; may be called twice."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def steps(self, live: Live, results: Sequence[StepResult]) -> None:
        """Count at which thresholds these steps would have fired.

        Steps of one stream come in the order of time and from one thread at a time; different
        streams may come from different threads.
        """
        stream = results[0].stream
        if len(results) > 1 and any(result.stream is not stream for result in results):
            for _, group in groupby(results, key=attrgetter("stream")):
                self.steps(live, list(group))
            return
        counter = self._counters.get(stream) or self._counter(live, stream)
        if firings := counter.process(results):
            self._counts.fired(counter.model, firings)
        for result in results:
            if result.detections:
                for detection, utterance in counter.opened(results):
                    event = _event(live, detection)
                    self._utterances.begin(event, utterance, counter.model.sha256)
                return

    def detection(self, live: Live, detection: Detection, clip: NDArray[np.int16] | None) -> str:
        """Record a detection, after :meth:`steps` took its step; returns the id it has from now on.

        Parameters
        ----------
        clip (n,) int16
            Its sound at the detection's rate; kept only where the owner wants that.
        """
        number, event = secrets.token_hex(8), _event(live, detection)
        peak, sha256 = self._utterances.look(event) or (detection.score, "")
        row = DetectionRow(
            id=number, when_s=self._clock(), stream_id=live.id, stream_name=live.name or "",
            model=detection.model, model_sha256=sha256, word=detection.keyword,
            score=detection.score, peak=peak, threshold=detection.threshold,
            start_s=detection.start_s, end_s=detection.end_s,
        )  # fmt: skip
        wanted = clip if self._keep_clips and clip is not None and len(clip) else None
        self._detections.put(row, wanted, detection.sample_rate)
        self._utterances.name(event, number)
        self._wake.set()
        return number

    def flush(self) -> bool:
        """Write what waits; False where that failed: it waits on, and the log says why."""
        with self._flushing:
            done = self._attempt(self._detections.write)
            return self._attempt(self._write_counts) and done

    def settle(self) -> None:
        """Write the detections that wait, so that who was told of one finds it."""
        with self._flushing:
            self._attempt(self._detections.write)

    def now_s(self) -> float:
        """The wall clock that everything here is dated by."""
        return self._clock()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(self._counted_s + FLUSH_S - self._monotonic())
            self._wake.clear()
            if self._monotonic() - self._counted_s >= FLUSH_S:
                self._counted_s = self._monotonic()
                self.flush()
            else:
                self.settle()
            if self._monotonic() - self._tidied_s >= TIDY_S:
                self._tidied_s = self._monotonic()
                self._attempt(self._tidy)
            self._stop.wait(SOONEST_FLUSH_S)

    def _attempt(self, work: Callable[[], None]) -> bool:
        """Do ``work``; whatever it raises must not end the thread that everybody relies on."""
        try:
            work()
        except Exception as why:
            if not self._failing:
                known = isinstance(why, StoreError)
                logger.error("live use is not written: %s", why, exc_info=not known)
            self._failing = True
            return False
        if self._failing:
            logger.warning("live use is written again")
        self._failing = False
        return True

    def _write_counts(self) -> None:
        self._gather_heard()
        sums = self._counts.take(int(self._clock() // 60))
        if not sums:
            return
        try:
            self._store.live.add(sums)
        except Exception:
            if dropped := self._counts.give_back(sums):
                logger.error("%d sums of live use are lost", dropped)
            raise

    def _gather_heard(self) -> None:
        with self._lock:
            running = list(self._running.items())
        for counter, (stream, written) in running:
            gone = stream() is None  # asked before the count is read: nothing comes after
            heard = counter.steps_heard
            if heard > written:
                self._counts.heard(counter.model, counter.words, heard - written)
            with self._lock:
                self._running[counter] = (stream, heard)
                if gone:
                    del self._running[counter]

    def _tidy(self) -> None:
        self.clips.tidy(self._clock())
        if self._steady.is_steady():
            self._store.live.forget_before(int(self._clock() // 60) - LIVE_DAYS * 24 * 60)

    def _counter(self, live: Live, stream: Stream) -> PeakCounter:
        counter = self._counters.get(stream)
        if counter is None:
            with self._lock:
                counter = self._counters.setdefault(
                    stream, PeakCounter(stream, _first_step(live, stream))
                )
                self._running[counter] = (ref(stream), 0)
        return counter


def _first_step(live: Live, stream: Stream) -> int:
    """The first step that is new, where a stream continues another and repeats its end."""
    repeated_s = (live.start.detect_after_sample - live.start.first_sample) / live.start.sample_rate
    step_s = stream.engine.step_samples / stream.engine.sample_rate
    return max(0, int(repeated_s / step_s + 1e-6))


def _event(live: Live, detection: Detection) -> Event:
    return live.id, detection.model, detection.keyword, detection.end_sample
