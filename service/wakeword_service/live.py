"""One connected stream: what it was opened with, and everything that changes while it runs."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import ProtocolError
from wakeword.protocol import CloseCode, Decoder, StartMessage, ThresholdSource
from wakeword.runtime import Detection, Stream
from wakeword_service.inbox import Inbox
from wakeword_service.outbox import Outbox
from wakeword_service.tail import AudioTail
from wakeword_service.watch import LevelWatch, PaceWatch

if TYPE_CHECKING:
    from wakeword_service.lane import Lane

MAX_STEPS = 32
"""Steps of one stream that are scored at once, at most."""

FAST_S = 2.0
"""Audio so far ahead of the clock is no message of a live stream."""


class Caller(Protocol):
    """Who opened the stream; ``auth.Caller`` is one."""

    @property
    def key_id(self) -> str | None: ...
    @property
    def name(self) -> str: ...
    @property
    def max_streams(self) -> int | None: ...


@dataclass(frozen=True)
class Ending:
    """Why and how a stream ends: the first reason counts.

    finish: the client has sent everything, so the end of its audio is scored as an end.
    score_rest: audio that has arrived is scored first.
    """

    reason: str
    close_code: CloseCode = CloseCode.NORMAL
    error: ProtocolError | None = None
    finish: bool = False
    score_rest: bool = True


@dataclass
class Counters:
    """What a stream adds up for its summary."""

    detections: dict[str, int] = field(default_factory=dict)
    warnings: int = 0
    max_lag_s: float = 0.0
    acked_s: float = 0.0


class LiveStream:
    """A stream between its socket and the threads that score it.

    The event loop fills :attr:`inbox` and empties :attr:`outbox`; a worker does the opposite,
    never two at a time (``scheduled`` says that it waits for one or is with one). Anybody may
    :meth:`stop` it.
    """

    def __init__(
        self,
        start: StartMessage,
        caller: Caller,
        decoder: Decoder,
        streams: Sequence[Stream],
        sources: Mapping[tuple[str, str], ThresholdSource],
        options: StreamOptions,
    ) -> None:
        self.id = secrets.token_hex(8)
        self.start = start
        self.name = start.name
        self.caller = caller
        self.decoder = decoder
        self.streams = tuple(streams)
        self.lane: Lane
        """Set by the scheduler when it takes the stream."""
        self.sources = dict(sources)
        """Who decided each threshold, by model and word."""
        self.opened_at = time.time()
        self.opened = time.monotonic()
        self._steps = tuple((s, s.engine.step_samples / s.engine.sample_rate) for s in streams)
        self.step_s = min(step_s for _, step_s in self._steps)
        self.inbox = Inbox(self.decoder, self.step_s, options.delay_s)
        self.outbox = Outbox()
        self.levels = LevelWatch(self.decoder.sample_rate, options.silence_s)
        self.pace = PaceWatch()
        self.tails = _tails(streams) if start.clips or options.keep_clips else {}
        """Where clips come from: one tail for each rate at which a model hears, filled with what
        its first stream hears."""
        self.counters = Counters()
        self.new_thresholds: dict[tuple[str, str], tuple[float, ThresholdSource]] = {}
        """Set by anybody, put in force by the worker at its next visit."""
        self.ending: Ending | None = None
        self.done = False
        """Nothing more will be scored or said: the last item of the outbox is its close."""
        self.broken = False
        """Its audio or its scoring has failed: what comes is no longer looked at."""
        self.scheduled = False
        self.scored_s = 0.0
        """Audio that all models have scored, in seconds."""
        self.late = False
        self.held_back = False
        """The socket is not read, because too much audio waits."""
        self.sending_since: float | None = None
        """Since when the client has not taken a message, while one is being sent."""
        self.wake: Callable[[], None] = _nothing
        """Called in the event loop when there is something to send, or room for audio again."""
        self.cut: Callable[[], None] = _nothing
        """Breaks the connection off without another word; for the event loop."""

    @property
    def words(self) -> dict[str, tuple[str, ...]]:
        """The words that are listened for, by model."""
        return {s.engine.bundle.name: s.words for s in self.streams}

    @property
    def waiting_s(self) -> float:
        """Audio that was received and not yet scored, in seconds."""
        return max(0.0, self.inbox.received_s - self.scored_s)

    @property
    def seconds(self) -> float:
        """Time since the first audio came."""
        first = self.inbox.first_put
        return 0.0 if first is None else max(time.monotonic() - first, 1e-3)

    @property
    def real_time_factor(self) -> float:
        """Seconds of audio for each second since the first came."""
        return self.inbox.received_s / self.seconds if self.seconds else 0.0

    def lag_s(self, now: float) -> float:
        """Age of the oldest audio that completed a step and is not yet scored."""
        since = self.inbox.oldest
        return 0.0 if since is None else max(0.0, now - since)

    @property
    def is_fast(self) -> bool:
        """Whether its audio comes faster than real time, as that of a file does."""
        return self.inbox.ahead_s > FAST_S

    @property
    def is_bulk(self) -> bool:
        """Whether it has so much of that waiting that others must go first."""
        return self.is_fast and self.waiting_s > 4 * self.step_s

    @property
    def due_steps(self) -> int:
        """Steps that can be scored now, of all models."""
        return sum([stream.due_steps for stream in self.streams])

    def room_s(self, steps: int) -> float:
        """Audio that may be decoded for this to be the most that waits to be scored."""
        waiting_s = max([len(s.pending) / s.engine.sample_rate for s in self.streams])
        return steps * self.step_s - waiting_s

    @property
    def missing_s(self) -> float:
        """Audio that must come until another step is complete, but for what resampling holds."""
        missing = []
        for stream in self.streams:
            step = stream.engine.step_samples
            missing.append((step - len(stream.pending) % step) / stream.engine.sample_rate)
        return min(missing)

    @property
    def needs_visit(self) -> bool:
        """Whether a worker has something to do for it."""
        if self.done:
            return False
        return self.inbox.is_due or self.ending is not None or self.due_steps > 0

    def note_scored(self) -> float:
        """Bring :attr:`scored_s` up to date; by how much it grew."""
        before = self.scored_s
        self.scored_s = min([s.scored_steps * step_s for s, step_s in self._steps])
        self.inbox.scored(self.scored_s)
        return self.scored_s - before

    def clip(self, detection: Detection) -> tuple[int, NDArray[np.int16]] | None:
        """The sound of a detection at its rate, as :meth:`AudioTail.clip`, where it is kept."""
        for tail in self.tails.values():
            if tail.sample_rate == detection.sample_rate:
                return tail.clip(detection.end_sample)
        return None

    def stop(self, ending: Ending) -> bool:
        """Let it end as ``ending`` says, unless it ends already; tell the scheduler then."""
        if self.ending is not None:
            return False
        self.ending = ending
        return True

    def let_go(self) -> None:
        """Its connection is gone: hold on to neither it nor what waits for it. In a reference
        cycle megabytes would stay until the collector comes by."""
        self.wake = self.cut = _nothing
        self.outbox.clear()
        if self.ending is not None:
            forget_frames(self.ending.error)


def forget_frames(why: BaseException | None) -> None:
    """For an error that was said and is not raised again: its frames hold whoever holds it."""
    if why is not None:
        before = (why.__cause__, why.__context__)
        why.__traceback__ = why.__cause__ = why.__context__ = None
        for earlier in before:
            forget_frames(earlier)


def _tails(streams: Sequence[Stream]) -> dict[Stream, AudioTail]:
    first = {stream.engine.sample_rate: stream for stream in reversed(streams)}
    return {
        stream: AudioTail(rate, MAX_STEPS * stream.engine.step_samples)
        for rate, stream in first.items()
    }


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class StreamOptions:
    """What is decided for a stream before it is made.

    delay_s: audio that its resampler holds back.
    """

    silence_s: float = 20.0
    keep_clips: bool = False
    delay_s: float = 0.0
