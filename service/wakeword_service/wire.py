"""Audio on the short way: from the bytes of a socket to its stream, in one call.

For each message uvicorn fills a queue, stops reading the socket, wakes a task and reads on. At a
thousand streams that is half a core. Whole binary messages are taken out before all that, once
somebody listens for them; everything else goes its usual way, and in the usual order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import apply_mask  # type: ignore[attr-defined]  # not in its __all__

from wakeword_service.live import forget_frames

WHOLE_BINARY = 0x82
"""First byte of a binary message in one frame: FIN set, no extension, opcode 2 (RFC 6455, 5.2)."""

FIRST_CONTROL_OPCODE = 0x8
MASKED = 0x80


class AudioProtocol(WebSocketsSansIOProtocol):
    """uvicorn's websocket with a short way for audio; give it as uvicorn's ``ws``.

    What came before :meth:`listen`, and everything from the first message on that is not binary
    and whole, is parsed by the websockets library and waits for ``receive``. Frames that cannot
    be right are handed to it as they are, so that it closes the connection as always.
    """

    _sink: Callable[[bytes], bool] | None = None
    _unparsed = False
    """Frames are no longer looked at here: one could not be right."""
    _held = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As uvicorn has it; nothing waits yet."""
        super().connection_made(transport)
        self._rest = bytearray()
        self._needed = 0  # bytes until the frame that waits is whole, as far as is known

    def connection_lost(self, exc: Exception | None) -> None:
        """As uvicorn has it; and nothing is held any more that holds this.

        In a cycle a stream with its audio, its buffers and its place in a scoring process would
        stay until the collector comes by, and that is once in ten minutes.
        """
        super().connection_lost(exc)
        self._sink = None
        self._rest = bytearray()
        self.conn.parser.close()  # a generator that holds the connection which holds it
        forget_frames(self.conn.parser_exc)

    def listen(self, sink: Callable[[bytes], bool]) -> bool:
        """Give audio to ``sink`` from now on, unless older messages still wait for ``receive``.

        Parameters
        ----------
        sink
            Takes a message; False where no more should be read until :meth:`release`.
        """
        if self._unparsed or not self.queue.empty():
            return False
        self._sink = sink
        return True

    def release(self) -> None:
        """Go on reading after the sink wanted no more."""
        if not self._held:
            return
        self._held = False
        self._take_rest()
        if not self._held and not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Called with whatever came, however it is cut; the first is the request."""
        if self._unparsed or not self.handshake_initiated:
            super().data_received(data)
        elif self._held or self._rest:
            self._rest += data
            if not self._held and len(self._rest) >= self._needed:
                self._take_rest()
        else:
            self._take_frames(data)

    def _take_rest(self) -> None:
        waiting, self._rest = bytes(self._rest), bytearray()
        self._take_frames(waiting)

    def _take_frames(self, data: bytes) -> None:
        """Take every whole frame of ``data``, and keep what follows."""
        at, end, self._needed = 0, len(data), 0
        while not self._held and end - at >= 2:
            body, stop = _body(data, at)
            if not stop:  # its length has not come yet
                break
            if not data[at + 1] & MASKED or stop - body > self.config.ws_max_size:
                self._unparsed, self._sink = True, None
                super().data_received(data[at:])
                return
            if stop > end:
                self._needed = stop - at
                break
            if data[at] == WHOLE_BINARY and self._sink is not None:
                if not self._sink(apply_mask(data[body:stop], data[body - 4 : body])):
                    self._hold()
            else:
                if data[at] & 0x0F < FIRST_CONTROL_OPCODE:
                    self._sink = None
                super().data_received(data[at:stop])
            at = stop
        if at < end:
            self._rest += data[at:]

    def _hold(self) -> None:
        self._held = True
        if not self.transport.is_closing():
            self.transport.pause_reading()


def _body(data: bytes, at: int) -> tuple[int, int]:
    """Where the payload of the masked frame at ``at`` begins and ends; zeros: not known yet."""
    length = data[at + 1] & 0x7F
    if length < 126:
        return at + 6, at + 6 + length
    size = 2 if length == 126 else 8
    if len(data) < at + 2 + size:
        return 0, 0
    body = at + 2 + size + 4
    return body, body + int.from_bytes(data[at + 2 : at + 2 + size], "big")
