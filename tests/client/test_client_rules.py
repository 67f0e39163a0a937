"""Services that break the rules, readers that do not read, backlogs, and who comes late."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_service import SmallService
from streaming import QUICK, bursts, detections, offline, start
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from wakeword.client import (
    BacklogFull,
    BlockingStreamClient,
    Disconnected,
    ReadyMessage,
    Resumed,
    ScoreMessage,
)
from wakeword.client.channel import MAX_EVENTS
from wakeword.client.state import StreamState
from wakeword.errors import ConnectionLostError, ProtocolError
from wakeword.protocol import AckMessage, Limits, encode_message

READY = encode_message(
    ReadyMessage(
        protocol=1, stream_id="s", sample_rate=16_000, models=(), step_ms=100.0, latency_ms=0.0,
        limits=Limits(message_bytes=10_000, buffer_s=1.0, idle_s=1.0),
    )
)  # fmt: skip
SILENCE = np.zeros(16_000, np.int16)


@contextmanager
def scripted(conversation: Callable[[ServerConnection], None]) -> Iterator[str]:
    """A server that does what ``conversation`` says; gives its address."""

    def handle(socket: ServerConnection) -> None:
        try:
            conversation(socket)
        except (ConnectionClosed, TimeoutError):
            return

    with serve(handle, "127.0.0.1", 0, compression=None, close_timeout=0.5) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join(10)


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        (["hello"], "not valid JSON"),
        (['{"type":"detection"}'], "detection"),
        ([READY, encode_message(AckMessage(samples=10**9))], "only .* were sent"),
        ([READY, b"\0\0\0\0"], "no clip was announced"),
        ([READY, READY], "a second ready came"),
        (["[" * 70_000], "70000 characters"),
    ],
)
def test_a_service_that_breaks_the_rules_is_left_with_4400(messages, says):
    codes: list[int | None] = []

    def conversation(socket: ServerConnection) -> None:
        socket.recv()
        for message in messages:
            socket.send(message)
        try:
            while True:
                socket.recv(timeout=10)
        except ConnectionClosed as closed:
            codes.append(closed.rcvd and closed.rcvd.code)

    with (
        scripted(conversation) as url,
        BlockingStreamClient(url, start(), QUICK) as client,
        pytest.raises(ProtocolError, match=says),
    ):
        list(client.stream([SILENCE]))
    assert codes == [4400]


@pytest.mark.parametrize(
    ("code", "passes"),
    [(1000, True), (1001, True), (1011, True), (1012, True), (4500, True), (4408, False),
     (1002, False), (1009, False), (4400, False), (4401, False), (4999, False)],
)  # fmt: skip
def test_close_codes(code, passes):
    """After ``ready``, without an error message; nothing waits to be heard."""

    def conversation(socket: ServerConnection) -> None:
        socket.recv()
        socket.send(READY)
        socket.close(code, "because")

    options = replace(QUICK, give_up_s=0.05)
    with scripted(conversation) as url, BlockingStreamClient(url, start(), options) as client:
        events = []
        with pytest.raises(Exception, match="because") as ended:
            for event in client:
                events.append(event)
    assert isinstance(ended.value, ConnectionLostError) == passes
    assert any(isinstance(e, Disconnected) for e in events) == passes
    if not passes:
        assert ended.value.close_code == code


def test_an_idle_close_passes_where_sound_waits_to_be_heard():
    """It was the network that kept still, not the microphone."""
    connections: list[int] = []

    def conversation(socket: ServerConnection) -> None:
        connections.append(1)
        socket.recv()
        socket.send(READY)
        socket.recv()
        socket.close(4408, "idle")

    options = replace(QUICK, live=True, give_up_s=0.3)
    with scripted(conversation) as url, BlockingStreamClient(url, start(), options) as client:
        client.send(np.zeros(40_000, np.int16))
        with pytest.raises(ConnectionLostError, match="idle"):
            list(client)
    assert len(connections) > 1


def test_who_does_not_read_is_waited_for_and_misses_nothing(tiny_bundle: Path):
    """Scores fill the queue; sending stops, memory with it; reading lets all of it come."""
    seconds = 260
    with (
        SmallService(tiny_bundle) as service,
        BlockingStreamClient(service.url, start(scores=True), replace(QUICK, keep_s=5.0)) as client,
    ):
        sender = threading.Thread(target=lambda: client.send(np.zeros(16_000 * seconds, np.int16)))
        sender.start()
        state = client._client._state
        deadline = time.monotonic() + 60
        while len(state.events._events) < MAX_EVENTS:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.3)
        assert sender.is_alive(), "sending waits"
        assert len(state.events._events) == MAX_EVENTS
        assert len(state.backlog._data) <= 2 * 16_000 * (5 + 3 + 5 + 2)
        ender = threading.Thread(target=lambda: (sender.join(), client.end()))
        ender.start()
        scores = [e.end_sample for e in client if isinstance(e, ScoreMessage)]
        ender.join(20)
    tail_steps = 5
    assert scores == [1600 * (i + 1) for i in range(seconds * 10 + tail_steps)]


def test_a_connection_slower_than_the_sound(tiny_bundle: Path):
    """What was forgotten before it was sent is a hole: the stream begins anew behind it."""
    options = replace(QUICK, live=True, keep_s=3.0, window_s=1.0)
    sound = bursts(60.0)
    with (
        SmallService(tiny_bundle) as service,
        BlockingStreamClient(service.url, start(), options) as client,
    ):
        events = iter(client)
        client.send(sound[:16_000])
        assert isinstance(next(events), ReadyMessage)
        client.send(sound[16_000:])  # a minute at once, where a second at a time is taken
        report = client.end()
        rest = list(events)
    (lost,) = (e for e in rest if isinstance(e, Disconnected))
    assert lost.reason == "the connection is slower than the sound"
    (resumed,) = (e for e in rest if isinstance(e, Resumed))
    assert BacklogFull(3.0, connected=True) in rest
    assert 40 <= report.unheard_s == resumed.unheard_s <= 58
    wanted = [d for d in offline(tiny_bundle, sound) if d[1] > 16_000 * (report.unheard_s + 5)]
    assert wanted and set(wanted) <= set(detections(rest))


def test_a_full_backlog_is_said_once_until_there_is_room_again():
    """Sound goes on while the service works off what waited: that is the same want of room."""
    state = StreamState(start(), replace(QUICK, live=True, keep_s=12.0, window_s=10.0))

    def heard(seconds: float) -> None:
        """Seconds of sound come from the microphone."""
        for _ in range(round(seconds)):
            state.append(SILENCE.tobytes())

    def acknowledge(seconds: float) -> None:
        """The service has scored so much more."""
        state.take_audio(10**7)
        acked = state.session.acked_samples + round(seconds * 16_000)
        asyncio.run(state.receive(encode_message(AckMessage(samples=acked))))

    heard(40)
    state.begin_connection()
    state.connected = True
    asyncio.run(state.receive(READY))
    acknowledge(1)
    heard(2)
    acknowledge(9)
    heard(13)
    state.events.finish()
    full = [e for e in iter(lambda: asyncio.run(state.events.get()), None)
            if isinstance(e, BacklogFull)]  # fmt: skip
    assert full == [BacklogFull(12.0, connected=False), BacklogFull(12.0, connected=True)]


def test_a_service_that_comes_later_is_waited_for_by_the_patient(tiny_bundle: Path):
    options = replace(QUICK, patient=True, live=True)
    with SmallService(tiny_bundle) as early:
        port = early.port
    with BlockingStreamClient(f"ws://127.0.0.1:{port}", start(), options) as client:
        client.send(bursts(6.0))
        assert isinstance(next(iter(client)), Disconnected)
        with SmallService(tiny_bundle, port=port):
            report = client.end()
    assert report.detections and report.connections == 1
