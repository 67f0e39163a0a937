"""Calls that a client refuses by itself: options, addresses, outside of its block, at its close."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from small_service import SmallService
from streaming import start

from wakeword.client import (
    BlockingStreamClient,
    ClientOptions,
    StreamClient,
    stream_url,
)
from wakeword.errors import ConfigError, ConnectionLostError

SILENCE = np.zeros(16_000, np.int16)


def test_a_call_of_a_client_that_is_not_open_or_closed():
    client = BlockingStreamClient("ws://127.0.0.1:1", start())
    client.close()
    with pytest.raises(ConnectionLostError, match="not open"):
        client.send(SILENCE)
    with pytest.raises(ConnectionLostError, match="not open"):
        list(client)


def test_what_is_sent_in_the_last_moment_of_closing_is_refused_and_not_left_behind(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
):
    refused: list[ConnectionLostError] = []

    def send() -> None:
        try:
            client.send(SILENCE)
        except ConnectionLostError as why:
            refused.append(why)

    late = threading.Thread(target=send)
    with SmallService(tiny_bundle) as service:
        with BlockingStreamClient(service.url, start()) as client:
            assert client._loop is not None
            finish = client._loop.run_until_complete

            def finish_and_wait(work: object) -> None:
                finish(work)
                late.start()
                late.join(0.3)

            monkeypatch.setattr(client._loop, "run_until_complete", finish_and_wait)
        late.join(10.0)
    assert len(refused) == 1
    monkeypatch.undo()
    gc.collect()  # a call that nobody ever awaited would fail this test now, not another one later


@pytest.mark.parametrize(
    "wrong",
    [{"keep_s": 0.0}, {"give_up_s": -1.0}, {"window_s": float("nan")}, {"timeout_s": float("inf")}],
)
def test_options_outside_their_limits(wrong):
    (name,) = wrong
    with pytest.raises(ConfigError, match=f"{name} = "):
        ClientOptions(**wrong)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("ws://localhost:8765", "ws://localhost:8765/v1/stream"),
        ("https://example.org/", "wss://example.org/v1/stream"),
        ("http://[::1]:80", "ws://[::1]:80/v1/stream"),
        (" wss://h/proxy/v1/stream?a=b#c ", "wss://h/proxy/v1/stream?a=b"),
    ],
)
def test_addresses(given, wanted):
    assert stream_url(given) == wanted


def test_without_websockets_the_extra_is_named():
    code = (
        "import sys\nsys.modules['websockets'] = None\nimport wakeword.client as c\n"
        "try:\n    c.StreamClient('ws://h', c.StartMessage(protocol=1, sample_rate=16000, "
        "encoding='s16le'))\nexcept c.MissingExtraError as why:\n    print(why)\n"
    ).replace("c.MissingExtraError", "__import__('wakeword.errors').errors.MissingExtraError")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'wakeword[client]'" in done.stdout, done.stderr


def test_send_outside_of_the_block():
    client = StreamClient("ws://127.0.0.1:1", start())
    with pytest.raises(ConnectionLostError, match="async with"):
        asyncio.run(client.send(SILENCE))
