"""How clients behave in the soak: well, badly, and as if hit by a bus."""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from traffic.audio import CHUNK_SAMPLES, RATE, Audio
from traffic.dialects import CHUNK_BYTES
from traffic.websocket import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Reader,
    WebSocketError,
    frame,
    frame_head,
    handshake,
)

TIMEOUT_S = 30.0
END = frame(b'{"type":"end"}')


class Wire:
    """A blocking websocket that can be broken in every way."""

    def __init__(self, address: tuple[str, int], small_buffer: bool = False) -> None:
        self.socket = socket.socket()
        if small_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(TIMEOUT_S)
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = f"{address[0]}:{address[1]}"
        self._reader = Reader()
        self._waiting: list[tuple[int, bytes]] = []

    def open(self) -> None:
        """Shake hands."""
        self.socket.sendall(handshake(self._host, "/v1/stream"))
        while not self._reader.opened:
            self._receive()

    def start(self, **changes: Any) -> None:
        """Shake hands, start, and wait for ``ready``; WebSocketError where it is refused."""
        self.open()
        start = {"type": "start", "protocol": 1, "sample_rate": RATE, "encoding": "s16le"}
        self.send(frame(json.dumps(start | changes).encode()))
        for said in self.messages():
            if said["type"] == "ready":
                return
        raise WebSocketError("refused")

    def send(self, data: bytes | memoryview) -> None:
        self.socket.sendall(data)

    def messages(self) -> Iterator[dict[str, Any]]:
        """What the server says, up to its close."""
        while True:
            while self._waiting:
                opcode, payload = self._waiting.pop(0)
                if opcode == TEXT:
                    yield json.loads(payload)
                elif opcode == PING:
                    self.send(frame(payload, PONG))
                elif opcode == CLOSE:
                    self.send(frame(payload[:2], CLOSE))
                    return
            self._receive()

    def reset(self) -> None:
        """Vanish: the other side gets a reset, as after a crash or a pulled cable."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _receive(self) -> None:
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionError("ended without a close frame")
        self._waiting += self._reader.receive(data)


@dataclass
class Ground:
    """What all visitors share; expected: by stream of ``audio``, the words and their ends.

    wrong: what a well-behaved stream got that the offline engine does not say.
    """

    address: tuple[str, int]
    audio: Audio
    expected: Mapping[int, list[tuple[str, int]]]
    stopping: threading.Event = field(default_factory=threading.Event)
    wrong: list[str] = field(default_factory=list)
    checked: list[int] = field(default_factory=list)


@dataclass
class Visit:
    """One client's visit."""

    ground: Ground
    dice: random.Random
    wire: Wire

    def some_audio(self) -> memoryview:
        stream = self.dice.randrange(len(self.ground.audio.cuts))
        return self.ground.audio.of(stream).data.cast("B")

    def send_chunks(self, audio: memoryview, first: int, count: int, pace: float) -> None:
        """``count`` chunks, each ``pace`` times its duration after the one before."""
        begin = time.monotonic()
        for number in range(count):
            due = begin + number * pace * CHUNK_SAMPLES / RATE
            if (left := due - time.monotonic()) > 0 and self.ground.stopping.wait(left):
                return
            at = (first + number) * CHUNK_BYTES
            self.wire.send(frame_head(CHUNK_BYTES) + bytes(audio[at : at + CHUNK_BYTES]))

    def stream_a_while(self, **start: Any) -> None:
        """Up to some seconds, as a microphone would."""
        self.wire.start(**start)
        self.send_chunks(self.some_audio(), 0, self.dice.randrange(5, 60), 1.0)


