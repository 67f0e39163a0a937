"""The asynchronous client: audio in, events out, whatever happens to the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wakeword.audio.pcm import encode_int16
from wakeword.client.events import Disconnected, Event, StreamReport
from wakeword.client.link import Link
from wakeword.client.outage import Outages
from wakeword.client.settings import ClientOptions, stream_url
from wakeword.client.state import PIECE_S, StreamState
from wakeword.client.websocket import LinkLostError, open_websocket, require_websockets
from wakeword.errors import AudioError, ConnectionLostError
from wakeword.protocol import StartMessage, SummaryMessage, WireEncoding

Audio = bytes | NDArray[Any]
"""Bytes in the encoding of ``start``, cut anywhere, or samples (n,) or (n, channels) int16 or
float32."""


class StreamClient:
    """Streams audio to a service and hands out what it hears.

    >>> start = StartMessage(protocol=PROTOCOL, sample_rate=16_000, encoding="s16le")
    >>> async with StreamClient("ws://localhost:8765", start) as client:
    ...     async for event in client.stream(blocks):
    ...         print(event)

    A lost connection is opened again, with growing delays, and goes on where the service was:
    what it has not acknowledged is kept and sent again, so that no detection is missed or told
    twice. Two bounded queues stand between: up to 1,024 events, after which nothing more is read
    from the service until they are; and audio, as ``options`` say.

    Parameters
    ----------
    url
        ``ws://host:port`` or ``wss://host``, with a path where it is not ``/v1/stream``.
    start
        What is sent and wanted. s16le, f32le or mulaw; ``acks`` are always asked for.
    options
        Whether sound may be lost, how much is kept, how long to try.

    Raises
    ------
    ConfigError
        The address or the encoding will not do.
    MissingExtraError
        websockets is not installed.
    """

    def __init__(self, url: str, start: StartMessage, options: ClientOptions | None = None) -> None:
        require_websockets()
        self.url = stream_url(url)
        self._options = options or ClientOptions()
        self._state = StreamState(start, self._options)
        self._encoding: WireEncoding = start.encoding
        self._channels = start.channels
        self._sending = asyncio.Lock()
        self._task: asyncio.Task[SummaryMessage] | None = None

    async def __aenter__(self) -> StreamClient:
        """Connect in the background; the first event is ``ready``."""
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._finished)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __aiter__(self) -> StreamClient:
        """Events until the stream has ended."""
        return self

    async def __anext__(self) -> Event:
        """The next event; raises what ended the stream, if that was a failure."""
        event = await self._state.events.get()
        if event is None:
            raise StopAsyncIteration
        return event

    async def send(self, audio: Audio) -> None:
        """Send the next audio, waiting for room unless the stream is live.

        Raises
        ------
        AudioError
            Samples of another shape or type, or audio after :meth:`end`.
        ConnectionLostError, RefusedError, ProtocolError
            The stream has failed, now or before.
        """
        data = self._encode(audio)
        piece_bytes = round(PIECE_S * self._state.rate) * self._state.frame_bytes
        async with self._sending:
            for at in range(0, len(data), piece_bytes):
                await self._wait_for_room()
                self._check_going()
                self._state.append(data[at : at + piece_bytes])

    async def end(self) -> StreamReport:
        """Declare the end, wait until all was heard, and say what there was.

        Events that wait are still to be read; where so many come that they fill the queue,
        another task must read them meanwhile.

        Raises
        ------
        AudioError
            The audio ends inside a sample.
        ConnectionLostError, RefusedError, ProtocolError
            The stream has failed.
        """
        task, state = self._running(), self._state
        if state.backlog.rest_bytes:
            raise AudioError(
                f"the audio ends inside a sample: {state.backlog.rest_bytes} bytes after sample "
                f"{state.backlog.end}, but each needs {state.frame_bytes}"
            )
        state.end()
        return self._report(await asyncio.shield(task))

    async def stream(self, blocks: AsyncIterable[Audio] | Iterable[Audio]) -> AsyncGenerator[Event]:
        """Send all of ``blocks``, declare the end, and yield the events meanwhile.

        What iterating over ``blocks`` raises comes out here. An iterator that waits for its
        next block must be asynchronous, or everything waits with it.
        """
        feeding = asyncio.create_task(self._feed(blocks))
        try:
            async for event in self:
                yield event
            await feeding
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)

    async def close(self) -> None:
        """Close the connection, whatever is under way; after :meth:`end` there is nothing to."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> SummaryMessage:
        outages = Outages(self.url, self._options)
        while True:
            try:
                async with open_websocket(self.url) as socket:
                    return await Link(socket, self._state).run()
            except LinkLostError as lost:
                if self._state.take_progress():
                    outages.over()
                delay_s = outages.delay_s(
                    lost,
                    was_ready=self._state.connections > 0,
                    waiting_s=self._state.unacknowledged_s,
                )
                await self._state.events.put(Disconnected(str(lost), lost.close_code, delay_s))
                await asyncio.sleep(delay_s)

    async def _feed(self, blocks: AsyncIterable[Audio] | Iterable[Audio]) -> None:
        try:
            if isinstance(blocks, AsyncIterable):
                async for block in blocks:
                    await self.send(block)
            else:
                for block in blocks:
                    await self.send(block)
            await self.end()
        except Exception as error:
            self._state.events.finish(error)

    async def _wait_for_room(self) -> None:
        while not (self._options.live or self._state.has_room or self._running().done()):
            room = asyncio.create_task(self._state.wait_for_room())
            try:
                await asyncio.wait({room, self._running()}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                room.cancel()

    def _encode(self, audio: Audio) -> bytes:
        if isinstance(audio, bytes | bytearray | memoryview):
            return bytes(audio)
        given = audio.shape[1] if audio.ndim == 2 else 1
        if audio.ndim not in (1, 2) or given != self._channels:
            raise AudioError(
                f"samples of shape {audio.shape}, but the stream has {self._channels} channel(s)"
            )
        if self._encoding == "f32le" and audio.dtype == np.float32:
            return audio.astype("<f4").tobytes()
        if self._encoding == "s16le" and audio.dtype == np.float32:
            return encode_int16(audio).astype("<i2").tobytes()
        if self._encoding == "s16le" and audio.dtype == np.int16:
            return audio.astype("<i2").tobytes()
        raise AudioError(f"samples of type {audio.dtype} cannot be sent as {self._encoding}")

    def _running(self) -> asyncio.Task[SummaryMessage]:
        if self._task is None:
            raise ConnectionLostError("the client is not open: use it in 'async with'")
        return self._task

    def _check_going(self) -> None:
        task = self._running()
        if task.done():
            task.result()
        if self._state.ended:
            raise AudioError("audio after the end of the stream")

    def _finished(self, task: asyncio.Task[SummaryMessage]) -> None:
        self._state.events.finish(None if task.cancelled() else task.exception())

    def _report(self, summary: SummaryMessage) -> StreamReport:
        state = self._state
        samples = state.backlog.end - state.session.start.first_sample
        return StreamReport(
            samples=samples,
            seconds=samples / state.rate,
            detections=dict(state.detections),
            connections=state.connections,
            unheard_s=state.unheard_samples / state.rate,
            summary=summary,
        )
