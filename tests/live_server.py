"""A real service on a free port, for tests that talk to it over real sockets."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import uvicorn
from numpy.typing import NDArray
from wakeword_service.server import listen, uvicorn_config
from wakeword_service.service import Service
from wakeword_service.settings import Settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from wakeword.runtime import Spotter

RATE = 16_000
START: dict[str, Any] = {"type": "start", "protocol": 1, "sample_rate": RATE, "encoding": "s16le"}


@dataclass
class LiveServer:
    """Where a service listens, and its inside."""

    address: str
    service: Service
    settings: Settings

    @property
    def http(self) -> str:
        """Base URL of the REST interface."""
        return f"http://{self.address}"

    @property
    def stream(self) -> str:
        """URL of the websocket."""
        return f"ws://{self.address}/v1/stream"


@contextmanager
def live_server(state_dir: Path, **settings: Any) -> Iterator[LiveServer]:
    """A service with uvicorn in a thread; it has ended when the block has."""
    options = {"port": 0, "state_dir": state_dir, "log_level": "error", "shutdown_s": 5.0}
    chosen = Settings(**{**options, **settings})
    service = Service(chosen)
    listener = listen(chosen)
    host, port = listener.getsockname()[:2]
    server = uvicorn.Server(uvicorn_config(chosen, service))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.005)
        yield LiveServer(f"{host}:{port}", service, chosen)
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the server did not end"


@dataclass
class Heard:
    """What one client got."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    binary: list[bytes] = field(default_factory=list)
    close_code: int | None = None
    close_reason: str = ""

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The messages of one type."""
        return [message for message in self.messages if message["type"] == kind]

    @property
    def detections(self) -> list[tuple[str, int, int]]:
        """Keyword, start and end in samples."""
        return [(d["keyword"], d["start_sample"], d["end_sample"]) for d in self.of("detection")]

    @property
    def summary(self) -> dict[str, Any]:
        """The one summary."""
        (found,) = self.of("summary")
        return found

    @property
    def error(self) -> dict[str, Any]:
        """The one error."""
        (found,) = self.of("error")
        return found


@dataclass
class Client:
    """A client with a task that reads all the time."""

    socket: ClientConnection
    heard: Heard
    reader: asyncio.Task[None]

    async def send(self, *messages: bytes | str | dict[str, Any]) -> None:
        """Send messages; a dict as JSON. What the server no longer takes is nothing."""
        try:
            for message in messages:
                text = json.dumps(message) if isinstance(message, dict) else message
                await self.socket.send(text)
        except ConnectionClosed:
            return

    async def wait_for(self, kind: str, count: int = 1, timeout_s: float = 20.0) -> dict[str, Any]:
        """The ``count``-th message of one type."""
        async with asyncio.timeout(timeout_s):
            while len(self.heard.of(kind)) < count:
                assert not self.reader.done(), f"no {kind}, but {self.heard}"
                await asyncio.sleep(0.005)
        return self.heard.of(kind)[count - 1]

    async def end(self, timeout_s: float = 60.0) -> Heard:
        """Say that there is no more, and wait until the server has closed."""
        await self.send({"type": "end"})
        return await self.closed(timeout_s)

    async def closed(self, timeout_s: float = 60.0) -> Heard:
        """Wait until the server has closed."""
        await asyncio.wait_for(asyncio.shield(self.reader), timeout_s)
        return self.heard


@asynccontextmanager
async def client(
    url: str, start: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[Client]:
    """A connected client that has sent ``start`` (by default :data:`START`; {}: none)."""
    async with connect(url, compression=None, max_size=2**24, **options) as socket:
        heard = Heard()

        async def read() -> None:
            async for message in socket:
                if isinstance(message, str):
                    heard.messages.append(json.loads(message))
                else:
                    heard.binary.append(message)

        async def read_all() -> None:
            with suppress(ConnectionClosed):
                await read()
            heard.close_code, heard.close_reason = socket.close_code, socket.close_reason or ""

        reader = asyncio.create_task(read_all())
        try:
            made = Client(socket, heard, reader)
            first = START if start is None else start
            if first:
                await made.send(first)
            yield made
        finally:
            reader.cancel()


async def stream_all(
    url: str, samples: NDArray[Any], cuts: Sequence[int] = (), **start: Any
) -> Heard:
    """Send all of ``samples`` as s16le, cut at these bytes, end, and return what came."""
    data = pcm(samples)
    async with client(url, {**START, **start}) as one:
        edges = [0, *sorted(c for c in cuts if c < len(data)), len(data)]
        for begin, end in itertools.pairwise(edges):
            await one.send(data[begin:end])
        return await one.end()


def pcm(samples: NDArray[Any]) -> bytes:
    """Samples, float32 or int16, as s16le."""
    if samples.dtype.kind == "f":
        samples = np.clip(np.rint(samples * 2.0**15), -(2**15), 2**15 - 1).astype("<i2")
    return samples.astype("<i2").tobytes()


def offline(models: Any, samples: NDArray[Any], rate: int = RATE) -> list[tuple[str, int, int]]:
    """What the one-stream face of the library hears in the same 16-bit samples."""
    spotter = Spotter(models, sample_rate=rate)
    found = spotter.feed(np.frombuffer(pcm(samples), "<i2"), last=True)
    return [
        (d.keyword, round(d.start_sample * rate / RATE), round(d.end_sample * rate / RATE))
        for d in found
    ]


def metric(server: LiveServer, name: str) -> float:
    """One value of ``/metrics``."""
    text = httpx.get(f"{server.http}/metrics").text
    (found,) = re.findall(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found)
