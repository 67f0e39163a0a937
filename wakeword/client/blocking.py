"""The plain face of the client: no asyncio in sight, everything waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar

from wakeword.client.events import Event, StreamReport
from wakeword.client.settings import ClientOptions
from wakeword.client.stream import Audio, StreamClient
from wakeword.errors import ConnectionLostError
from wakeword.protocol import StartMessage

T = TypeVar("T")

_POLL_S = 0.5


class BlockingStreamClient:
    """As :class:`StreamClient`, for programs without an event loop.

    >>> with BlockingStreamClient("ws://localhost:8765", start) as client:
    ...     for event in client.stream(blocks):
    ...         print(event)

    The connection lives in a thread of its own, so that it is kept up whatever the program
    does. One thread may send while another one reads the events.

    Parameters
    ----------
    url, start, options
        As of :class:`StreamClient`, and the same errors.
    """

    def __init__(self, url: str, start: StartMessage, options: ClientOptions | None = None) -> None:
        self._client = StreamClient(url, start, options)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="wakeword-client", daemon=True)
        self._closing = threading.Lock()
        self._handing = threading.Lock()
        """Held where work is handed to the loop, and where the loop has taken its last."""

    def __enter__(self) -> BlockingStreamClient:
        """Connect in the background; the first event is ``ready``."""
        self._loop = asyncio.new_event_loop()
        self._thread.start()
        self._call(self._client.__aenter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Event]:
        """Events until the stream has ended; raises what ended it, if that was a failure."""
        while True:
            try:
                yield self._call(self._client.__anext__())
            except StopAsyncIteration:
                return

    def send(self, audio: Audio) -> None:
        """See :meth:`StreamClient.send`."""
        self._call(self._client.send(audio))

    def end(self) -> StreamReport:
        """See :meth:`StreamClient.end`."""
        return self._call(self._client.end())

    def stream(self, blocks: Iterable[Audio]) -> Iterator[Event]:
        """Send all of ``blocks``, declare the end, and yield the events meanwhile.

        ``blocks`` is iterated over in a thread of its own, and may wait for its next block. What
        it raises comes out here.
        """
        failure: list[BaseException] = []
        feeding = threading.Thread(
            target=self._feed, args=(blocks, failure), name="wakeword-feed", daemon=True
        )
        feeding.start()
        yield from self
        if failure:
            raise failure[0]

    def close(self) -> None:
        """Close the connection, whatever is under way; other threads' calls fail."""
        with self._closing:
            loop = self._loop
            if loop is None or loop.is_closed():
                return
            self._call(self._client.close())
            self._call(_cancel_all())
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join()
            with self._handing:
                loop.run_until_complete(_cancel_all())  # what came in the last moment
                loop.close()

    def _run(self) -> None:
        assert self._loop is not None
        self._loop.run_forever()

    def _feed(self, blocks: Iterable[Audio], failure: list[BaseException]) -> None:
        try:
            for block in blocks:
                self.send(block)
            self.end()
        except BaseException as error:
            failure.append(error)
            with suppress(ConnectionLostError):
                self._call(self._client.close())

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        with self._handing:
            if self._loop is None or self._loop.is_closed():
                work.close()
                raise ConnectionLostError("the client is not open")
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        while True:
            try:
                # Not for ever: some platforms see Ctrl-C only between two waits.
                return future.result(_POLL_S)
            except CancelledError:
                raise ConnectionLostError("the client was closed") from None
            except TimeoutError:
                if future.done():
                    raise
                if not self._thread.is_alive():
                    raise ConnectionLostError("the client was closed") from None


async def _cancel_all() -> None:
    """Cancel what other threads wait for."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
