"""Where the time of a stream goes: accepting, front end, network, and what joins them.

    OPENBLAS_NUM_THREADS=1 python benchmarks/parts.py [--model seven] [--streams 500]

CPU time of one core for a second of audio of one stream; the least disturbed of many rounds.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from typing import Any

import numpy as np
from contenders import MESSAGE_SAMPLES, RATE

from wakeword.runtime import Engine, find_bundle

MESSAGES_A_ROUND = 5
"""Of 80 ms: four steps of 100 ms."""


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description="Where the time of a stream goes.")
    parser.add_argument("--model", default="seven", help="name or folder of the bundle")
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    print(json.dumps(measure(Engine(find_bundle(given.model)), given.streams, given.rounds)))


def measure(engine: Engine, streams: int, rounds: int) -> dict[str, float]:
    """Milliseconds of CPU by part; each part's least over the rounds."""
    spent: defaultdict[str, float] = defaultdict(float)
    timed(engine.frontend, "process", "front end", spent)
    timed(engine._windows, "score", "network", spent)
    opened = [engine.open_stream(RATE) for _ in range(streams)]
    dice = np.random.default_rng(1)
    found = []
    for _ in range(rounds + 1):  # the first warms up
        spent.clear()
        for _ in range(MESSAGES_A_ROUND):
            chunk = (3_000.0 * dice.standard_normal(MESSAGE_SAMPLES)).astype(np.int16)
            start = time.thread_time()
            for stream in opened:
                stream.accept(chunk)
            accepted = time.thread_time()
            engine.step(opened)
            spent["accept"] += accepted - start
            spent["all"] += time.thread_time() - start
        spent["rest"] = 2 * spent["all"] - sum(spent.values())
        found.append(dict(spent))
    scale = 1e3 * RATE / (MESSAGES_A_ROUND * MESSAGE_SAMPLES * streams)
    return {part: round(scale * min(f[part] for f in found[1:]), 4) for part in found[-1]}


def timed(owner: Any, name: str, part: str, spent: defaultdict[str, float]) -> None:
    """Let the method add the CPU time that it takes to ``spent[part]``."""
    method = getattr(owner, name)

    def call(*arguments: Any) -> Any:
        start = time.thread_time()
        try:
            return method(*arguments)
        finally:
            spent[part] += time.thread_time() - start

    setattr(owner, name, call)


if __name__ == "__main__":
    main()
