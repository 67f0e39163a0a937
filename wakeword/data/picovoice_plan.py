"""The order of sounds in a stream of the Picovoice benchmark, drawn before any is read.

The stream is laid out as Picovoice's ``wake-word-benchmark`` does it (``mixer.py``): every
keyword clip once, in random order, with equally long gaps between; a gap is filled with whole
recordings of speech drawn with replacement, each kept with a probability of a fifth and
otherwise replaced by silence of the same length. Under all of it runs noise: whole recordings,
drawn with replacement, back to back. What differs is said in docs/evaluation.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import ConfigError

SPEECH_SHARE = 0.2
"""Probability with which a segment between keywords is heard; mixer.py: background_probability."""

HOURS = 24.0
SNR_DB = 10.0
MOST_HOURS = 1_000.0
LOWEST_SNR_DB, HIGHEST_SNR_DB = -40.0, 80.0

Integers = NDArray[np.int64]


class Kind(IntEnum):
    """What a part of the stream holds besides noise."""

    KEYWORD = 0
    SPEECH = 1
    SILENCE = 2


@dataclass(frozen=True)
class StreamConfig:
    """How a stream is made.

    seed
        Every draw follows from it and from the word.
    """

    hours: float = HOURS
    snr_db: float = SNR_DB
    speech_share: float = SPEECH_SHARE
    seed: int = 1

    def __post_init__(self) -> None:
        if not 0.0 < self.hours <= MOST_HOURS:
            raise ConfigError(f"hours = {self.hours:g}; it must be above 0, at most {MOST_HOURS:g}")
        if not LOWEST_SNR_DB <= self.snr_db <= HIGHEST_SNR_DB:
            raise ConfigError(
                f"SNR of {self.snr_db:g} dB; it must be from {LOWEST_SNR_DB:g} to "
                f"{HIGHEST_SNR_DB:g} dB"
            )
        if not 0.0 <= self.speech_share <= 1.0:
            raise ConfigError(f"speech_share = {self.speech_share:g}; it must be from 0 to 1")


@dataclass(frozen=True)
class Row:
    """Recordings back to back: number ``sources[i]`` lies at ``edges[i]`` to ``edges[i + 1]``."""

    sources: Integers
    edges: Integers

    def at(self, sample: int) -> int:
        """Index of the piece that holds ``sample``."""
        return int(np.searchsorted(self.edges, sample, "right")) - 1

    def within(self, first: int, stop: int) -> range:
        """Indices of the pieces that overlap samples ``first`` to ``stop``."""
        return range(self.at(first), self.at(stop - 1) + 1) if stop > first else range(0)


@dataclass(frozen=True)
class Plan:
    """A stream before it is made, in samples.

    parts
        Keywords and the segments between; ``kinds`` (parts,) says which is what.
    noise
        What runs under them; it ends with or after the last part.
    """

    parts: Row
    kinds: NDArray[np.int8]
    noise: Row

    @property
    def samples(self) -> int:
        """Length of the stream."""
        return int(self.parts.edges[-1])

    @cached_property
    def lengths(self) -> Integers:
        """Length of each part."""
        return np.diff(self.parts.edges)

    def indices(self, kind: Kind) -> Integers:
        """Indices of the parts of one kind, in order of time."""
        return np.flatnonzero(self.kinds == kind)


def make_plan(
    keywords: Sequence[int],
    speech: Sequence[int],
    noise: Sequence[int],
    config: StreamConfig,
    rate: int,
    key: int = 0,
) -> Plan:
    """Draw the order of a stream from the lengths of its recordings.

    Parameters
    ----------
    keywords, speech, noise
        Samples of each recording.
    rate
        Samples per second.
    key
        Another plan for each, with the same seed: a number made of the word.

    Raises
    ------
    ConfigError
        No recordings of one of the three, or one without samples.
    """
    for name, of_each in (("keywords", keywords), ("speech", speech), ("noise", noise)):
        if not of_each or min(of_each) < 1:
            raise ConfigError(f"a stream needs {name}, and each recording at least one sample")
    clip, talk, hum = (np.asarray(each, np.int64) for each in (keywords, speech, noise))
    # Draws of their own for each purpose: in the original one seed is used thrice over, so that
    # the choices of speech and of noise run in step.
    order, what, kept, under = (
        np.random.default_rng([config.seed, key, purpose]) for purpose in range(4)
    )
    gap = int(config.hours * 3600 * rate) // (len(clip) + 1)
    sources, kinds = [], []
    for keyword in (None, *order.permutation(len(clip)).tolist()):
        between = _draw(talk, gap, what)
        heard = kept.random(len(between)) < config.speech_share
        if keyword is not None:
            sources.append(np.array([keyword], np.int64))
            kinds.append(np.array([Kind.KEYWORD]))
        sources.append(between)
        kinds.append(np.where(heard, Kind.SPEECH, Kind.SILENCE))
    of_part, kind = np.concatenate(sources), np.concatenate(kinds).astype(np.int8)
    lengths = np.zeros(len(kind), np.int64)
    is_keyword = kind == Kind.KEYWORD
    lengths[is_keyword] = clip[of_part[is_keyword]]
    lengths[~is_keyword] = talk[of_part[~is_keyword]]
    noises = _draw(hum, int(lengths.sum()), under)
    return Plan(Row(of_part, _edges(lengths)), kind, Row(noises, _edges(hum[noises])))


def _draw(lengths: Integers, total: int, rng: np.random.Generator) -> Integers:
    """Indices drawn with replacement until their lengths reach ``total``."""
    drawn, reached = [np.zeros(0, np.int64)], 0
    while reached < total:
        # As many as are missing on average, so that few rounds do and none draws far too many.
        count = math.ceil((total - reached) / float(lengths.mean())) + 1
        more = rng.integers(len(lengths), size=count)
        sums = reached + np.cumsum(lengths[more])
        enough = int(np.searchsorted(sums, total, "left")) + 1
        drawn.append(more[:enough])
        reached = int(sums[min(enough, count) - 1])
    return np.concatenate(drawn)


def _edges(lengths: Integers) -> Integers:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
