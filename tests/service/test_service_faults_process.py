"""A real server among broken clients, broken model files and broken clocks, seen from outside."""

from __future__ import annotations

import json
import select
import shutil
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from server_process import RATE, START, ServerProcess, finish, server_process
from streaming import bursts, offline

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")

HANDSHAKE = (
    b"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SAMPLES = bursts(8.0)
MUCH_MB = 60.0
"""More than any of these clients may cost."""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Path:
    """A copy that may be damaged."""
    return Path(shutil.copytree(tiny_bundle, tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[ServerProcess]:
    settings = {
        "MODELS": bundle, "START_TIMEOUT_S": 3, "SEND_TIMEOUT_S": 1.5, "IDLE_S": 20, "PING_S": 60,
    }  # fmt: skip
    with server_process(tmp_path_factory.mktemp("faults") / "state", settings) as one:
        one.hear(SAMPLES)  # all that is made once is made now
        yield one


def raw(server: ServerProcess, first: bytes = b"") -> socket.socket:
    """A bare connection that has sent ``first``."""
    host, _, port = server.address.partition(":")
    connection = socket.create_connection((host, int(port)), timeout=20.0)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(first)
    return connection


def opened(server: ServerProcess, *frames: bytes) -> socket.socket:
    """A websocket that has sent ``frames``."""
    connection = raw(server, HANDSHAKE)
    assert connection.recv(65_536).endswith(b"\r\n\r\n")
    connection.sendall(b"".join(frames))
    return connection


def frame(payload: bytes, opcode: int, announced: int | None = None) -> bytes:
    """A client's frame with masking key zero, which may lie about its length."""
    length = struct.pack("!Q", len(payload) if announced is None else announced)
    return bytes([0x80 | opcode, 0x80 | 127]) + length + bytes(4) + payload


def text(message: Any) -> bytes:
    return frame(json.dumps(message).encode(), 0x1)


def answers(connection: socket.socket) -> list[tuple[int, bytes]]:
    """(opcode, payload) of the server's frames up to its close."""
    frames: list[tuple[int, bytes]] = []
    with suppress(ConnectionError), connection.makefile("rb") as file:
        while len(head := file.read(2)) == 2:
            size = {126: 2, 127: 8}.get(head[1], 0)
            length = int.from_bytes(file.read(size), "big") if size else head[1]
            frames.append((head[0] & 0x0F, file.read(length)))
            if frames[-1][0] == 0x8:
                break
    return frames


def close_code(frames: list[tuple[int, bytes]]) -> int:
    assert frames and frames[-1][0] == 0x8, frames[-3:]
    return int.from_bytes(frames[-1][1][:2], "big")


@pytest.mark.parametrize("announced", [2**30, 2**63 - 1])
def test_a_message_of_a_gigabyte_is_refused_before_it_is_kept(
    server: ServerProcess, announced: int
) -> None:
    before_mb = server.rss_mb
    with closing(opened(server, text(START), frame(bytes(100_000), 0x2, announced))) as one:
        assert close_code(answers(one)) == 1009
    assert server.rss_mb < before_mb + MUCH_MB
    assert server.hear(SAMPLES) == offline(server_bundle(server), SAMPLES)


def server_bundle(server: ServerProcess) -> Path:
    return Path(server.settings["MODELS"])


def test_a_client_that_sends_one_byte_at_a_time_is_heard(server: ServerProcess) -> None:
    samples = SAMPLES[: 2 * RATE]
    sent = text(START)
    for at in range(0, len(samples), 1280):
        sent += frame(samples[at : at + 1280].tobytes(), 0x2)
    sent += text({"type": "end"})
    with closing(raw(server)) as one:
        for byte in HANDSHAKE:
            one.sendall(bytes([byte]))
        assert one.recv(65_536).endswith(b"\r\n\r\n")
        for byte in sent:
            one.sendall(bytes([byte]))
        frames = answers(one)
    expected = offline(server_bundle(server), samples)
    said = [json.loads(payload) for opcode, payload in frames if opcode == 0x1]
    heard = [(m["keyword"], m["end_sample"]) for m in said if m["type"] == "detection"]
    assert heard == expected and close_code(frames) == 1000


def test_a_client_that_never_reads_is_ended_and_nobody_waits_for_it(
    server: ServerProcess,
) -> None:
    before_mb = server.rss_mb
    with closing(opened(server, text({**START, "scores": True, "clips": True}))) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with suppress(ConnectionError):
            for _ in range(40):  # more clips than the system keeps for it
                deaf.sendall(frame(SAMPLES.tobytes(), 0x2))
        told = select.poll()
        told.register(deaf, 0)  # an error or the end, no data
        assert told.poll(30_000), "it is still connected"
        assert server.hear(SAMPLES) == offline(server_bundle(server), SAMPLES)
    server.wait_until_empty()
    assert server.rss_mb < before_mb + MUCH_MB


WRONG: dict[str, tuple[bytes, set[int]]] = {
    "no rate": (text({k: v for k, v in START.items() if k != "sample_rate"}), {4400}),
    "a rate of a million": (text({**START, "sample_rate": 1_000_000}), {4400}),
    "a rate as text": (text({**START, "sample_rate": "16000"}), {4400}),
    "text where audio is due": (text(START) + frame(b"hello", 0x1), {4400}),
    "JSON where audio is due": (text(START) + text({"type": "audio", "data": "AAAA"}), {4400}),
    "invalid UTF-8": (text(START) + frame(b"\xff\xfe", 0x1), {1007}),
    "an unknown opcode": (text(START) + frame(b"", 0x7), {1002}),
    "audio before start": (frame(bytes(2560), 0x2), {4400}),
    "nothing at all": (b"", {4408}),
}


def test_wrong_messages_end_their_own_stream_only(server: ServerProcess) -> None:
    with server.stream() as good:
        broken = {name: opened(server, said) for name, (said, _) in WRONG.items()}
        for name, connection in broken.items():
            with closing(connection):
                assert close_code(answers(connection)) in WRONG[name][1], name
        assert finish(good, SAMPLES) == offline(server_bundle(server), SAMPLES)
    server.wait_until_empty()


def test_audio_at_another_rate_than_declared_is_noticed(server: ServerProcess) -> None:
    """48 kHz declared as 16 kHz comes three times as fast as the clock."""
    audio, said = bursts(2.0).tobytes(), {"type": ""}
    deadline = time.monotonic() + 20.0
    with server.stream() as one:
        while said["type"] != "warning" and time.monotonic() < deadline:
            one.send(audio)
            with suppress(TimeoutError):
                said = json.loads(one.recv(0.2))
    assert said["code"] == "faster_than_real_time" and "sample rate" in said["message"]
    assert said["values"]["audio_s_per_s"] > 2.0


def test_garbage_on_the_port_leaves_nothing_behind(server: ServerProcess) -> None:
    server.wait_until_empty()
    files = server.open_files
    noise = np.random.default_rng(1).bytes(4096)
    for number in range(60):
        one = (
            lambda: raw(server, noise),
            lambda: raw(server, HANDSHAKE[:40]),
            lambda: opened(server, noise),
            lambda: opened(server, text(START), noise),
        )[number % 4]()
        if number % 2:  # a reset instead of a goodbye
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()
    server.wait_until_empty()
    deadline = time.monotonic() + 60.0
    while server.open_files > files + 1:
        assert time.monotonic() < deadline, (files, server.open_files)
        time.sleep(0.1)
    faults = [line for line in server.log.splitlines() if "Traceback" in line]
    assert not [line for line in faults if "uvicorn.error" not in line]


@pytest.mark.parametrize("name", ["model.onnx", "metadata.json"])
def test_garbage_in_the_model_is_refused_and_the_old_one_goes_on(
    server: ServerProcess, bundle: Path, name: str
) -> None:
    file = bundle / name
    good, expected = file.read_bytes(), server.hear(SAMPLES)
    assert expected
    with server.stream() as running:
        running.send(SAMPLES[:RATE].tobytes())
        file.write_bytes(np.random.default_rng(2).bytes(len(good)))
        refused = server.http.post("/v1/models/tiny/reload")
        assert refused.status_code == 409 and refused.json()["type"].endswith(":bad_model")
        assert server.hear(SAMPLES) == expected
        file.write_bytes(good)
        assert server.http.post("/v1/models/tiny/reload").status_code == 200
        assert finish(running, SAMPLES[RATE:]) == expected
    assert server.hear(SAMPLES) == expected


CLOCK = """
import os, time
_time, _time_ns = time.time, time.time_ns
def _ahead_s():
    with open(os.environ["TEST_CLOCK"]) as file:
        return float(file.read() or 0)
time.time = lambda: _time() + _ahead_s()
time.time_ns = lambda: _time_ns() + int(1e9 * _ahead_s())
"""


def test_clock_jumps_change_no_detection_and_lose_no_threshold(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    """The server's wall clock is moved under it; the monotonic one never jumps."""
    (tmp_path / "sitecustomize.py").write_text(CLOCK)
    clock = tmp_path / "clock"
    clock.write_text("0")
    point = "/v1/models/tiny/words/low%20tone/operating-point"
    environment = {"PYTHONPATH": str(tmp_path), "TEST_CLOCK": str(clock)}
    settings, chosen = {"MODELS": tiny_bundle}, [0.6, 0.600001, 0.600002]
    with server_process(tmp_path / "state", settings, environment=environment) as server:
        expected = offline(tiny_bundle, SAMPLES)
        with server.stream() as running:
            part = len(SAMPLES) // 4
            for number, ahead_s in enumerate((3600.0, -86_400.0, 10 * 365 * 86_400.0)):
                running.send(SAMPLES[number * part : (number + 1) * part].tobytes())
                clock.write_text(str(ahead_s))
                tag = server.http.get(point).headers["ETag"]
                put = server.http.put(
                    point, json={"threshold": chosen[number]}, headers={"If-Match": tag}
                    if number else {},
                )  # fmt: skip
                assert put.status_code == 200, put.text
            assert finish(running, SAMPLES[3 * part :]) == expected
        changes = server.http.get(f"{point}/history").json()["changes"]
        assert [c["threshold"] for c in changes] == chosen[::-1]
        years = {c["when"][:4] for c in changes}
        assert len(years) > 1, "the server's clock did not jump"
        server.kill()
        server.wait_until_gone()
        clock.write_text("-1000000")
        server.start()
        assert server.http.get(point).json()["threshold"] == chosen[-1]
