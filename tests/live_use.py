"""What tests of live use share: clocks in hand, a stream as the scheduler hears it."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from wakeword_service.recorder import Recorder
from wakeword_service.settings import Settings
from wakeword_service.store import Store

from wakeword.protocol import PROTOCOL, StartMessage
from wakeword.runtime import Engine

START = StartMessage(protocol=PROTOCOL, sample_rate=16_000, encoding="s16le")
LIVE = SimpleNamespace(id="stream-1", name="kitchen", start=START)
KITCHEN = {"low tone": 0.5, "high tone": 0.5}


@dataclass
class Clock:
    """Both clocks, in hands."""

    wall_s: float = 1_800_000_000.0
    monotonic_s: float = 1000.0

    def tick(self, seconds: float) -> None:
        self.wall_s += seconds
        self.monotonic_s += seconds


def recorder_of(store: Store, clock: Clock, **chosen: Any) -> Recorder:
    return Recorder(store, Settings(**chosen), lambda: clock.wall_s, lambda: clock.monotonic_s)


def hear(recorder: Recorder, engine: Engine, samples: NDArray[np.float32]) -> list[str]:
    """Let a stream be heard as the scheduler does it; returns the ids of its detections."""
    stream = engine.open_stream(16_000, 1, KITCHEN)
    stream.accept(samples)
    stream.finish()
    found = []
    for result in engine.step([stream]):
        recorder.steps(LIVE, [result])
        for detection in result.detections:
            found.append(recorder.detection(LIVE, detection, np.full(160, 1000, np.int16)))
    return found
