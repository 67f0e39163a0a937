"""Ending streams politely before the server closes their sockets."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)

Handler = Callable[[int, FrameType | None], Any]


@contextmanager
def drain_on_signals(drain: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """On Ctrl-C or SIGTERM wait for ``drain``, and only then let the server know.

    An ASGI server closes all websockets before it tells the application to end: then it is too
    late to say anything to anybody. So its handlers are called later. A second signal is passed
    on at once. Outside the main thread there are no signals, and nothing happens.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before: dict[int, Any] = {}
    tasks: list[asyncio.Task[None]] = []

    def pass_on(number: int) -> None:
        handler = before[number]
        if callable(handler):
            handler(number, None)
        elif handler == signal.SIG_DFL:
            raise KeyboardInterrupt

    async def drained(number: int) -> None:
        try:
            await drain()
        finally:
            pass_on(number)

    def begin(number: int) -> None:
        if tasks:
            pass_on(number)
        else:
            tasks.append(loop.create_task(drained(number)))

    def handle(number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(begin, number)

    for number in SIGNALS:
        before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
