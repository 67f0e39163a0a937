"""Engines of others that hear "alexa", as their packages have them: 16 bit samples to scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]
WORD = "alexa"


class Foreign(NamedTuple):
    """One stream of an engine at 16 kHz.

    scores
        What it makes of the next samples (n,), with all that it heard before: no score or many.
    """

    what: str
    chunk_samples: int
    model_bytes: int
    scores: Callable[[Pcm], Iterator[float]]


def microwakeword() -> Foreign:
    """pymicro-wakeword: features and one word, quantised to 8 bit; the mean that it thresholds."""
    import pymicro_wakeword
    from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model

    features, word = MicroWakeWordFeatures(), MicroWakeWord.from_builtin(Model.ALEXA)

    def scores(chunk: Pcm) -> Iterator[float]:
        for frame in features.process_streaming(chunk.tobytes()):
            score = word.process_streaming_prob(frame)
            if score is not None:
                yield score

    size = _bytes(pymicro_wakeword, "alexa.tflite")
    return Foreign("pymicro-wakeword, alexa", 1_600, size, scores)


def openwakeword() -> Foreign:
    """pyopen-wakeword: mel and embedding networks and one word."""
    import pyopen_wakeword
    from pyopen_wakeword import Model, OpenWakeWord, OpenWakeWordFeatures

    features, word = OpenWakeWordFeatures.from_builtin(), OpenWakeWord.from_builtin(Model.ALEXA)

    def scores(chunk: Pcm) -> Iterator[float]:
        for embedding in features.process_streaming(chunk.tobytes()):
            yield from word.process_streaming(embedding)

    names = ("melspectrogram.tflite", "embedding_model.tflite", "alexa.tflite")
    size = sum(_bytes(pyopen_wakeword, name) for name in names)
    return Foreign("pyopen-wakeword, alexa", 1_280, size, scores)


FOREIGN: dict[str, Callable[[], Foreign]] = {
    "pymicro-wakeword": microwakeword,
    "pyopen-wakeword": openwakeword,
}


def _bytes(package: ModuleType, name: str) -> int:
    assert package.__file__ is not None
    return (Path(package.__file__).parent / "models" / name).stat().st_size
