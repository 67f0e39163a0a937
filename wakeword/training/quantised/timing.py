"""How long networks take, beside each other: in turns, so that a busy machine slows all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from wakeword.runtime import Bundle, Engine
from wakeword.runtime.session import Session

ROUNDS, LEAST_ROUNDS = 9, 3
MOST_S = 10.0
_LEAST_S = 2e-3


def in_turns(calls: Sequence[Callable[[], object]], rounds: int = ROUNDS) -> list[float]:
    """Seconds of processor time of each call: the median of ``rounds`` turns.

    Short calls are repeated within a turn until the clock can tell; after ``MOST_S`` there are no
    more than ``LEAST_ROUNDS`` turns.
    """
    repeats = [_repeats(call) for call in calls]
    found: list[list[float]] = [[] for _ in calls]
    began_all = time.process_time()
    for number in range(rounds):
        if number >= LEAST_ROUNDS and time.process_time() - began_all > MOST_S:
            break
        for call, count, times in zip(calls, repeats, found, strict=True):
            began = time.process_time()
            for _ in range(count):
                call()
            times.append((time.process_time() - began) / count)
    return [float(np.median(times)) for times in found]


def window_ms(bundles: Sequence[Bundle], batch: int, rounds: int = ROUNDS) -> list[float]:
    """Milliseconds for one window of each network, ``batch`` windows in a call, one thread."""
    calls = []
    for bundle in bundles:
        m = bundle.metadata
        shape = (batch, m.window_frames, m.frontend.channels)
        windows = np.random.default_rng(0).normal(0.5, 0.5, shape).astype(np.float32)
        session = Session(bundle, max_batch=batch)
        calls.append(partial(session.run, windows))
    return [1e3 * seconds / batch for seconds in in_turns(calls, rounds)]


def stream_ms(bundles: Sequence[Bundle], streams: int = 32, rounds: int = ROUNDS) -> list[float]:
    """Milliseconds for a second of one stream in the engine, of ``streams`` that it steps together.

    With front end, smoother and detector, and with what windows share.
    """
    calls = [_engine_call(Engine(bundle), streams) for bundle in bundles]
    return [1e3 * seconds / streams for seconds in in_turns(calls, rounds)]


def _engine_call(engine: Engine, streams: int) -> Callable[[], object]:
    opened = [engine.open_stream(engine.sample_rate) for _ in range(streams)]
    dice = np.random.default_rng(0)
    second = dice.normal(0.0, 0.1, (streams, engine.sample_rate)).astype(np.float32)
    chunks = np.array_split(second, 10, axis=1)

    def feed() -> None:
        for chunk in chunks:
            for stream, samples in zip(opened, chunk, strict=True):
                stream.accept(samples)
            engine.step(opened)

    return feed


def _repeats(call: Callable[[], object]) -> int:
    """How often a call must run to take some milliseconds; the first ones warm up."""
    call()
    began = time.process_time()
    call()
    return max(1, round(_LEAST_S / max(1e-6, time.process_time() - began)))
