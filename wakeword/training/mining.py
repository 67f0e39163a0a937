"""Hard negatives: the stretches of training audio that the model takes for a word."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wakeword.data.sources import Mined, Sources
from wakeword.errors import TrainingError
from wakeword.evaluation.events import Label
from wakeword.evaluation.peaks import find_peaks
from wakeword.evaluation.scoring import Clip, score_clips
from wakeword.files import read_json, write_json
from wakeword.runtime.bundle import Bundle

LEAST_SCORE = 0.05
"""A posterior below this is not a mistake worth showing again."""
APART_S = 0.7
MOST_FROM_ONE = 10


def mine(
    bundle: Bundle, sources: Sources, most: int, progress: Callable[[float], None] | None = None
) -> tuple[Mined, ...]:
    """Run the model over all negative recordings and keep its worst mistakes.

    Parameters
    ----------
    bundle
        Its posteriors are taken as they are smoothed: one step for single windows.
    most
        At most so many, the highest scores first; at most ten from one recording.
    progress
        Called with seconds of audio scored.
    """
    negatives = [*sources.speech, *sources.clips, *sources.noise, *sources.music]
    tracks = score_clips(bundle, _clips(sources, negatives), progress=progress)
    step = bundle.metadata.step_samples
    apart = round(APART_S * bundle.metadata.frontend.sample_rate / step)
    found = [
        Mined(index, (at + 1) * step, score)
        for index, track in zip(negatives, tracks, strict=True)
        for at, score in find_peaks(
            track.posteriors.max(1, initial=0.0), apart, MOST_FROM_ONE, LEAST_SCORE
        )
    ]
    found.sort(key=lambda m: (-m.score, m.index, m.end))
    return tuple(found[:most])


def negative_seconds(sources: Sources) -> float:
    """Seconds of audio that :func:`mine` goes through."""
    negatives = [*sources.speech, *sources.clips, *sources.noise, *sources.music]
    return sum(sources.corpus.recordings[i].seconds for i in negatives)


def save_mined(path: Path, mined: tuple[Mined, ...]) -> None:
    """Keep the list, so that a resumed run trains on the same one."""
    write_json(path, [asdict(m) for m in mined])


def load_mined(path: Path) -> tuple[Mined, ...]:
    """What :func:`save_mined` wrote."""
    try:
        return tuple(Mined(**m) for m in read_json(path, 64 * 1024 * 1024, TrainingError))
    except (TypeError, json.JSONDecodeError) as error:
        raise TrainingError(f"{path} is not a list of mined negatives: {error}") from error


def _clips(sources: Sources, indices: Iterable[int]) -> Iterable[Clip]:
    for index in indices:
        yield Clip(Label(str(index)), partial(_blocks, sources, index))


def _blocks(sources: Sources, index: int) -> tuple[NDArray[np.float32]]:
    return (sources.corpus.audio(index),)
