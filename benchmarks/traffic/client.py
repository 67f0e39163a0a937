"""One stream of the load generator: its socket, and everything that was seen of it."""

from __future__ import annotations

import socket
from array import array
from dataclasses import dataclass, field
from typing import Any

from traffic.dialects import CHUNK_BYTES, Event, Talk


@dataclass(slots=True)
class Client:
    """One stream: its socket and everything that was seen of it.

    taken_up: when each chunk was first offered to the socket (seconds of the monotonic clock).
    """

    number: int
    socket: socket.socket
    talk: Talk
    audio: memoryview
    offset_s: float
    outgoing: bytearray = field(default_factory=bytearray)
    due: int = 0
    sent: int = 0
    sent_bytes: int = 0
    taken_up: array[float] = field(default_factory=lambda: array("d"))
    ready: bool = False
    closed: bool = False
    close_code: int = 0
    failure: str = ""
    detections: list[tuple[float, Event]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)

    def send_chunk(self, head: bytes) -> bool:
        """Send the next chunk behind ``head``, or the rest of it; whether it went out whole."""
        at = self.sent * CHUNK_BYTES
        parts: list[bytes | memoryview] = [head, self.audio[at : at + CHUNK_BYTES]]
        if self.sent_bytes:
            parts = [b"".join(parts)[self.sent_bytes :]]
        self.sent_bytes += self.socket.sendmsg(parts)
        if self.sent_bytes < len(head) + CHUNK_BYTES:
            return False
        self.sent, self.sent_bytes = self.sent + 1, 0
        return True
