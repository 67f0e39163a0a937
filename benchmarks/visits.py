"""What scoring costs in the service, without sockets: many real-time streams in its lanes.

    python benchmarks/visits.py --streams 100 [--seconds 20] [--gather-ms 20] [--model seven]

Streams get noise in messages of 80 ms at the pace of the clock, from this process; everything
behind the socket is the service's own. CPU time of one core for each second of audio
that was scored, by where it is spent. While the machine does other things visits come late and
take more streams together, so run it alone to compare. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ending import run
from traffic.generator import PERIOD_S, SPREAD_S
from traffic.servers import usage
from wakeword_service.auth import LOCAL
from wakeword_service.live import Ending, LiveStream
from wakeword_service.logs import configure
from wakeword_service.service import Service
from wakeword_service.settings import load_settings

from wakeword.protocol import StartMessage

RATE = 16_000
MESSAGE_BYTES = 2 * round(PERIOD_S * RATE)
WARM_UP_S = 3.0
RING_S = 60.0
"""Noise from which each stream is cut."""


def main() -> int:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description="CPU time of scoring, without sockets.")
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--model", default="seven", help="name or folder of the bundle")
    parser.add_argument("--gather-ms", type=float, help="as the server's setting")
    parser.add_argument("--streams-here", type=int, help="as the server's setting")
    given = parser.parse_args()
    if given.streams < 1 or given.seconds < 1.0:
        parser.error("--streams and --seconds must be at least 1")
    with tempfile.TemporaryDirectory(prefix="wakeword-visits-") as folder:
        settings = load_settings(
            state_dir=Path(folder), models=(given.model,), gather_ms=given.gather_ms,
            streams_here=given.streams_here, log_level="error",
        )  # fmt: skip
        configure(settings)
        found = asyncio.run(measure(Service(settings), given.streams, given.seconds))
    print(json.dumps(found, indent=2))
    return 0


async def measure(service: Service, streams: int, seconds: float) -> dict[str, Any]:
    """Let ``streams`` run for ``seconds`` after they have warmed up."""
    await service.start()
    start = StartMessage(protocol=1, sample_rate=RATE, encoding="s16le")
    lives = [await service.open(start, LOCAL) for _ in range(streams)]
    for live in lives:
        live.wake = live.outbox.clear
    dice = np.random.default_rng(0)
    noise = (1_000.0 * dice.standard_normal(round(RING_S * RATE))).astype("<i2").tobytes()
    feed = Feed(lives, noise, dice.uniform(0.0, SPREAD_S, streams).tolist())
    await feed.run(WARM_UP_S)
    before = Spent.now(service)
    await feed.run(seconds)
    spent = Spent.now(service).since(before)
    for live in lives:
        service.scheduler.end(live, Ending("end"))
        service.close(live, None)
    await service.stop()
    step_s = min(live.step_s for live in lives)
    return {"streams": streams, "seconds": seconds, **spent.figures(step_s)}


class Feed:
    """Puts a message of each stream in its inbox whenever it is due."""

    def __init__(self, lives: list[LiveStream], noise: bytes, offsets_s: list[float]) -> None:
        ring = sorted(zip(offsets_s, range(len(lives)), lives, strict=True))
        self._ring = [(offset_s, 2 * 977 * number, live) for offset_s, number, live in ring]
        self._noise = noise
        self._begin_s = time.monotonic()
        self._lap = 0

    async def run(self, seconds: float) -> None:
        """Go on for so long."""
        for lap in range(self._lap, self._lap + round(seconds / PERIOD_S)):
            for offset_s, first, live in self._ring:
                wait_s = self._begin_s + lap * PERIOD_S + offset_s - time.monotonic()
                if wait_s > 0.0:
                    await asyncio.sleep(wait_s)
                at = (first + lap * MESSAGE_BYTES) % (len(self._noise) - MESSAGE_BYTES) & ~1
                if live.inbox.put(self._noise[at : at + MESSAGE_BYTES]):
                    live.lane.schedule(live)
            self._lap = lap + 1


@dataclass(frozen=True)
class Spent:
    """Seconds of CPU so far: of the event loop, of all threads here, of all processes together;
    visits and windows of them so far."""

    loop_s: float
    here_s: float
    all_s: float
    visits: float
    windows: float

    @staticmethod
    def now(service: Service) -> Spent:
        """What was spent until now; call it in the event loop."""
        samples = {s.name: s.value for m in service.metrics.batch.collect() for s in m.samples}
        return Spent(
            time.thread_time(), time.process_time(), usage(os.getpid()).cpu_s,
            samples["wakeword_batch_windows_count"], samples["wakeword_batch_windows_sum"],
        )  # fmt: skip

    def since(self, before: Spent) -> Spent:
        """What was spent between the two."""
        mine, theirs = vars(self), vars(before)
        return Spent(**{name: mine[name] - theirs[name] for name in mine})

    def figures(self, step_s: float) -> dict[str, float]:
        """Milliseconds of CPU for a second of audio of one stream, by place."""
        scale = 1e3 / (max(1.0, self.windows) * step_s)
        return {
            "windows": self.windows,
            "event_loop_ms": round(scale * self.loop_s, 4),
            "score_threads_ms": round(scale * (self.here_s - self.loop_s), 4),
            "processes_ms": round(scale * (self.all_s - self.here_s), 4),
            "all_ms": round(scale * self.all_s, 4),
            "windows_per_visit": round(self.windows / max(1.0, self.visits), 2),
        }


if __name__ == "__main__":
    run(main)
