"""Keeps many real-time streams going from one process: one epoll, no copy of audio.

Chunk ``k`` of a stream is due at ``begin + offset + k * 80 ms``, whatever happened before: a
stream never waits for the server. What the server does not take stays due, and counts as the
server's delay; what the generator itself sends late is recorded as its own fault.
"""

from __future__ import annotations

import gc
import math
import select
import socket
import time

import numpy as np
from numpy.typing import NDArray

from traffic.audio import CHUNK_SAMPLES, RATE, Audio
from traffic.client import Client
from traffic.dialects import Dialect, Event
from traffic.websocket import WebSocketError

PERIOD_S = CHUNK_SAMPLES / RATE
SPREAD_S = 0.4
"""Streams begin within this time: chunks of 80 ms and steps of 100 ms meet every 400 ms."""

OPEN_AT_ONCE = 25
READY_TIMEOUT_S = 60.0
SENDS_PER_LOOK = 16
"""After so many chunks the generator looks whether something has arrived."""


class Generator:
    """``clients`` streams of ``audio`` to a server that is spoken to in ``dialect``."""

    def __init__(
        self, address: tuple[str, int], dialect: Dialect, audio: Audio, seed: int = 0
    ) -> None:
        self.address, self.dialect, self.audio = address, dialect, audio
        self.chunks = audio.samples // CHUNK_SAMPLES
        self.heads = dialect.heads(self.chunks)
        self.blocked_sends = 0
        self.begin_s = 0.0
        self.clients: list[Client] = []
        self._by_fd: dict[int, Client] = {}
        self._open = 0
        self._epoll = select.epoll()
        self._offsets = np.random.default_rng(seed).uniform(0.0, SPREAD_S, len(audio.cuts))

    def connect(self) -> None:
        """Open all streams, some at a time, and wait until each is ready or was refused."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        waiting: list[Client] = []
        for number in range(len(self.audio.cuts)):
            waiting.append(self._connect(number))
            while len(waiting := [c for c in waiting if not (c.ready or c.closed)]) >= OPEN_AT_ONCE:
                self._wait_for_ready(deadline)
        while any(not (c.ready or c.closed) for c in waiting):
            self._wait_for_ready(deadline)

    def run(self, grace_s: float) -> None:
        """Send everything in real time, then wait up to ``grace_s`` for the rest to arrive."""
        gc.collect()
        gc.disable()
        try:
            self._stream()
            deadline = time.monotonic() + grace_s
            while self._open and time.monotonic() < deadline:
                self._poll(0.05)
        finally:
            gc.enable()
        for client in self.clients:
            if self.dialect.closes_by_itself and not client.closed:
                client.failure = client.failure or "not ended by the server"
            self._close(client)
        self._epoll.close()

    def _connect(self, number: int) -> Client:
        connection = socket.create_connection(self.address, timeout=READY_TIMEOUT_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        samples = self.audio.of(number).data.cast("B")
        client = Client(
            number, connection, self.dialect.talk(), samples, float(self._offsets[number]),
            ready=not self.dialect.closes_by_itself,
        )  # fmt: skip
        self.clients.append(client)
        self._by_fd[connection.fileno()] = client
        self._open += 1
        self._epoll.register(connection.fileno(), select.EPOLLIN)
        self._answer(client, self.dialect.opening)
        return client

    def _wait_for_ready(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no stream became ready for {READY_TIMEOUT_S:.0f} s")
        self._poll(0.1)

    def _stream(self) -> None:
        """Offer every chunk when it is due; between chunks, read."""
        live = [c for c in self.clients if c.ready and not c.closed]
        ring = sorted(live, key=lambda c: math.fmod(c.offset_s, PERIOD_S))
        phases = [math.fmod(c.offset_s, PERIOD_S) for c in ring]
        skipped = [round((c.offset_s - p) / PERIOD_S) for c, p in zip(ring, phases, strict=True)]
        self.begin_s = time.monotonic() + 0.2
        for lap in range(self.chunks + max(skipped, default=0)):
            lap_s = self.begin_s + lap * PERIOD_S
            for i, client in enumerate(ring):
                due_s = lap_s + phases[i]
                while (left := due_s - time.monotonic()) > 0.0:
                    self._poll(left)
                if i % SENDS_PER_LOOK == 0:
                    self._poll(0.0)
                if 0 <= lap - skipped[i] < self.chunks and not client.closed:
                    self._offer(client)

    def _offer(self, client: Client) -> None:
        """One more chunk is due."""
        client.taken_up.append(time.monotonic())
        client.due += 1
        if client.sent < client.due - 1 or client.outgoing:
            self.blocked_sends += 1  # EPOLLOUT goes on with it
            return
        self._push(client)
        if client.sent < client.due:
            self.blocked_sends += 1
            self._epoll.modify(client.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _push(self, client: Client) -> None:
        """Send what is due until the socket takes no more."""
        try:
            while client.outgoing or client.sent < client.due:
                if client.outgoing and not client.sent_bytes:  # never inside a chunk
                    del client.outgoing[: client.socket.send(client.outgoing)]
                elif not client.send_chunk(self.heads[client.sent]):
                    return
                elif client.sent == self.chunks:
                    client.outgoing += self.dialect.closing
        except BlockingIOError:
            return
        except OSError as lost:
            self._fail(client, f"{type(lost).__name__} while sending")

    def _answer(self, client: Client, data: bytes) -> None:
        client.outgoing += data
        self._push(client)
        if client.outgoing and not client.closed:
            self._epoll.modify(client.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _poll(self, timeout_s: float) -> None:
        for fd, events in self._epoll.poll(timeout_s):
            client = self._by_fd[fd]
            if events & select.EPOLLOUT:
                self._push(client)
                if client.sent == client.due and not client.outgoing and not client.closed:
                    self._epoll.modify(fd, select.EPOLLIN)
            if events & ~select.EPOLLOUT and not client.closed:
                self._read(client)

    def _read(self, client: Client) -> None:
        try:
            data = client.socket.recv(2**16)
        except BlockingIOError:
            return
        except OSError as lost:
            self._fail(client, f"{type(lost).__name__} while reading")
            return
        now = time.monotonic()
        if not data:
            self._fail(client, "" if client.close_code else "ended without a close frame")
            return
        try:
            for event in client.talk.receive(data):
                self._take(client, event, now)
        except (WebSocketError, ValueError, KeyError) as wrong:
            self._fail(client, f"{type(wrong).__name__}: {wrong}")

    def _take(self, client: Client, event: Event, now: float) -> None:
        if event.kind == "detection":
            client.detections.append((now, event))
        elif event.kind == "send":
            self._answer(client, event.data)
        elif event.kind == "ready":
            client.ready = True
        elif event.kind == "warning":
            client.warnings.append(str(event.said.get("code")))
        elif event.kind == "error":
            client.failure = f"{event.said.get('code')}: {event.said.get('message')}"
        elif event.kind == "summary":
            client.summary = event.said
        elif event.kind == "closed":
            client.close_code = event.code

    def _fail(self, client: Client, why: str) -> None:
        client.failure = client.failure or why
        self._close(client)

    def _close(self, client: Client) -> None:
        if not client.closed:
            client.closed = True
            self._open -= 1
            del self._by_fd[client.socket.fileno()]
            self._epoll.unregister(client.socket.fileno())
            client.socket.close()


def lateness_s(generator: Generator) -> NDArray[np.float64]:
    """How much later than due each chunk was taken up: the generator's own delay."""
    late = [
        np.array(c.taken_up) - (generator.begin_s + c.offset_s + PERIOD_S * np.arange(c.due))
        for c in generator.clients
    ]
    return np.concatenate(late) if late else np.zeros(0)
