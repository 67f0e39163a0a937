"""Feeding streams of an engine, and comparing what came out."""

from collections.abc import Sequence

import numpy as np
from bundles import RATE, with_bursts
from numpy.typing import NDArray

from wakeword.runtime import Detection, Engine, StepResult, Stream

Audio = NDArray[np.float32]


def speech(seed: int, seconds: float = 4.0) -> Audio:
    """Noise with words at random places."""
    rng = np.random.default_rng(seed)
    words = [(float(t), str(rng.choice(["low tone", "high tone"]))) for t in rng.uniform(0, 3, 3)]
    return with_bursts(seconds, words, noise=10.0 ** rng.uniform(-4, -1.5))


def feed(engine: Engine, stream: Stream, chunks: Sequence[Audio]) -> list[StepResult]:
    results: list[StepResult] = []
    for chunk in chunks:
        stream.accept(chunk)
        results += engine.step([stream])
    stream.finish()
    return results + engine.step([stream])


def whole(engine: Engine, samples: Audio, rate: int = RATE) -> list[StepResult]:
    return feed(engine, engine.open_stream(rate), [samples])


def detections(results: Sequence[StepResult]) -> list[Detection]:
    return [d for r in results for d in r.detections]


def assert_same(one: Sequence[StepResult], other: Sequence[StepResult]) -> None:
    """Equal within float32 rounding, detections exactly but for the rounding of their score."""
    assert [r.end_sample for r in one] == [r.end_sample for r in other]
    for name in ("posteriors", "smoothed"):
        a, b = ([getattr(r, name) for r in results] for results in (one, other))
        np.testing.assert_allclose(np.reshape(a, (len(one), -1)), np.reshape(b, (len(one), -1)),
                                   rtol=2e-5, atol=1e-6)  # fmt: skip
    times = [
        [(d.keyword, d.start_sample, d.end_sample) for d in detections(results)]
        for results in (one, other)
    ]
    assert times[0] == times[1]
