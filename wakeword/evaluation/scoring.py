"""Runs a bundle over many recordings with the batched engine: recordings in, tracks out."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from wakeword.evaluation.events import EventRules, Label, Track
from wakeword.runtime import Bundle, Engine, Stream

Blocks = Iterable[NDArray[np.float32]]
Progress = Callable[[float], None]
"""Called with the seconds of audio that were taken since the last call, from any thread."""

STREAMS = 16
_STEPS_AHEAD = 32


@dataclass(frozen=True)
class Clip:
    """One recording to score, mono float32 at the bundle's rate, read when its turn comes.

    blocks
        Opens the recording and yields its samples in blocks (n,) of any length, so that a
        recording of a day needs no more memory than one of a second.
    """

    label: Label
    blocks: Callable[[], Blocks] = field(repr=False)

    @classmethod
    def of(cls, label: Label, samples: NDArray[np.float32]) -> Clip:
        """A clip whose samples (n,) are there already."""
        return cls(label, lambda: (samples,))


def event_rules(bundle: Bundle) -> EventRules:
    """The bundle's own steps and refractory period, and the tolerance that follows from them.

    A detection may come up to half a window after the word: so long the window still holds
    most of a word of ordinary length. The smoother may delay it by all but one of its steps.
    """
    metadata = bundle.metadata
    rate = metadata.frontend.sample_rate
    window = metadata.window_frames * metadata.frontend.hop_samples
    delay = (metadata.smoother.steps - 1) * metadata.step_samples
    return EventRules(
        sample_rate=rate,
        step_samples=metadata.step_samples,
        refractory_s=metadata.detector.refractory_s,
        tolerance_s=(window / 2 + delay) / rate,
    )


def score_clips(
    bundle: Bundle,
    clips: Iterable[Clip],
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> list[Track]:
    """Score every clip as a stream of its own, from a fresh state to its finish.

    Parameters
    ----------
    workers
        Threads, each stepping up to sixteen streams at once; by default one per core. With as many
        of them the same clips give the same posteriors, to the last bit.

    Returns
    -------
    tracks
        In the order of ``clips``, with the smoothed posteriors that the detector compares.

    Raises
    ------
    AudioError
        A recording cannot be read; nothing is returned then.
    """
    scored = sorted(score_each(bundle, clips, workers=workers, progress=progress), key=_number)
    return [track for _, track in scored]


def score_each(
    bundle: Bundle,
    clips: Iterable[Clip],
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Generator[tuple[int, Track]]:
    """As :func:`score_clips`, but give each track when it is there, with its clip's number.

    Clips are taken from ``clips`` when a thread has room for one.
    """
    engine = Engine(bundle)
    finished: SimpleQueue[tuple[int, Track] | None] = SimpleQueue()
    threads = workers or os.cpu_count() or 1
    queue = _Queue(clips, threads)

    def work(thread: int) -> None:
        try:
            _work(engine, queue, thread, finished.put, progress)
        except BaseException:
            queue.close()  # nobody will wait for what the other workers still score
            raise
        finally:
            finished.put(None)

    with ThreadPoolExecutor(threads) as pool:
        try:
            jobs = [pool.submit(work, thread) for thread in range(threads)]
            for _ in range(threads):
                yield from iter(finished.get, None)
            for job in jobs:
                job.result()
        except BaseException:  # Ctrl-C too: the workers would go on to the last clip
            queue.close()
            raise


def _number(scored: tuple[int, Track]) -> int:
    return scored[0]


class _Queue:
    """Hands clips out to several threads by turns, numbered.

    The turns do not depend on which thread is faster: what is scored together changes how sums
    are rounded. What a thread finds on the way to its own waits for the others.
    """

    def __init__(self, clips: Iterable[Clip], threads: int) -> None:
        self._clips = enumerate(clips)
        self._waiting = [deque[tuple[int, Clip]]() for _ in range(threads)]
        self._lock = threading.Lock()
        self.closed = False

    def take(self, thread: int) -> tuple[int, Clip] | None:
        """The next clip of a thread; None where there is no more."""
        with self._lock:
            mine = self._waiting[thread]
            while not (mine or self.closed) and (found := next(self._clips, None)) is not None:
                self._waiting[found[0] % len(self._waiting)].append(found)
            return None if self.closed or not mine else mine.popleft()

    def close(self) -> None:
        """Hand out no more."""
        self.closed = True


class _Open:
    """A clip that is being scored."""

    def __init__(self, engine: Engine, index: int, clip: Clip) -> None:
        self.index = index
        self.clip = clip
        self.stream: Stream = engine.open_stream(engine.sample_rate)
        self.smoothed: list[NDArray[np.float32]] = []
        self._blocks: Iterator[NDArray[np.float32]] = iter(clip.blocks())

    def feed(self) -> int:
        """Give the stream the next few seconds, or its end; samples given."""
        before = self.stream.received_samples
        while not self.stream.finished and self.stream.due_steps < _STEPS_AHEAD:
            block = next(self._blocks, None)
            if block is None:
                self.stream.finish()
            else:
                self.stream.accept(block)
        return self.stream.received_samples - before

    def track(self, words: tuple[str, ...], step_samples: int) -> Track:
        posteriors = np.stack(self.smoothed) if self.smoothed else np.zeros((0, len(words)))
        return Track(
            self.clip.label,
            words,
            posteriors.astype(np.float32),
            self.stream.received_samples // step_samples,
        )


def _work(
    engine: Engine,
    queue: _Queue,
    thread: int,
    finished: Callable[[tuple[int, Track]], None],
    progress: Progress | None,
) -> None:
    """Keep up to ``STREAMS`` clips open and step them together until none is left."""
    running: dict[Stream, _Open] = {}
    while not queue.closed:
        while len(running) < STREAMS and (taken := queue.take(thread)) is not None:
            clip = _Open(engine, *taken)
            running[clip.stream] = clip
        if not running:
            return
        given = sum(clip.feed() for clip in running.values())
        results = engine.step(list(running))
        for result in results:
            running[result.stream].smoothed.append(result.smoothed.copy())
        for clip in [c for c in running.values() if c.stream.finished]:
            finished((clip.index, clip.track(engine.words, engine.step_samples)))
            del running[clip.stream]
        if progress is not None:
            progress(given / engine.sample_rate)
