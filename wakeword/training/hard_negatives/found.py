"""What mining finds in one segment, and the choice among all that was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import ConfigError
from wakeword.evaluation.events import Track
from wakeword.evaluation.peaks import find_peaks
from wakeword.frontend import Frontend
from wakeword.training.hard_negatives.segments import Cut, Segment
from wakeword.training.hard_negatives.sounds import Clusters, Sound, describe

FLOOR = 0.02
"""Peaks below this are not even remembered."""
APART_S = 0.7
"""Peaks nearer to each other are one mistake."""
MOST_OF_A_SEGMENT = 20


@dataclass(frozen=True, eq=False)
class Peak:
    """A moment at which a model took something for a word.

    end
        Sample of the recording, at the model's rate, at which the step with the peak ends.
    """

    path: Path
    word: str
    score: float
    end: int
    sound: Sound


@dataclass(frozen=True)
class Choice:
    """Which of the peaks are kept.

    most, per_recording, per_cluster
        At most so many in all, of one recording, and of one sound.
    """

    most: int = 1000
    per_recording: int = 10
    per_cluster: int = 3
    least_score: float = 0.05

    def __post_init__(self) -> None:
        for name in ("most", "per_recording", "per_cluster"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} = {getattr(self, name)} must be at least 1")
        if not FLOOR <= self.least_score <= 1.0:
            raise ConfigError(f"least_score = {self.least_score} must be in [{FLOOR}, 1]")


@dataclass(frozen=True)
class Chosen:
    """A peak that is kept, with the cluster of its sound and how many peaks that has in all."""

    peak: Peak
    cluster: int
    cluster_size: int


def peaks_of(
    segment: Segment, track: Track, words: Sequence[str], cut: Cut, frontend: Frontend, frames: int
) -> list[Peak]:
    """The peaks of one scored segment among ``words``, each with its sound.

    Parameters
    ----------
    frames
        Frames of the model's window.
    """
    columns = [track.words.index(word) for word in words]
    end = len(track.posteriors) if segment.last else track.scored_steps
    scores = track.posteriors[segment.lead // cut.step : end, columns]
    apart = round(APART_S * cut.sample_rate / cut.step)
    found = []
    best = scores.max(1, initial=0.0)
    for at, score in find_peaks(best, apart, MOST_OF_A_SEGMENT, FLOOR):
        end_inside = segment.lead + (at + 1) * cut.step
        window = _window(segment.samples[:end_inside], frontend, frames, cut.lead)
        found.append(
            Peak(
                segment.recording.path,
                words[int(scores[at].argmax())],
                round(score, 6),
                segment.start + (at + 1) * cut.step,
                describe(window),
            )
        )
    return found


def choose(peaks: Iterable[Peak], rate: int, choice: Choice) -> tuple[list[Chosen], int]:
    """The highest peaks, within the bounds; and the number of clusters among all peaks.

    Clusters are of all peaks from ``least_score`` on, so that a kept one can say how often its
    sound was mistaken. Nothing is random, and the order of ``peaks`` does not matter.
    """
    ordered = sorted(
        (p for p in peaks if p.score >= choice.least_score),
        key=lambda p: (-p.score, str(p.path), p.end),
    )
    clusters = Clusters()
    alone = _one_of_each_mistake(ordered, round(APART_S * rate))
    numbers = [(peak, clusters.add(peak.sound)) for peak in alone]
    of_cluster: Counter[int] = Counter()
    of_recording: Counter[Path] = Counter()
    kept: list[Chosen] = []
    for peak, cluster in numbers:
        full = (
            of_cluster[cluster] >= choice.per_cluster
            or of_recording[peak.path] >= choice.per_recording
        )
        if full or len(kept) >= choice.most:
            continue
        of_cluster[cluster] += 1
        of_recording[peak.path] += 1
        kept.append(Chosen(peak, cluster, clusters.sizes[cluster]))
    return kept, len(clusters.sizes)


def _one_of_each_mistake(ordered: Iterable[Peak], apart: int) -> Iterable[Peak]:
    """Without the lower of two peaks of one mistake, which the border of a segment divides."""
    taken: dict[Path, list[int]] = {}
    for peak in ordered:
        others = taken.setdefault(peak.path, [])
        if all(abs(peak.end - other) > apart for other in others):
            others.append(peak.end)
            yield peak


def _window(
    heard: NDArray[np.float32], frontend: Frontend, frames: int, lead: int
) -> NDArray[np.float32]:
    """Features (frames, channels) of the window that ends with ``heard``; silence before it."""
    c = frontend.config
    needed = frames * c.hop_samples + c.window_samples + lead
    features, _ = frontend.process(heard[None, -needed:], frontend.initial_state())
    window = features[0, -frames:]
    silent = np.repeat(frontend.silence()[None], frames - len(window), axis=0)
    return np.concatenate([silent, window])
