"""``wakeword serve`` as a process of its own, for tests that kill it, starve it and lie to it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from numpy.typing import NDArray
from processes import cli_command, cli_environment
from websockets.sync.client import ClientConnection, connect

RATE = 16_000
START: Mapping[str, Any] = {
    "type": "start", "protocol": 1, "sample_rate": RATE, "encoding": "s16le",
}  # fmt: skip
START_TIMEOUT_S = 60.0

Found = tuple[str, int]


class ServerProcess:
    """One server after the other on the same state folder.

    Parameters
    ----------
    state
        Its folder; the log of the server lies beside it.
    settings
        As in the environment, without the prefix.
    wrapper
        Command that the server is started with, for example in a namespace of its own.
    environment
        More variables.
    """

    def __init__(
        self,
        state: Path,
        settings: Mapping[str, Any],
        wrapper: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.settings = dict(settings)
        chosen = {"HOST": "127.0.0.1", "PORT": 0, "STATE_DIR": state, **settings}
        self._environment = cli_environment(
            {f"WAKEWORD_SERVICE_{name}": str(value) for name, value in chosen.items()}
            | dict(environment or {})
        )
        self._wrapper = list(wrapper)
        self._log = state.with_name(f"{state.name}.log")
        self._process: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client()
        self.address = ""

    def start(self) -> None:
        """Start it and wait until it is ready."""
        assert not self.is_running
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(
                [*self._wrapper, *cli_command("serve")],
                env=self._environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready():
            assert self._process.poll() is None, f"the server ended:\n{self.log}"
            assert time.monotonic() < deadline, f"the server is not ready:\n{self.log}"
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        said = re.search(r"http://([\d.]+:\d+)", self.log)
        if said is None:
            return False
        self.address = said[1]
        self.http.close()
        self.http = httpx.Client(base_url=f"http://{self.address}", timeout=20.0)
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    @property
    def pid(self) -> int:
        """Of the server that runs now."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """``kill -9``, without a warning."""
        assert self._process is not None
        self._process.kill()

    def wait_until_gone(self) -> None:
        """Wait for the end of the process."""
        assert self._process is not None
        self._process.wait(20)

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        assert self._process is not None
        self.http.close()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            self.wait_until_gone()
            raise

    @contextmanager
    def stream(self, **start: Any) -> Iterator[ClientConnection]:
        """A stream that is ready: a blocking websocket after ``start``."""
        with connect(f"ws://{self.address}/v1/stream", compression=None) as socket:
            socket.send(json.dumps({**START, **start}))
            said = json.loads(socket.recv(20.0))
            assert said["type"] == "ready", said
            yield socket

    def hear(self, samples: NDArray[Any]) -> list[Found]:
        """What a stream of its own hears in ``samples`` (n,) int16."""
        with self.stream() as socket:
            return finish(socket, samples)

    def metric(self, name: str) -> float:
        """The value of a metric without labels."""
        found = re.search(rf"^{name} (\S+)$", self.http.get("/metrics").text, re.M)
        assert found, name
        return float(found[1])

    def wait_until_empty(self, timeout_s: float = 20.0) -> None:
        """Wait until no client is left."""
        deadline = time.monotonic() + timeout_s
        while self.metric("wakeword_streams") or self.metric("wakeword_sockets"):
            assert time.monotonic() < deadline, self.http.get("/v1/streams").text
            time.sleep(0.05)

    @property
    def open_files(self) -> int:
        """How many file descriptors it has, but for its database's: a pool opened on demand."""
        open_now = 0
        for link in Path(f"/proc/{self.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                open_now += ".sqlite3" not in os.readlink(link)
        return open_now

    @property
    def rss_mb(self) -> float:
        """Its resident memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def finish(socket: ClientConnection, samples: NDArray[Any]) -> list[Found]:
    """Send ``samples`` and the end; what was heard: words and the ends of their detections."""
    for at in range(0, len(samples), 1280):
        socket.send(samples[at : at + 1280].tobytes())
    socket.send('{"type":"end"}')
    messages = [json.loads(message) for message in socket]
    assert messages[-1]["type"] == "summary", messages
    return [(m["keyword"], m["end_sample"]) for m in messages if m["type"] == "detection"]


@contextmanager
def server_process(
    state: Path, settings: Mapping[str, Any], **more: Any
) -> Iterator[ServerProcess]:
    """A running server, ended at the end."""
    server = ServerProcess(state, settings, **more)
    try:
        server.start()
        yield server
    finally:
        server.stop()
