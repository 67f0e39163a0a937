"""Scores of a stream of the Picovoice benchmark, made once and kept."""

from __future__ import annotations

import hashlib
import json
import math
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wakeword.data.picovoice_plan import StreamConfig
from wakeword.data.picovoice_stream import StreamMaker
from wakeword.evaluation.events import Label
from wakeword.evaluation.scoring import Clip, score_clips
from wakeword.files import atomic_write
from wakeword.runtime import Bundle
from wakeword.training.trials import Trials

STRETCHES = 32
"""A stream is scored in so many stretches at once: enough to keep two cores busy to the end."""

_REMAINS = 1e-7
"""Of the sound before a stretch when its first score counts: float32's last bit."""

_VERSION = 1
"""Of how streams are made: scores kept from another version are not taken."""

Scores = NDArray[np.float32]
"""(steps,): smoothed posteriors of one word."""


def score_stream(
    bundle: Bundle,
    maker: StreamMaker,
    gain: float,
    progress: Callable[[float], None] | None = None,
    stretches: int = STRETCHES,
) -> Scores:
    """Scores of the stream's word, as if it were heard in one go.

    Each stretch begins so early that nothing is left of what was heard before it. The steps of
    the silence that ends a stream come last.
    """
    step, samples = bundle.metadata.step_samples, maker.plan.samples
    steps = samples // step
    edges = np.unique(np.linspace(0, steps, stretches + 1).round().astype(np.int64)).tolist()
    firsts, stops = edges[:-1], edges[1:]
    starts = [_early(bundle, first) for first in firsts]
    ends = [samples if stop == steps else stop * step for stop in stops]
    clips = [
        Clip(Label(f"step {first}"), partial(maker.blocks, start * step, end, gain))
        for first, start, end in zip(firsts, starts, ends, strict=True)
    ]
    tracks = score_clips(bundle, clips, progress=progress)
    column = bundle.words.index(maker.ingredients.word)
    pieces = []
    for first, start, stop, track in zip(firsts, starts, stops, tracks, strict=True):
        end = len(track.posteriors) if stop == steps else stop - start
        pieces.append(track.posteriors[first - start : end, column])
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def scored_seconds(bundle: Bundle, maker: StreamMaker, stretches: int = STRETCHES) -> float:
    """Seconds of audio that :func:`score_stream` goes through."""
    return (maker.plan.samples + (stretches - 1) * _lead_samples(bundle)) / maker.rate


def _early(bundle: Bundle, first_step: int) -> int:
    """Step at which to begin so that scores are right from ``first_step`` on."""
    step = bundle.metadata.step_samples
    grid = math.lcm(step, bundle.metadata.frontend.hop_samples)
    return max(0, first_step * step - _lead_samples(bundle)) // grid * grid // step


def _lead_samples(bundle: Bundle) -> int:
    """After so many samples the scores are those of a stream that was heard from its start."""
    metadata, frontend = bundle.metadata, bundle.metadata.frontend
    settling = math.log(_REMAINS) / math.log1p(-frontend.pcen.s) if frontend.pcen.s < 1.0 else 0.0
    frames = math.ceil(settling) + metadata.window_frames
    return frames * frontend.hop_samples + metadata.smoother.steps * metadata.step_samples


class KeptScores:
    """Scores on the disk, each under a name made of all that they follow from.

    Parameters
    ----------
    folder
        None keeps nothing.
    """

    def __init__(
        self, folder: Path | None, bundle: Bundle, trials: Trials, manifest_sha256: str
    ) -> None:
        self._folder = folder
        self._trials = trials
        metadata = bundle.metadata
        self._step_samples = metadata.step_samples
        self._settings = [
            _VERSION,
            bundle.sha256,
            metadata.frontend.to_dict(),
            asdict(metadata.smoother),
            metadata.step_samples,
            manifest_sha256,
        ]

    def load(self, maker: StreamMaker, config: StreamConfig) -> Scores | None:
        """What :meth:`save` kept of this stream; None where nothing is, or it is damaged."""
        if self._folder is None:
            return None
        path = self._path(self._folder, maker, config)
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
                scores: Scores = stored["scores"]
        except (FileNotFoundError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
            return None
        whole = scores.ndim == 1 and len(scores) >= maker.plan.samples // self._step_samples
        return scores if whole else None

    def save(self, maker: StreamMaker, config: StreamConfig, scores: Scores) -> None:
        """Keep the scores of a stream.

        Raises
        ------
        OSError
            As from any writing, a full disk included.
        """
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            with atomic_write(self._path(self._folder, maker, config), "wb") as file:
                np.savez(file, scores=scores)

    def _path(self, folder: Path, maker: StreamMaker, config: StreamConfig) -> Path:
        word = maker.ingredients.word
        names = [self._trials.label(r).name for r in maker.ingredients.all]
        text = json.dumps([*self._settings, word, asdict(config), names], sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()[:12]
        return folder / f"{word.replace(' ', '-')}-{key}.npz"
