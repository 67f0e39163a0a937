"""What a connection held is gone with it, not when the garbage collector comes by: in a cycle a
stream keeps its audio, its buffers and its place in a scoring process for minutes."""

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_server import START, LiveServer, client, live_server
from wakeword_service import connection
from wakeword_service.connection import Connection
from wakeword_service.live import LiveStream
from wakeword_service.wire import AudioProtocol
from websockets.server import ServerProtocol

HELD = (Connection, LiveStream, AudioProtocol, ServerProtocol)
FLOATS = {**START, "encoding": "f32le"}


@pytest.fixture
def server(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LiveServer]:
    monkeypatch.setattr(connection, "CLOSE_S", 0.2)
    models = (str(tiny_bundle),)
    with live_server(
        tmp_path, models=models, processes=1, streams_here=1, idle_s=0.3, start_timeout_s=0.3
    ) as running:
        yield running


async def goes_politely(one: Any) -> None:
    await one.send(b"\0" * 6400)
    await one.end()


async def crashes(one: Any) -> None:
    await one.send(b"\0" * 6400)
    one.socket.transport.abort()


async def vanishes_in_a_message(one: Any) -> None:
    one.socket.transport.write(b"\x82\xfe\xff\x00" + bytes(2000))
    await asyncio.sleep(0.05)
    one.socket.transport.abort()


async def says_what_is_no_message(one: Any) -> None:
    await one.send(b"\0" * 6400, "garbage")
    await one.closed()


async def breaks_the_protocol(one: Any) -> None:
    one.socket.transport.write(b"\x8f\x80" + bytes(4))
    await one.closed()


async def sends_what_is_no_audio(one: Any) -> None:
    await one.send(np.full(800, np.nan, "<f4").tobytes())
    await one.closed()


async def falls_silent(one: Any) -> None:
    await one.closed()


@pytest.mark.parametrize(
    ("start", "behave"),
    [
        (START, goes_politely),
        (START, crashes),
        (START, vanishes_in_a_message),
        (START, says_what_is_no_message),
        (START, breaks_the_protocol),
        (FLOATS, sends_what_is_no_audio),
        (START, falls_silent),
        ({**START, "sample_rate": 1}, falls_silent),
        ({**START, "models": ["nobody"]}, falls_silent),
        ({}, falls_silent),
    ],
)
def test_nothing_waits_for_the_collector(
    server: LiveServer, start: dict[str, Any], behave: Callable[[Any], Awaitable[None]]
) -> None:
    async def visit() -> None:
        async with client(server.stream, start) as one:
            if "models" not in start and start.get("sample_rate") == 16_000:
                await one.wait_for("ready")
            await behave(one)

    asyncio.run(visit())  # what is made once
    gc.collect()
    gc.disable()
    try:
        before, deadline = held(), time.monotonic() + 8.0
        for _ in range(3):
            asyncio.run(visit())
        while left := held() - before:
            assert time.monotonic() < deadline, f"still there: {dict(left)}"
            time.sleep(0.05)
    finally:
        gc.enable()


def held() -> Counter[str]:
    return Counter(type(thing).__name__ for thing in gc.get_objects() if type(thing) in HELD)
