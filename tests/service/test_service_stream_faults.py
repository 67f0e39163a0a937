"""What hostile or broken clients do, and that nobody else notices."""

import asyncio
import contextlib
import gc
import json
import os
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from bundles import with_bursts
from engine_runs import speech
from live_server import (
    START,
    Heard,
    LiveServer,
    client,
    live_server,
    metric,
    offline,
    pcm,
    stream_all,
)
from wakeword_service import outbox
from websockets.asyncio.client import connect

F32 = {**START, "encoding": "f32le"}
NAN = np.full(1600, np.nan, "<f4").tobytes()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[LiveServer]:
    with live_server(
        tmp_path_factory.mktemp("state"), models=(str(tiny_bundle),), start_timeout_s=0.3,
        idle_s=0.6, message_bytes=65_536, max_streams=40, send_timeout_s=1.0,
    ) as running:  # fmt: skip
        yield running


async def say(server: LiveServer, start: dict[str, Any] | None, *messages: Any) -> Heard:
    async with client(server.stream, start) as one:
        await one.send(*messages)
        return await one.closed(10.0)


def quiet(server: LiveServer, timeout_s: float = 10.0) -> None:
    """Wait until the server has forgotten every client."""
    deadline = time.monotonic() + timeout_s
    service = server.service
    while service.scheduler.streams or service.connections:
        assert time.monotonic() < deadline, (service.scheduler.streams, service.connections)
        time.sleep(0.01)
    assert service.admission.sockets == 0 and service.admission._keys.total() == 0