def polite(visit: Visit, pace: float = 1.0) -> None:
    """A whole stream, whose detections must be exactly those of the offline engine."""
    ground = visit.ground
    stream = visit.dice.randrange(len(ground.audio.cuts))
    visit.wire.start()
    audio = ground.audio.of(stream).data.cast("B")
    visit.send_chunks(audio, 0, len(audio) // CHUNK_BYTES, pace)
    if ground.stopping.is_set():
        return
    visit.wire.send(END)
    said = list(visit.wire.messages())
    heard = [(m["keyword"], m["end_sample"]) for m in said if m["type"] == "detection"]
    ground.checked.append(len(heard))
    if heard != ground.expected[stream]:
        ground.wrong.append(f"stream {stream}: {heard}, not {ground.expected[stream]}")


def hurried(visit: Visit) -> None:
    """The same as fast as the server takes it."""
    polite(visit, 0.0)


def crashed(visit: Visit) -> None:
    """Dies without a close frame."""
    visit.stream_a_while()
    visit.wire.reset()


def unplugged(visit: Visit) -> None:
    """Closes the connection in the middle of a message."""
    visit.stream_a_while()
    visit.wire.send(frame_head(CHUNK_BYTES) + bytes(100))


def back_again(visit: Visit) -> None:
    """Loses its connection with acks on, and goes on over another."""
    visit.stream_a_while(acks=True)
    visit.wire.reset()
    visit.wire = Wire(visit.ground.address)
    visit.wire.start(acks=True, first_sample=16_000, detect_after_sample=8_000)
    visit.send_chunks(visit.some_audio(), 0, 30, 1.0)
    visit.wire.send(END)
    list(visit.wire.messages())


def stalled(visit: Visit) -> None:
    """Sends a while and then nothing, until the server has enough of it."""
    visit.stream_a_while()
    list(visit.wire.messages())


def speechless(visit: Visit) -> None:
    """Never says what it wants."""
    visit.wire.open()
    list(visit.wire.messages())


def deaf(visit: Visit) -> None:
    """Wants everything and never reads any of it."""
    visit.wire.start(scores=True, clips=True)
    visit.wire.socket.settimeout(0.5)
    audio = visit.some_audio()
    ends = time.monotonic() + 10.0
    while time.monotonic() < ends and not visit.ground.stopping.is_set():
        try:
            visit.send_chunks(audio, 0, 100, 0.0)
        except TimeoutError:
            continue


def garbage(visit: Visit) -> None:
    """Random bytes instead of frames, before or after the start."""
    visit.dice.choice([visit.wire.open, visit.stream_a_while])()
    visit.wire.send(visit.dice.randbytes(visit.dice.randrange(1, 20_000)))
    list(visit.wire.messages())


def wrong(visit: Visit) -> None:
    """A well-formed message that nobody asked for."""
    visit.dice.choice([visit.wire.open, visit.stream_a_while])()
    message = visit.dice.choice([
        frame(b"\xff\xfe\xfd"), frame(b"{" * 5_000), frame(b'{"type":"start"}'),
        frame(bytes(CHUNK_BYTES), BINARY), frame(b"", 0x7), frame_head(2**40, BINARY) + bytes(9),
        frame(bytes(2**18), BINARY), frame(b"[]"), frame(b'{"type":"end","x":1}'),
    ])  # fmt: skip
    visit.wire.send(message)
    list(visit.wire.messages())


def half_shaken(visit: Visit) -> None:
    """Half of a handshake, then silence, then gone."""
    visit.wire.send(handshake("x", "/v1/stream")[: visit.dice.randrange(1, 120)])
    visit.ground.stopping.wait(visit.dice.uniform(0.0, 3.0))
    visit.dice.choice([visit.wire.reset, visit.wire.socket.close])()


def no_web(visit: Visit) -> None:
    """Something that is no HTTP at all."""
    visit.wire.send(visit.dice.randbytes(visit.dice.randrange(1, 5_000)))
    visit.wire.socket.recv(65_536)


def asks(visit: Visit) -> None:
    """REST beside the streams: sensible and senseless requests."""
    path = visit.dice.choice(["/v1/streams", "/v1/models", "/v1/detections", "/metrics", "/nothing",
                              "/v1/models/%00/live", "/v1/detections?limit=-1"])  # fmt: skip
    visit.wire.send(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    while visit.wire.socket.recv(65_536):
        pass


BEHAVIOURS: Mapping[Callable[[Visit], None], int] = {
    polite: 6, hurried: 4, crashed: 6, unplugged: 3, back_again: 3, stalled: 3, speechless: 1,
    deaf: 2, garbage: 4, wrong: 6, half_shaken: 3, no_web: 2, asks: 4,
}  # fmt: skip
"""What clients do, and how often."""
