"""The audio of one stream on its way from the event loop to the thread that scores it."""

from __future__ import annotations

import math
import time
from collections import deque

from wakeword.protocol import Decoder

ROUNDING_S = 1e-6
"""Far below a sample: durations are summed as floats."""


FORGIVING = 1.1
"""How much faster the clock runs against which a stream is ahead: clocks of sound cards differ,
and a client that has connected again and sent some seconds at once is live again in a minute."""


class Inbox:
    """Messages of audio that wait to be decoded.

    The event loop puts, one worker at a time takes. Each attribute has one writer, and the deque
    is safe between threads, so that there is no lock on the way of every message.

    received_s, taken_s: audio put in and taken out so far. due_s: how much must have been
    received for a visit of a worker to be worth it. due_since: when that was reached
    (``time.monotonic``), until taken. first_put, last_put: when audio came. ahead_s: how far
    audio has come faster than real time lately.
    """

    def __init__(self, decoder: Decoder, step_s: float) -> None:
        self._decoder = decoder
        self._messages: deque[bytes] = deque()
        self.received_s = self.taken_s = 0.0
        self.ahead_s = 0.0
        self.due_s = step_s
        self.due_since: float | None = None
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
        if self.received_s < self.due_s:
            return False
        if self.due_since is None:
            self.due_since = now
        return True

    def take(self) -> list[bytes]:
        """All messages that are there, in their order; until :meth:`wait_for` nothing is due."""
        self.due_s, self.due_since = math.inf, None
        self.taken_s = self.received_s  # before the messages are counted: never more than they hold
        return [self._messages.popleft() for _ in range(len(self._messages))]

    def wait_for(self, missing_s: float) -> None:
        """Call it due when so much has come behind what was taken."""
        self.due_s = self.taken_s + missing_s - ROUNDING_S
        if self.is_due and self.due_since is None:
            self.due_since = self.last_put

    @property
    def is_due(self) -> bool:
        """Whether a worker should look at the stream."""
        return self.received_s >= self.due_s

    def clear(self) -> None:
        """Forget what waits."""
        self._messages.clear()
