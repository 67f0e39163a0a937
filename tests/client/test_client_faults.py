"""Connections that break, in every way, against a real service through real TCP."""

from __future__ import annotations

import random
import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
from cutting_proxy import CuttingProxy
from small_service import Behaviour, SmallService
from streaming import QUICK, bursts, cut, detections, offline, start, streamed

from wakeword.client import (
    BacklogFull,
    BlockingStreamClient,
    ClientOptions,
    Disconnected,
    ReadyMessage,
    Resumed,
)
from wakeword.errors import ConnectionLostError, RefusedError
from wakeword.protocol import ErrorCode, refusal

SOUND = bursts()
RATE = 16_000
LIVE = replace(QUICK, live=True)


def wait_until(condition, limit_s: float = 20.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.005)


def reading(client: BlockingStreamClient) -> tuple[list, threading.Thread]:
    """Events as they come, read in a thread."""
    events: list = []

    def read() -> None:
        try:
            events.extend(client)
        except Exception as error:
            events.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return events, thread


@pytest.mark.parametrize("seed", range(6))
def test_a_network_that_cuts_anywhere_loses_and_repeats_nothing(service, wanted, seed):
    """In the handshake, in ready, inside a frame, inside a clip; the first one only after ready."""
    rng = random.Random(seed)

    def cuts(connection: int) -> tuple[int, int] | None:
        if connection == 0:
            return rng.randint(5_000, 400_000), rng.randint(3_000, 10_000)
        if connection > 9:
            return None
        return rng.choice([rng.randint(1, 2_000), rng.randint(2_000, 600_000)]), rng.randint(
            1, 12_000
        )

    with CuttingProxy(service.port, cuts) as proxy:
        events = streamed(proxy.url, SOUND)
    assert proxy.connections > 1
    assert detections(events) == wanted
    assert sum(isinstance(e, Disconnected) for e in events) == proxy.connections - 1
    assert all(e.unheard_s == 0 for e in events if isinstance(e, Resumed))


def test_a_service_that_restarts_is_found_again(tiny_bundle, wanted):
    half = len(SOUND) // 2
    with ExitStack() as stack:
        with SmallService(tiny_bundle) as first:
            client = stack.enter_context(BlockingStreamClient(first.url, start(), LIVE))
            events, thread = reading(client)
            for block in cut(SOUND[:half]):
                client.send(block)
            wait_until(lambda: detections(events))
        wait_until(lambda: any(isinstance(e, Disconnected) for e in events))
        for block in cut(SOUND[half:]):
            client.send(block)  # the microphone does not wait
        second = stack.enter_context(SmallService(tiny_bundle, port=first.port))
        report = client.end()
        thread.join(10)
    (lost, *_), (resumed,) = (
        [e for e in events if isinstance(e, kind)] for kind in (Disconnected, Resumed)
    )
    assert lost.close_code == 1012
    assert resumed.resent_s > 12
    assert detections(events) == wanted
    assert (report.connections, report.unheard_s) == (2, 0.0)
    (again,) = second.starts
    assert again.first_sample % 1600 == 0
    assert again.detect_after_sample >= again.first_sample


@pytest.mark.parametrize("outage_s", [10.0, 40.0])
def test_an_outage_loses_nothing_up_to_the_bound_and_counts_what_is_beyond(
    service, tiny_bundle, outage_s
):
    """Sound of ``outage_s`` comes while the service is away; 12 s are kept."""
    before, after = bursts(8.0, 2), bursts(2.0, 3)
    during = bursts(outage_s, 4)
    total = (len(before) + len(during) + len(after)) / RATE
    away = threading.Event()
    with CuttingProxy(service.port, lambda _: (1, 1) if away.is_set() else None) as proxy:
        client = BlockingStreamClient(proxy.url, start(), replace(LIVE, keep_s=12.0))
        with client:
            events, thread = reading(client)
            client.send(before)
            wait_until(lambda: len(detections(events)) >= 3)
            away.set()
            proxy.cut_all()
            wait_until(lambda: any(isinstance(e, Disconnected) for e in events))
            for block in cut(during):
                client.send(block)
            away.clear()
            wait_until(lambda: any(isinstance(e, Resumed) for e in events))
            client.send(after)
            report = client.end()
            thread.join(10)
    found = offline(tiny_bundle, np.concatenate([before, during, after]))
    assert report.seconds == pytest.approx(total)
    full = [e for e in events if isinstance(e, BacklogFull)]
    assert report.unheard_s == sum(e.unheard_s for e in events if isinstance(e, Resumed))
    if outage_s < 12:
        assert (report.unheard_s, full) == (0.0, [])
        assert detections(events) == found
    else:
        assert full == [BacklogFull(12.0, connected=False)]
        assert outage_s - 20 - 1 <= report.unheard_s <= outage_s - 12
        lost_end = (8 + report.unheard_s) * RATE
        late = [d for d in found if d[1] > lost_end + 4 * RATE]
        assert late and set(late) <= set(detections(events))


def test_a_service_that_never_acknowledges_is_said_and_hears_all(tiny_bundle, wanted):
    options = replace(QUICK, keep_s=2.0, ack_patience_s=0.05, window_s=3.0)
    with SmallService(tiny_bundle, behaviour=Behaviour(acks=False)) as service:
        events = streamed(service.url, SOUND, options)
    assert detections(events) == wanted
    assert [e for e in events if isinstance(e, BacklogFull)] == [BacklogFull(2.0, connected=True)]


