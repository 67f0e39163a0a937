"""The audio of one stream on its way from the event loop to the thread that scores it."""

from __future__ import annotations

import time
from collections import deque

from wakeword.protocol import Decoder

ROUNDING_S = 1e-6
"""Far below a sample: durations are summed as floats."""

FORGIVING = 1.1
"""How much faster the clock runs against which a stream is ahead: clocks of sound cards differ,
and a client that has connected again and sent some seconds at once is live again in a minute."""


class Inbox:
    """Messages of audio that wait to be decoded, as they came.

    The event loop puts, one worker at a time takes. Each attribute has one writer, and deques are
    safe between threads, so that there is no lock on the way of every message.

    received_s, taken_s: audio put in and taken out so far. due_s: how much must have been
    received for a visit of a worker to be worth it. first_put, last_put: when audio came
    (``time.monotonic``). ahead_s: how far audio has come faster than real time lately.

    Parameters
    ----------
    step_s
        Length of a step.
    delay_s
        Audio that must come behind a step before it is complete, because a resampler holds it.
    """

    def __init__(self, decoder: Decoder, step_s: float, delay_s: float = 0.0) -> None:
        self._decoder = decoder
        self._step_s, self._delay_s = step_s, delay_s - ROUNDING_S
        self._messages: deque[bytes] = deque()
        self._steps = 0
        self._marks: deque[tuple[int, float]] = deque()
        """How many steps were complete when, for those that are not scored."""
        self.received_s = self.taken_s = 0.0
        self.ahead_s = 0.0
        self.due_s = step_s - ROUNDING_S
        self.first_put: float | None = None
        self.last_put = time.monotonic()

    def put(self, message: bytes) -> bool:
        """Add a message; whether a worker should look at the stream. An empty one is nothing."""
        if not message:
            return False
        now, seconds = time.monotonic(), self._decoder.duration_s(message)
        if self.first_put is None:
            self.first_put = now
        self.ahead_s = max(0.0, self.ahead_s - FORGIVING * (now - self.last_put)) + seconds
        self.last_put = now
        self._messages.append(message)
        self.received_s += seconds
        steps = int((self.received_s - self._delay_s) / self._step_s)
        if steps > self._steps:
            self._steps = steps
            self._marks.append((steps, now))
        return self.received_s >= self.due_s

    def take(self, limit_s: float) -> list[bytes]:
        """The next messages, in their order, until they hold ``limit_s`` or more."""
        taken: list[bytes] = []
        seconds = 0.0
        while self._messages and seconds < limit_s:
            taken.append(self._messages.popleft())
            seconds += self._decoder.duration_s(taken[-1])
        self.taken_s += seconds
        return taken

    def wait_for(self, missing_s: float) -> None:
        """Call it due when so much has come behind what was taken."""
        self.due_s = self.taken_s + missing_s - ROUNDING_S

    def scored(self, scored_s: float) -> None:
        """All steps before this were scored: forget when they came."""
        steps = round(scored_s / self._step_s)
        while self._marks and self._marks[0][0] <= steps:
            self._marks.popleft()

    @property
    def empty(self) -> bool:
        """Whether everything was taken."""
        return not self._messages

    @property
    def is_due(self) -> bool:
        """Whether a worker should look at the stream."""
        return self.received_s >= self.due_s

    @property
    def oldest(self) -> float | None:
        """When the oldest step that is not scored was complete, if one is."""
        try:
            return self._marks[0][1]
        except IndexError:
            return None

    def clear(self) -> None:
        """Forget what waits."""
        self._messages.clear()
        self._marks.clear()
