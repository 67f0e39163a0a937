"""The engines that are compared, each from 16 bit samples to a decision, one stream or many.

A contender is made in a process of its own, where nothing else is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from foreign import FOREIGN, Foreign, Pcm

RATE = 16_000
BATCHED_STREAMS = 64
LIVE_STREAMS, MESSAGE_SAMPLES = 500, 1_280
"""What a server has to bear: each stream in messages of 80 ms, steps of 100 ms due in some."""


class Contender(NamedTuple):
    """Something that hears ``streams`` streams at once, in chunks of ``chunk_samples``."""

    what: str
    streams: int
    chunk_samples: int
    model_bytes: int
    feed: Callable[[Pcm], None]


def nothing(_: str) -> Contender:
    """Python and numpy alone: what resident memory is compared with."""
    return Contender("Python and numpy", 1, RATE, 0, lambda chunk: None)


def wakeword_one(model: str) -> Contender:
    """This library, one stream."""
    return _wakeword(model, 1)


def wakeword_many(model: str) -> Contender:
    """This library, many streams stepped together."""
    return _wakeword(model, BATCHED_STREAMS)


def wakeword_live(model: str) -> Contender:
    """This library, the streams of a server in the messages that clients send."""
    return _wakeword(model, LIVE_STREAMS, MESSAGE_SAMPLES)


def _foreign(make: Callable[[], Foreign]) -> Callable[[str], Contender]:
    """An engine of others; the name of a model of ours means nothing to it."""

    def contender(_: str) -> Contender:
        engine = make()

        def feed(chunk: Pcm) -> None:
            for _score in engine.scores(chunk):
                pass

        return Contender(engine.what, 1, engine.chunk_samples, engine.model_bytes, feed)

    return contender


CONTENDERS: dict[str, Callable[[str], Contender]] = {
    "nothing": nothing,
    "wakeword": wakeword_one,
    "wakeword-batched": wakeword_many,
    "wakeword-live": wakeword_live,
    **{name: _foreign(make) for name, make in FOREIGN.items()},
}


def chunks(contender: Contender, seconds: float) -> Iterator[Pcm]:
    """Noise that comes and goes, the same for everyone, cut as the contender likes it."""
    rng = np.random.default_rng(1)
    level = np.repeat(rng.random(int(seconds * 4) + 1), RATE // 4)[: int(seconds * RATE)]
    samples = (3_000.0 * level * rng.standard_normal(len(level))).astype(np.int16)
    for start in range(0, len(samples), contender.chunk_samples):
        yield samples[start : start + contender.chunk_samples]


def _wakeword(model: str, streams: int, chunk_samples: int | None = None) -> Contender:
    from wakeword.runtime import Engine, find_bundle

    bundle = find_bundle(model)
    engine = Engine(bundle)
    opened = [engine.open_stream(RATE) for _ in range(streams)]

    def feed(chunk: Pcm) -> None:
        for stream in opened:
            stream.accept(chunk)
        engine.step(opened)

    words = f"{len(bundle.words)} words" if len(bundle.words) > 1 else bundle.words[0]
    what = f"wakeword {bundle.name}, {words}"
    if streams > 1:
        what += f", {streams} streams stepped together"
    if chunk_samples:
        what += f", in messages of {1000 * chunk_samples // RATE} ms"
    return Contender(what, streams, chunk_samples or engine.step_samples, len(bundle.model), feed)
