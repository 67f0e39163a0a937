"""What became of every utterance: hit or missed, who said it, and how sure the model was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from wakeword.evaluation.events import EventRules, Track, detected_steps, match

Basis = Literal["chosen", "shipped"]
"""Where a threshold comes from: chosen on the negatives of this very evaluation, or shipped
with the bundle as its operating point."""


Cluster = tuple[str, str, str]
"""A speaker, or a clip of whom nobody knows who he is."""


@dataclass(frozen=True)
class Outcome:
    """One utterance of a word under one condition, judged with one kind of threshold.

    speaker is empty where nobody knows. time_s is the end of the step with the highest score
    while the word could have been detected, score that score. extra_alarms counts detections in
    the clip that are not a hit; they are told with its first utterance.
    """

    basis: Basis
    word: str
    condition: str
    recording: str
    corpus: str
    speaker: str
    missed: bool
    time_s: float
    score: float
    threshold: float
    extra_alarms: int

    @property
    def cluster(self) -> Cluster:
        """Who said it, as :func:`cluster_of` tells."""
        return cluster_of(self.corpus, self.speaker, self.recording)


def cluster_of(corpus: str, speaker: str, recording: str) -> Cluster:
    """Whose clip it is: (corpus, speaker, "").

    Where nobody knows, (corpus, "", recording): as if each clip were another speaker's.
    """
    return (corpus, speaker, "" if speaker else recording)


def outcomes_of(
    basis: Basis,
    thresholds: Mapping[str, float],
    positives: Mapping[str, Sequence[Track]],
    rules: EventRules,
) -> Iterator[Outcome]:
    """Outcomes of all utterances: by condition, then by word, then in the order of the clips."""
    for condition, tracks in positives.items():
        for word, threshold in thresholds.items():
            for track in tracks:
                yield from _of_track(basis, word, threshold, condition, track, rules)


def _of_track(
    basis: Basis, word: str, threshold: float, condition: str, track: Track, rules: EventRules
) -> Iterator[Outcome]:
    truths = track.truths(word)
    if not truths:
        return
    found = match(detected_steps(track, word, threshold, rules), truths, rules)
    scores = track.column(word)
    for index, (truth, hit) in enumerate(zip(truths, found.hit_steps, strict=True)):
        first, stop = rules.steps_of(truth)
        near = scores[first:stop]
        best = first + int(near.argmax()) if len(near) else first
        yield Outcome(
            basis=basis,
            word=word,
            condition=condition,
            recording=track.label.name,
            corpus=track.label.corpus,
            speaker=track.label.speaker,
            missed=hit is None,
            time_s=round((best + 1) * rules.step_s, 3),
            score=float(scores[best]) if best < len(scores) else 0.0,
            threshold=threshold,
            extra_alarms=0 if index else len(found.false_steps),
        )