def test_nothing_is_said_twice_although_nothing_is_acknowledged(tiny_bundle, wanted):
    """All that is kept is sent again: the client alone sorts out what it has."""
    options = replace(QUICK, ack_patience_s=0.05)
    with (
        SmallService(tiny_bundle, behaviour=Behaviour(acks=False)) as service,
        CuttingProxy(service.port, lambda n: (600_000, 10**6) if n == 0 else None) as proxy,
    ):
        events = streamed(proxy.url, SOUND, options)
    assert proxy.connections == 2
    assert detections(events) == wanted


def test_an_overloaded_service_is_asked_again(tiny_bundle, wanted):
    def refuse(connection: int) -> Exception | None:
        return refusal(ErrorCode.OVERLOADED, "too many streams") if connection < 3 else None

    with SmallService(tiny_bundle, behaviour=Behaviour(refuse=refuse)) as service:
        events = streamed(service.url, SOUND)
    assert [e.close_code for e in events if isinstance(e, Disconnected)] == [1013] * 3
    assert "too many streams" in next(e.reason for e in events if isinstance(e, Disconnected))
    assert isinstance(events[3], ReadyMessage), "never connected, hence nothing is resumed"
    assert detections(events) == wanted


def test_a_service_that_has_not_noticed_the_loss_is_asked_again(tiny_bundle, wanted):
    """One stream a key, and the old one counts until the service finds its connection dead."""

    def refuse(connection: int) -> Exception | None:
        return refusal(ErrorCode.TOO_MANY_STREAMS, "busy", 1, 1) if connection == 1 else None

    with (
        SmallService(tiny_bundle, behaviour=Behaviour(refuse=refuse)) as service,
        CuttingProxy(service.port, lambda n: (200_000, 10**6) if n == 0 else None) as proxy,
    ):
        events = streamed(proxy.url, SOUND)
    assert [e.close_code for e in events if isinstance(e, Disconnected)] == [1006, 4429]
    assert detections(events) == wanted


def test_a_key_that_is_withdrawn_ends_the_stream(tiny_bundle):
    def refuse(connection: int) -> Exception | None:
        return refusal(ErrorCode.UNAUTHORIZED, "the key was removed") if connection else None

    with (
        SmallService(tiny_bundle, behaviour=Behaviour(refuse=refuse)) as service,
        CuttingProxy(service.port, lambda n: (200_000, 10**6) if n == 0 else None) as proxy,
        pytest.raises(RefusedError, match="the key was removed") as refused,
    ):
        streamed(proxy.url, SOUND)
    assert refused.value.close_code == 4401


def test_a_service_that_stays_away_is_given_up(tiny_bundle):
    options = replace(QUICK, give_up_s=0.3)
    with ExitStack() as stack:
        with SmallService(tiny_bundle) as service:
            client = stack.enter_context(BlockingStreamClient(service.url, start(), options))
            client.send(SOUND[: 2 * RATE])
            wait_until(lambda: service.starts)
        with pytest.raises(ConnectionLostError, match=r"lost for good.*s of sound were not heard"):
            for event in client:
                assert not isinstance(event, Resumed)
        for call in (lambda: client.send(SOUND), client.end):
            with pytest.raises(ConnectionLostError, match="lost for good"):
                call()


def test_each_new_try_waits_longer():
    delays = ClientOptions().delays_s()
    for limit in (1, 2, 4, 8, 16, 30, 30, 30):
        assert 0.1 * limit <= next(delays) <= limit


def test_nothing_listens_there():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(ConnectionLostError, match=rf"cannot reach ws://127.0.0.1:{port}/v1/stream"):
        streamed(f"ws://127.0.0.1:{port}", SOUND)


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", RefusedError, "HTTP 404"),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", RefusedError, "HTTP 403"),
        (b"SSH-2.0-nonsense\r\n", ConnectionLostError, "no websocket answers there"),
        (b"", ConnectionLostError, "cannot reach"),
    ],
)
def test_something_else_answers(answer, error, says):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            end, _ = server.accept()
            with end:
                end.recv(65_536)
                end.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(error, match=says):
            streamed(f"ws://127.0.0.1:{server.getsockname()[1]}", SOUND)
        thread.join(10)


def test_a_busy_gateway_is_asked_again(service, wanted):
    """What a proxy says that is in front of a service that starts."""
    busy = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            end, _ = server.accept()
            with end:
                end.recv(65_536)
                end.sendall(busy)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        client = BlockingStreamClient(f"ws://127.0.0.1:{port}", start(), QUICK)
        with client:
            first = next(iter(client))
        assert isinstance(first, Disconnected) and "HTTP 503" in first.reason
        thread.join(10)


def test_a_service_that_does_not_answer_the_end(tiny_bundle):
    options = replace(QUICK, timeout_s=0.1, give_up_s=0.5)
    with (
        SmallService(tiny_bundle, behaviour=Behaviour(ends=False)) as service,
        pytest.raises(ConnectionLostError, match=r"says nothing for 0\.1 s"),
    ):
        streamed(service.url, SOUND[: 3 * RATE], options)
