"""Stretches of a stream as they were scored: samples, spectrogram, and what the network sees."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wakeword.frontend import Frontend, FrontendConfig

Samples = NDArray[np.float32]

LEVELS = 32
"""Of a picture: what the eye can tell apart, and small once compressed."""

BANDS = 64
DEPTH_DB = 60.0
_HIGHEST_PCEN = 3.0
"""99 of 100 values of speech in noise are below it."""


@dataclass(frozen=True)
class Excerpt:
    """A stretch of a stream.

    samples (n,) float32
        From ``start_sample`` on; fewer than asked for where the recording ends.
    first_frame_s
        Middle of the first frame, in seconds of the stream; the others follow every hop.
    spectrogram (frames, BANDS), features (frames, channels) uint8 below LEVELS
        Log-mel energies down to DEPTH_DB below the loudest here, and the features that the
        network saw, with the state that the front end had there.
    """

    samples: Samples
    start_sample: int
    first_frame_s: float
    spectrogram: NDArray[np.uint8]
    features: NDArray[np.uint8]


def cut_excerpts(
    blocks: Iterable[Samples], spans: Sequence[tuple[int, int]], config: FrontendConfig
) -> list[Excerpt]:
    """Walk through a stream once, from its beginning, and keep the stretches ``spans``.

    Parameters
    ----------
    blocks
        Samples (n,) at the front end's rate; no more is read than the spans need.
    spans
        ``start <= sample < stop``, in any order, overlapping or not.

    Raises
    ------
    AudioError
        From reading the blocks.
    """
    frontend = Frontend(config)
    state = frontend.initial_state()
    frames_of = [_frames(span, config) for span in spans]
    samples: list[list[Samples]] = [[] for _ in spans]
    features: list[list[NDArray[np.float32]]] = [[] for _ in spans]
    last = max((stop for _, stop in spans), default=0)
    heard = seen = 0
    for block in blocks:
        values, state = frontend.process(block[None], state)
        for i, (span, frames) in enumerate(zip(spans, frames_of, strict=True)):
            samples[i].append(_within(block, heard, span))
            features[i].append(_within(values[0], seen, frames))
        heard, seen = heard + len(block), seen + values.shape[1]
        if heard >= last:
            break
    nothing = np.zeros(0, np.float32), np.zeros((0, config.channels), np.float32)
    return [
        _excerpt(
            np.concatenate([nothing[0], *samples[i]]),
            np.concatenate([nothing[1], *features[i]]),
            spans[i][0],
            config,
        )
        for i in range(len(spans))
    ]


def _frames(span: tuple[int, int], config: FrontendConfig) -> tuple[int, int]:
    """Frames that lie wholly inside a span of samples."""
    first = -(-span[0] // config.hop_samples)
    return first, max(first, config.frames_after(span[1]))


def _within(values: NDArray[np.float32], offset: int, span: tuple[int, int]) -> NDArray[np.float32]:
    """The rows of ``values``, whose first is number ``offset``, that lie inside ``span``."""
    return values[max(0, span[0] - offset) : max(0, span[1] - offset)]


def _excerpt(
    samples: Samples, features: NDArray[np.float32], start: int, config: FrontendConfig
) -> Excerpt:
    first = -(-start // config.hop_samples)
    middle = first * config.hop_samples + config.window_samples / 2
    # Twice the resolution, or the lowest of so many bands would hold no bin at all.
    drawn = Frontend(replace(config, kind="logmel", n_mels=BANDS, fft_size=2 * config.fft_size))
    inside = samples[first * config.hop_samples - start :]
    log_mel = drawn.process(inside[None], drawn.initial_state())[0][0]
    loudest = float(log_mel.max(initial=math.log(config.log_floor)))
    if config.kind == "pcen":
        low, high = 0.0, _HIGHEST_PCEN
    else:
        low, high = (float(np.percentile(features, q)) if features.size else 0.0 for q in (1, 99))
    return Excerpt(
        samples=samples,
        start_sample=start,
        first_frame_s=middle / config.sample_rate,
        spectrogram=_levels(log_mel, loudest - DEPTH_DB / 10.0 * math.log(10.0), loudest),
        features=_levels(features, low, high),
    )


def _levels(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    """Values as 0 (``low`` and below) to LEVELS - 1 (``high`` and above)."""
    scaled = (values - low) / max(high - low, 1e-9) * (LEVELS - 1)
    levels: NDArray[np.uint8] = np.clip(np.rint(scaled), 0, LEVELS - 1).astype(np.uint8)
    return levels
