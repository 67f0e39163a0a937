"""The engines that are compared, each from 16 bit samples to a decision, one stream or many.

A contender is made in a process of its own, where nothing else is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
BATCHED_STREAMS = 64
LIVE_STREAMS, MESSAGE_SAMPLES = 500, 1_280
"""What a server has to bear: each stream in messages of 80 ms, steps of 100 ms due in some."""
Pcm = NDArray[np.int16]


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


def microwakeword(_: str) -> Contender:
    """pymicro-wakeword: features and one word, quantised to 8 bit."""
    import pymicro_wakeword
    from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model

    features, word = MicroWakeWordFeatures(), MicroWakeWord.from_builtin(Model.ALEXA)
    size = _bytes(pymicro_wakeword, "alexa.tflite")

    def feed(chunk: Pcm) -> None:
        for frame in features.process_streaming(chunk.tobytes()):
            word.process_streaming(frame)

    return Contender("pymicro-wakeword, alexa", 1, 1_600, size, feed)


def openwakeword(_: str) -> Contender:
    """pyopen-wakeword: mel and embedding networks and one word."""
    import pyopen_wakeword
    from pyopen_wakeword import Model, OpenWakeWord, OpenWakeWordFeatures

    features, word = OpenWakeWordFeatures.from_builtin(), OpenWakeWord.from_builtin(Model.ALEXA)
    names = ("melspectrogram.tflite", "embedding_model.tflite", "alexa.tflite")
    size = sum(_bytes(pyopen_wakeword, name) for name in names)

    def feed(chunk: Pcm) -> None:
        for embedding in features.process_streaming(chunk.tobytes()):
            for _score in word.process_streaming(embedding):
                pass

    return Contender("pyopen-wakeword, alexa", 1, 1_280, size, feed)


CONTENDERS: dict[str, Callable[[str], Contender]] = {
    "nothing": nothing,
    "wakeword": wakeword_one,
    "wakeword-batched": wakeword_many,
    "wakeword-live": wakeword_live,
    "pymicro-wakeword": microwakeword,
    "pyopen-wakeword": openwakeword,
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


def _bytes(package: Any, name: str) -> int:
    return (Path(package.__file__).parent / "models" / name).stat().st_size
