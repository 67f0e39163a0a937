"""How each kind of server is spoken to: what opens a stream, carries a chunk, tells of a word."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from traffic.audio import CHUNK_SAMPLES, RATE
from traffic.websocket import CLOSE, PING, PONG, TEXT, Reader, frame, frame_head, handshake

CHUNK_BYTES = 2 * CHUNK_SAMPLES

Kind = Literal["send", "ready", "detection", "warning", "error", "summary", "closed"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a server said. ``send``: bytes to answer with; ``detection``: ``word`` and
    ``sample``; ``closed``: ``code``; else what the message held."""

    kind: Kind
    data: bytes = b""
    word: str = ""
    sample: int = 0
    code: int = 0
    said: dict[str, Any] = field(default_factory=dict)


class Talk(Protocol):
    """One connection's side of the talk."""

    def receive(self, data: bytes) -> Iterator[Event]:
        """What the bytes from the server mean."""
        ...


class Dialect(Protocol):
    """What all connections to one kind of server share."""

    opening: bytes
    closing: bytes
    closes_by_itself: bool

    def heads(self, chunks: int) -> Sequence[bytes]:
        """What goes before the audio of each chunk."""
        ...

    def talk(self) -> Talk:
        """A new connection."""
        ...


class WakewordDialect:
    """The protocol of ``wakeword serve``: docs/protocol.md."""

    closes_by_itself = True

    def __init__(self, host: str, models: Sequence[str], key: str | None = None) -> None:
        start = {
            "type": "start", "protocol": 1, "models": list(models), "sample_rate": RATE,
            "encoding": "s16le", "name": "load",
        }  # fmt: skip
        self.opening = handshake(host, "/v1/stream")
        self.start = frame(json.dumps(start | ({"key": key} if key else {})).encode())
        self.closing = frame(b'{"type":"end"}')

    def heads(self, chunks: int) -> Sequence[bytes]:
        return [frame_head(CHUNK_BYTES)] * chunks

    def talk(self) -> Talk:
        return _WakewordTalk(self.start)


class _WakewordTalk:
    def __init__(self, start: bytes) -> None:
        self._reader = Reader()
        self._start: bytes | None = start

    def receive(self, data: bytes) -> Iterator[Event]:
        for opcode, payload in self._reader.receive(data):
            if opcode == TEXT:
                yield _message(json.loads(payload))
            elif opcode == PING:
                yield Event("send", frame(payload, PONG))
            elif opcode == CLOSE:
                yield Event("send", frame(payload[:2], CLOSE))
                yield Event("closed", code=int.from_bytes(payload[:2], "big"))
        if self._reader.opened and self._start is not None:
            yield Event("send", self._start)
            self._start = None


def _message(said: dict[str, Any]) -> Event:
    kind = said["type"]
    if kind == "detection":
        return Event("detection", word=said["keyword"], sample=said["end_sample"], said=said)
    if kind in ("ready", "warning", "error", "summary"):
        return Event(kind, said=said)
    return Event("warning", said={"code": f"unexpected {kind}"})


class WyomingDialect:
    """Home Assistant's Wyoming protocol: a JSON line, then the audio.

    The time of a chunk is its number plus one, in chunks; a detection tells it back.
    """

    closes_by_itself = False

    def __init__(self, word: str) -> None:
        self.opening = _wyoming("detect", {"names": [word]}) + _wyoming("audio-start", _FORMAT)
        self.closing = b""
        self._word = word

    def heads(self, chunks: int) -> Sequence[bytes]:
        return [
            _wyoming("audio-chunk", {**_FORMAT, "timestamp": number + 1}, CHUNK_BYTES)
            for number in range(chunks)
        ]

    def talk(self) -> Talk:
        return _WyomingTalk(self._word)


_FORMAT = {"rate": RATE, "width": 2, "channels": 1}


def _wyoming(kind: str, data: dict[str, Any], payload: int = 0) -> bytes:
    event: dict[str, Any] = {"type": kind, "data": data}
    return json.dumps(event | ({"payload_length": payload} if payload else {})).encode() + b"\n"


class _WyomingTalk:
    def __init__(self, word: str) -> None:
        self._buffer = bytearray()
        self._word = word
        self._greeted = False

    def receive(self, data: bytes) -> Iterator[Event]:
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            said = json.loads(self._buffer[:end])
            body = end + 1 + said.get("data_length", 0)
            whole = body + said.get("payload_length", 0)
            if len(self._buffer) < whole:
                return
            told = said.get("data") or {}
            if body > end + 1:
                told |= json.loads(self._buffer[end + 1 : body])
            del self._buffer[:whole]
            if said["type"] == "detection":
                sample = told["timestamp"] * CHUNK_SAMPLES
                yield Event("detection", word=self._word, sample=sample, said=told)
