"""One connection to the service: from its handshake to the summary, or to why it broke."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from wakeword.client.state import StreamState
from wakeword.client.websocket import LinkLostError, close_reason
from wakeword.errors import ProtocolError
from wakeword.protocol import (
    CloseCode,
    EndMessage,
    ErrorMessage,
    ReadyMessage,
    ServerMessage,
    SummaryMessage,
    encode_message,
)

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

_MESSAGE_S = 0.5


class Link:
    """Sends what waits and takes what comes, over one open websocket."""

    def __init__(self, socket: ClientConnection, state: StreamState) -> None:
        self._socket = socket
        self._state = state
        self._error: ErrorMessage | None = None
        self._summary: SummaryMessage | None = None

    async def run(self) -> SummaryMessage:
        """Stream until the summary that follows ``end``.

        Raises
        ------
        LinkLostError, RefusedError
            There will be none.
        ProtocolError
            The service does not keep to the protocol.
        """
        from websockets.exceptions import ConnectionClosed

        try:
            return await self._stream()
        except ConnectionClosed as closed:
            raise close_reason(closed, self._error) from closed
        except ProtocolError as error:
            await self._socket.close(CloseCode.BAD_MESSAGE, str(error)[:100])
            raise
        finally:
            self._state.connected = False

    async def _stream(self) -> SummaryMessage:
        await self._socket.send(encode_message(self._state.begin_connection()))
        ready = None
        while not isinstance(ready, ReadyMessage):
            ready = await self._next_message()
        self._state.connected = True
        sending = asyncio.create_task(self._send(self._message_bytes(ready)))
        receiving = asyncio.create_task(self._receive())
        try:
            await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
            return await receiving
        finally:
            for task in (sending, receiving):
                task.cancel()
            await asyncio.gather(sending, receiving, return_exceptions=True)

    async def _receive(self) -> SummaryMessage:
        """The summary after ``end``. Any other is followed by a close that says what to do."""
        while self._summary is None or self._summary.reason != "end":
            await self._next_message()
        return self._summary

    async def _next_message(self) -> ServerMessage | None:
        state = self._state
        data = None
        while data is None:
            # Before ready and after end the service has something to say soon; between them it
            # may keep quiet for ever, and pings tell whether it is there.
            is_due = state.session.ready is None or state.end_sent
            limit_s = state.options.timeout_s
            try:
                async with asyncio.timeout(limit_s):
                    data = await self._socket.recv()
            except TimeoutError:
                if is_due:
                    raise LinkLostError(f"the service says nothing for {limit_s:g} s") from None
        message = await state.receive(data)
        if isinstance(message, ErrorMessage):
            self._error = message
        elif isinstance(message, SummaryMessage):
            self._summary = message
        return message

    async def _send(self, max_bytes: int) -> None:
        """Send audio and ``end``; that the connection has gone is for the receiver to explain."""
        from websockets.exceptions import ConnectionClosed

        state = self._state
        try:
            while not (state.ended and state.backlog.unsent == 0):
                if state.backlog.has_hole:
                    raise LinkLostError("the connection is slower than the sound")
                if data := state.take_audio(max_bytes):
                    await self._socket.send(data)
                else:
                    await self._wait_for_work()
            state.end_sent = True
            await self._socket.send(encode_message(EndMessage()))
        except ConnectionClosed:
            return

    async def _wait_for_work(self) -> None:
        state = self._state
        window_is_full = state.backlog.unsent > 0
        limit_s = state.options.ack_patience_s if window_is_full and state.acks_come else None
        try:
            async with asyncio.timeout(limit_s):
                await state.wait_for_work()
        except TimeoutError:
            state.acks_come = False

    def _message_bytes(self, ready: ReadyMessage) -> int:
        """Length of audio messages: short ones cost time, long ones make others wait."""
        wanted = round(_MESSAGE_S * self._state.rate) * self._state.frame_bytes
        return max(self._state.frame_bytes, min(wanted, ready.limits.message_bytes))
