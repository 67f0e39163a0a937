"""What one stream has to say, on its way from the threads to its socket."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from wakeword.protocol import CloseCode

MAX_SCORES = 100
"""Messages that may wait when a score is added: for one stream and model, ten seconds of them."""

MAX_BYTES = 8 * 1024 * 1024
"""Beyond it the client is closed: it reads too slowly even for detections and their clips."""


@dataclass(frozen=True)
class Close:
    """The last item: close the websocket."""

    code: CloseCode
    reason: str


Item = str | bytes | Close


class Outbox:
    """Messages to the client, in order.

    Threads put, the event loop takes. Scores are left out (and counted) while too many messages
    wait; nothing else is ever left out. A client that lets :data:`MAX_BYTES` pile up is to be
    closed: :attr:`overfull`.
    """

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._taken_bytes = 0
        self.scores_dropped = 0
        self.ready = asyncio.Event()
        """Set in the event loop when there is something to send."""

    def __len__(self) -> int:
        return len(self._items)

    @property
    def overfull(self) -> bool:
        """Whether more waits than a client may let wait."""
        return self._bytes - self._taken_bytes > MAX_BYTES

    def put(self, *items: Item) -> None:
        """Add items, one behind the other."""
        for item in items:
            self._bytes += 0 if isinstance(item, Close) else len(item)
            self._items.append(item)

    def put_score(self, text: str) -> bool:
        """Add a score unless too much waits already; whether it was added."""
        if len(self._items) >= MAX_SCORES:
            self.scores_dropped += 1
            return False
        self.put(text)
        return True

    def take(self) -> Item | None:
        """The next item, or None where there is none now."""
        if not self._items:
            return None
        item = self._items.popleft()
        self._taken_bytes += 0 if isinstance(item, Close) else len(item)
        return item

    def clear(self) -> None:
        """Forget what was not sent."""
        self._items.clear()
