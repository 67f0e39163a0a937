"""The short way of audio: whatever comes, in whatever pieces, arrives whole and in order."""

import asyncio
import os
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from wakeword_service.wire import AudioProtocol
from websockets.frames import Frame, Opcode

LONGEST = 70_000
TEXT, BINARY, CONT = Opcode.TEXT, Opcode.BINARY, Opcode.CONT


class Ears:
    """An application that notes what it hears, by which way; ``full`` says no after a message."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.short = 0
        self.full = False
        self.done = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            return
        self.heard, self.short = [], 0
        wire = send.__self__
        await receive()
        await send({"type": "websocket.accept"})
        listening = False
        while True:
            listening = listening or wire.listen(lambda data: self.take(wire, data))
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self.heard.append(("close", message["code"]))
                break
            self.heard.append(("text" if message.get("text") is not None else "bytes", message))
        self.done.set()

    def take(self, wire: AudioProtocol, data: bytes) -> bool:
        assert not wire._held, "a message came although none was wanted"
        self.heard.append(("bytes", {"bytes": data}))
        self.short += 1
        if self.full:
            asyncio.get_running_loop().call_later(0.001, wire.release)
        return not self.full

    def plain(self) -> list[Any]:
        return [
            (kind, what if kind == "close" else what.get("text") or bytes(what.get("bytes") or b""))
            for kind, what in self.heard
        ]


@pytest.fixture(scope="module")
def ears() -> Iterator[tuple[Ears, int]]:
    app = Ears()
    server = uvicorn.Server(
        uvicorn.Config(
            app, port=0, log_level="critical", lifespan="off", ws=AudioProtocol,
            ws_max_size=LONGEST,
        )
    )  # fmt: skip
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.005)
    yield app, server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(20)


def converse(ears: tuple[Ears, int], sent: bytes, cuts: list[int]) -> Ears:
    """Send ``sent`` in pieces after a handshake, and wait until the application has ended."""
    app, port = ears
    app.done.clear()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = b64encode(os.urandom(16))
        one.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n"
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += one.recv(1024)
        for first, last in zip([0, *cuts], [*cuts, len(sent)], strict=True):
            one.sendall(sent[first:last])
        assert app.done.wait(10)
    return app


def frame(opcode: Opcode, data: bytes, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


CLOSE = frame(Opcode.CLOSE, (1000).to_bytes(2, "big"))
SIZES = st.one_of(st.integers(0, 300), st.sampled_from([125, 126, 65_535, 65_536, LONGEST]))
MESSAGES = st.lists(
    st.tuples(st.sampled_from(["audio"] * 4 + ["text", "parts", "ping"]), SIZES), max_size=8
)


def spoken(messages: list[tuple[str, int]]) -> tuple[bytes, list[Any]]:
    sent, expected = b"", []
    for number, (kind, size) in enumerate(messages):
        data = bytes((number + i) % 251 for i in range(size))
        if kind == "audio":
            sent += frame(BINARY, data)
            expected.append(("bytes", data))
        elif kind == "text":
            sent += frame(TEXT, b"t" + b"x" * (size % 100))
            expected.append(("text", "t" + "x" * (size % 100)))
        elif kind == "ping":
            sent += frame(Opcode.PING, data[:100])
        else:
            half = size // 2
            sent += frame(BINARY, data[:half], fin=False) + frame(CONT, data[half:])
            expected.append(("bytes", data))
    return sent + CLOSE, [*expected, ("close", 1000)]


@settings(max_examples=60, deadline=None)
@given(MESSAGES, st.lists(st.floats(0, 1), max_size=6), st.booleans())
def test_every_message_arrives_whole_and_in_order_however_it_is_cut(
    ears: tuple[Ears, int], messages: list[tuple[str, int]], where: list[float], full: bool
) -> None:
    sent, expected = spoken(messages)
    ears[0].full = full
    app = converse(ears, sent, sorted(round(share * len(sent)) for share in where))
    assert app.plain() == expected


def test_audio_goes_the_short_way_until_another_kind_of_message_comes(
    ears: tuple[Ears, int],
) -> None:
    ears[0].full = False
    audio = frame(BINARY, b"a" * 2560)
    sent = audio * 20 + frame(Opcode.PING, b"") + audio * 20 + frame(TEXT, b"end") + audio * 5
    app = converse(ears, sent + CLOSE, list(range(100, 100_000, 1700)))
    assert app.short == 40
    assert [kind for kind, _ in app.heard] == ["bytes"] * 40 + ["text"] + ["bytes"] * 5 + ["close"]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (Frame(BINARY, b"not masked").serialize(mask=False), 1002),
        (frame(BINARY, b"x" * (LONGEST + 1)), 1009),
        (b"\xff\x80mask", 1002),
        (frame(CONT, b"continues nothing"), 1002),
    ],
    ids=["not masked", "too long", "no opcode", "continues nothing"],
)
def test_what_cannot_be_right_closes_the_connection_as_always(
    ears: tuple[Ears, int], bad: bytes, code: int
) -> None:
    ears[0].full = False
    app = converse(ears, frame(BINARY, b"good") + bad, [3])
    assert app.plain() == [("bytes", b"good"), ("close", code)]
