"""As much of RFC 6455, client side, as a load generator needs, without copying audio.

Client frames must be masked. A masking key of zero leaves the payload as it is: the receiver
does the same work, and one buffer serves all clients.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
_KEY = base64.b64encode(b"wakeword loading")
_ACCEPT = base64.b64encode(
    hashlib.sha1(_KEY + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
)


class WebSocketError(Exception):
    """The server does not speak the protocol, or refuses the handshake."""


def handshake(host: str, path: str) -> bytes:
    """The request that opens a connection; no extension is offered."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {_KEY.decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def frame_head(length: int, opcode: int = BINARY) -> bytes:
    """What goes before ``length`` bytes of payload: a final frame, masking key zero."""
    if length < 126:
        size = struct.pack("!B", 0x80 | length)
    elif length < 2**16:
        size = struct.pack("!BH", 0x80 | 126, length)
    else:
        size = struct.pack("!BQ", 0x80 | 127, length)
    return bytes([0x80 | opcode]) + size + b"\0\0\0\0"


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """A whole frame."""
    return frame_head(len(payload), opcode) + payload


class Reader:
    """Bytes of one connection to frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.opened = False

    def receive(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """(opcode, payload) of each frame that ``data`` completes.

        Raises
        ------
        WebSocketError
            The handshake was refused, or a frame breaks the rules.
        """
        self._buffer += data
        if not self.opened and not self._read_handshake():
            return
        while (found := self._next_frame()) is not None:
            yield found

    def _read_handshake(self) -> bool:
        head, found, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if not found:
            return False
        status, *lines = head.split(b"\r\n")
        fields = dict(line.split(b":", 1) for line in lines if b":" in line)
        accept = {k.lower(): v.strip() for k, v in fields.items()}.get(b"sec-websocket-accept")
        if b" 101 " not in status or accept != _ACCEPT:
            raise WebSocketError(f"handshake refused: {status.decode('latin-1')}")
        self.opened, self._buffer = True, bytearray(rest)
        return True

    def _next_frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        first, length, at = buffer[0], buffer[1], 2
        if first & 0x70 or not first & 0x80 or length & 0x80:
            raise WebSocketError(f"unexpected frame head {first:#x} {length:#x}")
        if length >= 126:
            size = 2 if length == 126 else 8
            if len(buffer) < 2 + size:
                return None
            length, at = int.from_bytes(buffer[2 : 2 + size], "big"), 2 + size
        if len(buffer) < at + length:
            return None
        payload = bytes(buffer[at : at + length])
        del buffer[: at + length]
        return first & 0x0F, payload
