"""One websocket between the protocol and the scheduler.

On the way of each audio message there is no object of a framework, no task, and no lock; where the
server below is ours (:mod:`wakeword_service.wire`), not even a queue.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from starlette.types import Message, Receive, Send
from starlette.websockets import WebSocket

from wakeword.errors import ProtocolError, WakewordError
from wakeword.protocol import (
    CloseCode,
    Ended,
    ErrorCode,
    Phase,
    ServerSession,
    Started,
    StartMessage,
    as_protocol_error,
    encode_message,
    refusal,
)
from wakeword_service import sayings
from wakeword_service.auth import authenticate_socket
from wakeword_service.live import Ending, LiveStream, forget_frames
from wakeword_service.opening import ready_message
from wakeword_service.outbox import Close
from wakeword_service.wire import AudioProtocol

if TYPE_CHECKING:
    from wakeword_service.auth import Caller
    from wakeword_service.service import Service

CLOSE_S = 5.0
"""Time for a client to answer a close; the server below would wait for ever."""

log = structlog.get_logger(__name__)


class Connection:
    """One websocket: its handshake, and then one task that reads and one that writes."""

    def __init__(self, service: Service, websocket: WebSocket, receive: Receive, send: Send):
        self._service = service
        self._websocket = websocket
        self._receive = receive
        self._send = send
        self._session = ServerSession(service.settings.message_bytes)
        self._buffer_s = service.settings.buffer_s
        below = getattr(send, "__self__", None)
        # ASGI knows no way to break off, and a close waits until the client has read everything.
        self._transport = getattr(below, "transport", None)
        self._wire = below if isinstance(below, AudioProtocol) else None
        self._room = asyncio.Event()
        self._task: asyncio.Task[Any] | None = None
        self._hurried = self._was_cut = False
        self.live: LiveStream | None = None

    async def serve(self) -> None:
        """Everything from the handshake to the close."""
        self._task = asyncio.current_task()
        try:
            await self._websocket.accept()
            start = await self._started()
            if start is None:
                return
            caller = await authenticate_socket(self._websocket, start.key)
            self._service.admission.enter(caller)
            try:
                await self._stream(start, caller)
            finally:
                self._service.admission.leave(caller)
        except OSError:
            return  # the client went while it was being answered
        except asyncio.CancelledError:
            if not self._hurried and not self._was_cut:
                raise
            if self._hurried:
                await self._refuse(refusal(ErrorCode.RESTARTING, "the server is shutting down"))
        except Exception as why:
            await self._refuse(why)

    @property
    def unsent_bytes(self) -> int:
        """What the client has not taken yet of what was sent."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def forget(self) -> None:
        """Break off soon if the client does not take the close and what is before it."""
        if self._transport is not None:
            asyncio.get_running_loop().call_later(CLOSE_S, self._break_off)

    def hurry(self) -> None:
        """The server shuts down: whoever has not started is not waited for."""
        if self.live is None and self._task is not None:
            self._hurried = True
            self._task.cancel()

    async def _started(self) -> StartMessage | None:
        """The start message; None where the client went before it."""
        timeout_s = self._service.settings.start_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                message = await self._receive()
        except TimeoutError:
            raise refusal(
                ErrorCode.START_TIMEOUT, f"no start message within {timeout_s:g} s", None, timeout_s
            ) from None
        if message["type"] == "websocket.disconnect":
            return None
        event = self._event(message)
        assert isinstance(event, Started)
        return event.start

    def _event(self, message: Message) -> Started | Ended | None:
        text = message.get("text")
        if text is not None:
            return self._session.receive_text(text)
        self._session.receive_bytes(message["bytes"])
        return None

    async def _stream(self, start: StartMessage, caller: Caller) -> None:
        service = self._service
        live = await service.open(start, caller)
        live.wake, live.cut = self._wake, self.cut
        self.live = live
        writer = asyncio.create_task(self._writing(live), name=f"write-{live.id}")
        code: int | None = None
        try:
            live.outbox.put(encode_message(ready_message(live, service.settings)))
            live.outbox.ready.set()
            code = await self._read(live)
        finally:
            service.close(live, code)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
            self.live = None
            live.let_go()

    async def _read(self, live: LiveStream) -> int:
        """Take audio until the connection is closed; the close code of the client."""
        listening = False
        while True:
            if not listening and self._wire is not None:
                listening = self._wire.listen(partial(self._take, live))
            message = await self._receive()
            data = message.get("bytes")
            if data is not None and self._session.phase is Phase.STREAMING:
                if not self._take(live, data):
                    await self._wait_for_room(live)
            elif message["type"] == "websocket.disconnect":
                return int(message.get("code", 1006))
            elif live.ending is None or live.ending.reason == "end":
                self._other(live, message)

    def _take(self, live: LiveStream, data: bytes) -> bool:
        """Take a message of audio; False where the socket should not be read until
        :meth:`_wake` finds that half of the buffer is free: so the client is slowed."""
        if live.ending is not None:
            return True
        try:
            self._session.receive_bytes(data)
        except ProtocolError as why:
            self._fail(live, why)
            return True
        inbox = live.inbox
        if inbox.put(data):
            live.lane.schedule(live)
        live.held_back = inbox.received_s - live.scored_s > self._buffer_s
        return not live.held_back

    def _other(self, live: LiveStream, message: Message) -> None:
        try:
            if isinstance(self._event(message), Ended):
                self._service.scheduler.end(live, Ending("end", finish=True))
        except ProtocolError as why:
            self._fail(live, why)

    def _fail(self, live: LiveStream, why: ProtocolError) -> None:
        self._service.metrics.refused.labels(str(why.code)).inc()
        self._service.scheduler.end(live, Ending("error", CloseCode(why.close_code), why))

    async def _wait_for_room(self, live: LiveStream) -> None:
        while live.held_back:
            self._room.clear()
            await self._room.wait()

    async def _writing(self, live: LiveStream) -> None:
        try:
            await self._write(live)
        except OSError:
            return  # the client has gone, and the reader knows it
        except Exception:
            self._service.metrics.faults.labels("write").inc()
            log.exception("a stream could not be written", stream=live.id)
            self.cut()

    async def _write(self, live: LiveStream) -> None:
        """Send what is in the outbox, one message behind the other, until the close."""
        outbox, send = live.outbox, self._send
        while True:
            await outbox.ready.wait()
            outbox.ready.clear()
            while (item := outbox.take()) is not None:
                live.sending_since = time.monotonic()
                if isinstance(item, Close):
                    await self._websocket.close(item.code, item.reason)
                    return
                kind = "text" if isinstance(item, str) else "bytes"
                await send({"type": "websocket.send", kind: item})
            live.sending_since = None

    def _wake(self) -> None:
        live = self.live
        if live is None:  # a worker was still at it when the client went
            return
        if len(live.outbox):
            live.outbox.ready.set()
        if live.held_back and (live.done or live.waiting_s <= self._buffer_s / 2):
            live.held_back = False
            self._room.set()
            if self._wire is not None:
                self._wire.release()

    def cut(self) -> None:
        """Break off without another word: the client takes none."""
        self._break_off()
        self._was_cut = True
        if self._task is not None:
            self._task.cancel()

    def _break_off(self) -> None:
        if self._transport is None:
            return
        if self.unsent_bytes:
            # Else the system keeps megabytes, for minutes, and the client is not told.
            at_once = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
            with contextlib.suppress(OSError):
                given = self._transport.get_extra_info("socket")
                given.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self._transport.abort()

    async def _refuse(self, why: Exception) -> None:
        error = as_protocol_error(why)
        self._service.metrics.refused.labels(str(error.code)).inc()
        if isinstance(why, WakewordError):
            log.info("stream refused", code=str(error.code), why=str(why))
        else:
            self._service.metrics.faults.labels("open").inc()
            log.error("a stream could not be opened", exc_info=why)
        with contextlib.suppress(OSError, RuntimeError):
            await self._websocket.send_text(encode_message(sayings.error_of(error)))
            await self._websocket.close(error.close_code, str(error.code))
        for said in (why, error):
            forget_frames(said)
