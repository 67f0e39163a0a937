"""A bounded queue of events that also carries how the stream ended."""

from __future__ import annotations

import asyncio
from collections import deque

from wakeword.client.events import Event

MAX_EVENTS = 1024
"""Events that wait to be read. When so many wait, nothing more is read from the connection,
and soon nothing more is sent: whoever streams must also read."""


class Channel:
    """One task puts, one task takes; both wait."""

    def __init__(self, limit: int = MAX_EVENTS) -> None:
        self._limit = limit
        self._events: deque[Event] = deque()
        self._changed = asyncio.Event()
        self._finished = False
        self._error: BaseException | None = None

    async def put(self, event: Event) -> None:
        """Add an event, waiting while the queue is full."""
        while len(self._events) >= self._limit and not self._finished:
            self._changed.clear()
            await self._changed.wait()
        self.push(event)

    def push(self, event: Event) -> None:
        """Add an event without waiting: for those that are rare."""
        self._events.append(event)
        self._changed.set()

    def finish(self, error: BaseException | None = None) -> None:
        """Nothing more comes; ``error`` is raised where events have run out."""
        if not self._finished:
            self._finished, self._error = True, error
            self._changed.set()

    async def get(self) -> Event | None:
        """The next event; None behind the last one."""
        while not self._events:
            if self._error is not None:
                raise self._error
            if self._finished:
                return None
            self._changed.clear()
            await self._changed.wait()
        event = self._events.popleft()
        self._changed.set()
        return event
