"""Detections against the truth: which words were heard, which detections were false.

Everything is counted as events. A detection belongs to an utterance when its step ends
after the word began and at most ``tolerance_s`` after the word ended; the first such
detection is the hit. Every other detection is a false alarm, a second one of the same
utterance too: the refractory period is there to prevent it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import EvaluationError
from wakeword.runtime import Detector

Posteriors = NDArray[np.float32]
"""(steps, words) float32: smoothed, as the detector compares them with its threshold."""


@dataclass(frozen=True)
class Truth:
    """One utterance of ``word`` in a stream, in seconds from its beginning."""

    word: str
    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.end_s) and 0.0 <= self.start_s < self.end_s):
            raise EvaluationError(
                f"'{self.word}' from {self.start_s} s to {self.end_s} s is not an interval"
            )


@dataclass(frozen=True)
class Label:
    """What is known about a recording apart from its audio.

    unsure
        Words that are (or may be) said at unknown times: the recording counts neither for
        nor against them.
    in_sentence
        Whether its word is part of longer speech.
    """

    name: str
    corpus: str = ""
    speaker: str = ""
    truths: tuple[Truth, ...] = ()
    unsure: frozenset[str] = field(default_factory=frozenset)
    in_sentence: bool = False


@dataclass(frozen=True)
class Track:
    """The scores of one stream.

    ``scored_steps`` of the ``posteriors`` lie wholly inside the recording and count as
    scored time; the steps after them are the silence that ends a file, in which an alarm
    counts but time does not.
    """

    label: Label
    words: tuple[str, ...]
    posteriors: Posteriors
    scored_steps: int

    def column(self, word: str) -> NDArray[np.float32]:
        """Posteriors (steps,) of one word."""
        return self.posteriors[:, self.words.index(word)]

    def truths(self, word: str) -> tuple[Truth, ...]:
        """Utterances of ``word``, in order of time."""
        mine = [t for t in self.label.truths if t.word == word]
        return tuple(sorted(mine, key=lambda t: (t.start_s, t.end_s)))

    def is_negative(self, word: str) -> bool:
        """Whether every detection of ``word`` here is a false alarm."""
        return word not in self.label.unsure and not self.truths(word)


@dataclass(frozen=True)
class EventRules:
    """How steps become times and times become events.

    tolerance_s
        How long after the end of a word its detection may come.
    """

    sample_rate: int
    step_samples: int
    refractory_s: float
    tolerance_s: float

    @property
    def step_s(self) -> float:
        """Seconds between two scores."""
        return self.step_samples / self.sample_rate

    @property
    def refractory_steps(self) -> int:
        """Least number of steps between two detections of one word."""
        return -(-round(self.refractory_s * self.sample_rate) // self.step_samples)

    def hours(self, tracks: Sequence[Track]) -> float:
        """Scored hours in ``tracks``."""
        return sum(t.scored_steps for t in tracks) * self.step_s / 3600.0

    def steps_of(self, truth: Truth) -> tuple[int, int]:
        """Steps ``first <= i < stop`` at which a detection belongs to ``truth``."""
        start = round(truth.start_s * self.sample_rate)
        end = round((truth.end_s + self.tolerance_s) * self.sample_rate)
        return start // self.step_samples, end // self.step_samples


@dataclass(frozen=True)
class Matching:
    """Detections of one word in one track, sorted out; ``hit_step`` is None for a miss."""

    hit_steps: tuple[int | None, ...]
    false_steps: tuple[int, ...]


def match(
    detected_steps: Sequence[int], truths: Sequence[Truth], rules: EventRules
) -> Matching:
    """Give each detection, in order of time, to the first open utterance it can belong to."""
    hits: list[int | None] = [None] * len(truths)
    false: list[int] = []
    for step in detected_steps:
        for index, truth in enumerate(truths):
            first, stop = rules.steps_of(truth)
            if hits[index] is None and first <= step < stop:
                hits[index] = step
                break
        else:
            false.append(step)
    return Matching(tuple(hits), tuple(false))


def detected_steps(
    track: Track, word: str, threshold: float, rules: EventRules
) -> tuple[int, ...]:
    """Steps at which the detector reports ``word`` with this threshold."""
    detector = Detector([threshold], rules.refractory_steps)
    crossings, _ = detector.process(track.column(word)[:, None], detector.initial_state())
    return tuple(crossing.step for crossing in crossings)
