"""Clients that come and go without end, each in a thread, and a watch over the server meanwhile."""

from __future__ import annotations

import random
import re
import threading
import time
import urllib.request
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from traffic.servers import Running, usage
from traffic.visits import BEHAVIOURS, Ground, Visit, Wire
from traffic.websocket import WebSocketError

GAUGES = ("wakeword_streams", "wakeword_sockets", "wakeword_tasks")
DATABASE = "state.sqlite3"
QUIET_TIMEOUT_S = 90.0


class Churn:
    """``clients`` threads, one visit after the other until :meth:`stop`."""

    def __init__(self, ground: Ground, clients: int, seed: int = 0) -> None:
        self.ground = ground
        self.visits: Counter[str] = Counter()
        self.broken_off: Counter[str] = Counter()
        self.faults: list[str] = []
        self._threads = [
            threading.Thread(target=self._come_and_go, args=(random.Random(seed * 1000 + number),))
            for number in range(clients)
        ]

    def start(self) -> None:
        """Let them in."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No more visits; those that run end soon."""
        self.ground.stopping.set()
        for thread in self._threads:
            thread.join()

    def _come_and_go(self, dice: random.Random) -> None:
        names, weights = list(BEHAVIOURS), list(BEHAVIOURS.values())
        while not self.ground.stopping.wait(dice.uniform(0.0, 0.3)):
            behave = dice.choices(names, weights)[0]
            self.visits[behave.__name__] += 1
            try:
                wire = Wire(self.ground.address, small_buffer=behave.__name__ == "deaf")
                visit = Visit(self.ground, dice, wire)
                try:
                    behave(visit)
                finally:
                    visit.wire.socket.close()
            except (OSError, WebSocketError):
                self.broken_off[behave.__name__] += 1
            except Exception as fault:
                self.faults.append(f"{behave.__name__}: {type(fault).__name__}: {fault}")


class Watch:
    """Looks at the server at regular times; a thread of its own.

    samples: for each look the time, memory, files but for those of the database, and the gauges
    of ``/metrics``.
    """

    def __init__(self, server: Running, period_s: float) -> None:
        self._server, self._period_s = server, period_s
        self._begin = time.monotonic()
        self._stopping = threading.Event()
        self.samples: list[dict[str, float]] = []
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Begin to look."""
        self._begin = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        self._thread.join()

    def look(self) -> dict[str, float]:
        """How the server is now."""
        assert self._server.pid is not None
        used = usage(self._server.pid)
        return {
            "s": round(time.monotonic() - self._begin, 1),
            "rss_mb": round(used.rss_bytes / 2**20, 2),
            "open_files": used.open_files - self.database_files(),
            **gauges(self._server.address),
        }

    def files(self) -> Counter[str]:
        """What the open files of the server are; numbers of sockets and pipes are left out."""
        folder = Path(f"/proc/{self._server.pid}/fd")
        names: Counter[str] = Counter()
        for entry in folder.iterdir():
            with suppress(OSError):
                names[re.sub(r":\[\d+\]", "", str(entry.readlink()))] += 1
        return names

    def database_files(self) -> int:
        """Open files of the database: one connection for each thread that has read."""
        return sum(count for name, count in self.files().items() if DATABASE in name)

    def wait_until_quiet(self) -> dict[str, float]:
        """The first look without any client; the last look if it never comes to that."""
        deadline = time.monotonic() + QUIET_TIMEOUT_S
        while True:
            seen = self.look()
            empty = not seen["wakeword_streams"] and not seen["wakeword_sockets"]
            if empty or time.monotonic() > deadline:
                return seen
            time.sleep(0.5)

    def _run(self) -> None:
        while not self._stopping.wait(self._period_s):
            try:
                self.samples.append(self.look())
            except OSError:
                continue  # a busy server may refuse a look; a dead one is found at the end


def gauges(address: tuple[str, int]) -> dict[str, float]:
    """The gauges that must return to where they were."""
    url = f"http://{address[0]}:{address[1]}/metrics"
    with urllib.request.urlopen(url, timeout=10.0) as answer:
        text = answer.read().decode()
    found = {name: re.search(rf"^{name} (\S+)$", text, re.M) for name in GAUGES}
    return {name: float(match[1]) for name, match in found.items() if match}


def slope_mb_per_hour(samples: list[dict[str, Any]]) -> float:
    """Median of the slopes between all pairs of looks (Theil and Sen): spikes do not move it."""
    times = np.array([s["s"] for s in samples])
    sizes = np.array([s["rss_mb"] for s in samples])
    first, second = np.triu_indices(len(samples), 1)
    slopes = (sizes[second] - sizes[first]) / (times[second] - times[first])
    return 3600.0 * float(np.median(slopes))