REFUSED: dict[str, tuple[dict[str, Any], list[Any], str, int, str]] = {
    "no json": ({}, ["{"], "bad_message", 4400, "not valid JSON"),
    "audio first": ({}, [b"\0\0"], "out_of_order", 4400, "the first message must be start"),
    "end first": ({}, [{"type": "end"}], "out_of_order", 4400, "must be start"),
    "unknown key": ({**START, "colour": 1}, [], "bad_message", 4400, "colour"),
    "another protocol": ({**START, "protocol": 2}, [], "unsupported", 4400, "version 1"),
    "no rate": ({k: v for k, v in START.items() if k != "sample_rate"}, [], "bad_message", 4400,
                "sample_rate"),
    "wrong rate": ({**START, "sample_rate": 100}, [], "bad_message", 4400, "between 4000 and"),
    "unknown model": ({**START, "models": ["alexa"]}, [], "unknown_model", 4404, "low tone"),
    "a path": ({**START, "models": ["/etc/passwd"]}, [], "unknown_model", 4404, "low tone"),
    "threshold": ({**START, "threshold": 1.5}, [], "bad_message", 4400, "between 0 and 1"),
    "threshold of another word": ({**START, "threshold": {"alexa": 0.5}}, [], "unknown_model",
                                  4404, "alexa"),
    "target": ({**START, "false_alarms_per_hour": 99.0}, [], "bad_message", 4400, "0.1 to 2"),
    "text where audio is due": (START, ["hello"], "bad_message", 4400, "not valid JSON"),
    "a second start": (START, [START], "out_of_order", 4400, "second start"),
    "NaN": (F32, [NAN], "bad_audio", 4400, "NaN"),
    "integers as floats": (F32, [np.full(1600, 20_000.0, "<f4").tobytes()], "bad_audio", 4400,
                           "full scale is 1"),
    "cut inside a sample": (START, [b"\0" * 4801, {"type": "end"}], "bad_audio", 4400,
                            "ends inside a sample"),
    "no opus": ({**START, "encoding": "opus"}, [b"\xff" * 99], "bad_audio", 4400, "opus packet"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_fault_is_said_and_closes(server: LiveServer, case: str) -> None:
    start, messages, code, close_code, text = REFUSED[case]
    heard = asyncio.run(say(server, start, *messages))
    assert heard.error["code"] == code and text in heard.error["message"]
    assert heard.close_code == heard.error["close_code"] == close_code
    assert heard.messages[-1]["type"] == "error"
    if heard.of("ready"):
        assert heard.summary["reason"] == "error"
    quiet(server)


def test_a_message_beyond_the_limit_closes_with_1009(server: LiveServer) -> None:
    heard = asyncio.run(say(server, START, b"\0" * 65_537))
    assert heard.close_code == 1009
    quiet(server)


def test_a_message_of_a_gigabyte_is_refused_by_its_header(server: LiveServer) -> None:
    with raw_socket(server) as sock:
        sock.sendall(struct.pack("!BBQ", 0x82, 0x80 | 127, 10**9) + b"\0\0\0\0" + b"\0" * 1000)
        assert struct.pack("!H", 1009) in read_until_closed(sock)
    quiet(server)


def test_good_streams_beside_broken_ones_lose_nothing(
    server: LiveServer, tiny_bundle: Path
) -> None:
    sounds = [speech(seed, 3.0) for seed in range(8)]
    bad = list(REFUSED.values())

    async def broken(i: int) -> None:
        start, messages, *_ = bad[i % len(bad)]
        await say(server, start, *messages)

    async def vanish() -> None:
        async with connect(server.stream, compression=None) as one:
            await one.send(json.dumps(START))
            await one.send(b"\0" * 5000)
            one.transport.abort()

    async def run() -> list[Heard]:
        good = [
            asyncio.create_task(stream_all(server.stream, s, range(3000, 10**6, 3000)))
            for s in sounds
        ]
        await asyncio.gather(*(broken(i) for i in range(20)), *(vanish() for _ in range(10)),
                             return_exceptions=True)  # fmt: skip
        return await asyncio.gather(*good)

    for heard, sound in zip(asyncio.run(run()), sounds, strict=True):
        assert heard.detections == offline(tiny_bundle, sound) and heard.close_code == 1000
    quiet(server)


def test_no_start_in_time(server: LiveServer) -> None:
    heard = asyncio.run(say(server, {}))
    assert (heard.error["code"], heard.error["limit"]) == ("start_timeout", 0.3)
    assert heard.close_code == 4408


def test_no_audio_in_time(server: LiveServer) -> None:
    heard = asyncio.run(say(server, START, pcm(with_bursts(1.0, [(0.3, "low tone")]))))
    assert (heard.error["code"], heard.error["limit"]) == ("idle", 0.6)
    assert heard.summary["reason"] == "idle" and heard.summary["detections"] == {"low tone": 1}
    assert heard.close_code == 4408


def test_empty_messages_are_no_audio(server: LiveServer) -> None:
    async def run() -> Heard:
        async with client(server.stream) as one:
            for _ in range(30):
                await one.send(b"")
                await asyncio.sleep(0.05)
            return await one.closed()

    assert asyncio.run(run()).error["code"] == "idle"


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts files in /proc")
def test_a_client_that_goes_leaves_nothing(server: LiveServer) -> None:
    async def vanish() -> None:
        for i in range(12):
            async with connect(server.stream, compression=None) as one:
                await one.send(json.dumps(START))
                if i % 3:
                    await one.recv()
                    await one.send(b"\0" * 5001)
                one.transport.abort()

    counts = []
    for _ in range(4):  # threads of the server's pool open the state once each
        asyncio.run(vanish())
        quiet(server)
        gc.collect()
        counts.append((len(os.listdir("/proc/self/fd")), metric(server, "wakeword_tasks")))
    assert counts[-1][0] <= counts[1][0] + 2
    assert counts[-1][1] <= counts[0][1] + 1


def test_a_client_that_never_reads_is_cut_off(server: LiveServer, tiny_bundle: Path) -> None:
    """It wants clips and lets everything pile up; another stream goes on meanwhile."""
    sound = with_bursts(60.0, [(t, "low tone") for t in np.arange(0.5, 59.0, 1.5)])
    start = {**START, "clips": True, "scores": True, "threshold": 0.3}
    with raw_socket(server, start, receive_bytes=4096) as sock:
        sock.settimeout(15.0)
        with pytest.raises((ConnectionError, TimeoutError)):
            for _ in range(100):
                data = pcm(sound)
                for at in range(0, len(data), 32_000):
                    sock.sendall(masked(data[at : at + 32_000]))
    mine = speech(5, 2.0)
    assert asyncio.run(stream_all(server.stream, mine)).detections == offline(tiny_bundle, mine)
    quiet(server)


def test_a_client_learns_how_many_scores_it_was_too_slow_for(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = speech(5, 2.0)

    async def run() -> Heard:
        async with client(server.stream, {**START, "scores": True}) as one:
            await one.wait_for("ready")
            monkeypatch.setattr(outbox, "MAX_SCORES", 0)
            await one.send(pcm(sound))
            return await one.end()

    heard = asyncio.run(run())
    assert not [m for m in heard.messages if m["type"] == "score"]
    assert heard.messages[-1]["scores_dropped"] == 20


def test_pings_without_reading_the_answers_are_cut_off(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    ping = b"\x89\xfd" + b"\0\0\0\0" + b"\0" * 125
    with (
        live_server(tmp_path, models=(str(tiny_bundle),)) as server,
        raw_socket(server, receive_bytes=4096) as sock,
        pytest.raises(ConnectionError),
    ):
        while True:
            sock.sendall(500 * ping)


def test_a_close_that_is_not_read_does_not_keep_the_socket(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wakeword_service.connection.CLOSE_S", 0.2)
    with live_server(tmp_path, models=(str(tiny_bundle),), start_timeout_s=0.2) as server:
        with raw_socket(server, {"type": "nothing"}) as sock:
            assert b"bad_message" in read_until_closed(sock)
        quiet(server)


def test_rest_goes_on_beside_streams(server: LiveServer) -> None:
    async def run() -> dict[str, Any]:
        async with client(server.stream, {**START, "name": "attic"}) as one:
            await one.send(pcm(np.zeros(8000)))
            await one.wait_for("ready")
            async with httpx.AsyncClient() as http:
                while True:
                    found = (await http.get(f"{server.http}/v1/streams")).json()
                    if found["streams"] and found["streams"][0]["waiting_s"] == 0:
                        break
            await one.end()
            return dict(found)

    found = asyncio.run(run())
    (state,) = found["streams"]
    assert found["count"] == 1 and state["name"] == "attic" and state["audio_s"] == 0.5
    assert state["words"] == {"tiny": {"low tone": 0.6, "high tone": 0.6}}


def raw_socket(
    server: LiveServer, start: dict[str, Any] | None = None, receive_bytes: int = 0
) -> socket.socket:
    """A websocket by hand, which reads only when told; ``start`` is sent and not awaited."""
    host, port = server.address.split(":")
    sock = socket.socket()
    if receive_bytes:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    sock.settimeout(10.0)
    sock.connect((host, int(port)))
    sock.sendall(
        f"GET /v1/stream HTTP/1.1\r\nHost: {server.address}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    while sock.recv(1) != b"\r" or sock.recv(3) != b"\n\r\n":
        pass
    sock.sendall(masked(json.dumps(start or START).encode(), 0x81))
    return sock


def masked(payload: bytes, first: int = 0x82) -> bytes:
    """A client's frame with the mask 0."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else struct.pack("!BH", 0x80 | 126, size)
    return bytes([first]) + length + b"\0\0\0\0" + payload


def read_until_closed(sock: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionError):
        while chunk := sock.recv(65_536):
            data += chunk
    return data
