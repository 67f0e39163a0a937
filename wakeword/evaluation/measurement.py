"""What a bundle does on scored recordings: misses by condition, alarms by corpus, every event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from wakeword.evaluation.calibration import Choice, choose_threshold, negative_curve
from wakeword.evaluation.curve import Curve, candidate_thresholds, measure, with_clips
from wakeword.evaluation.events import EventRules, Track, detected_steps
from wakeword.evaluation.intervals import Proportion, Rate, false_alarm_rate, miss_rate
from wakeword.evaluation.outcomes import Basis, Outcome, outcomes_of
from wakeword.runtime import Bundle

EventKind = Literal["miss", "false alarm"]

DEFAULT_SNRS_DB = (10.0, 5.0, 0.0)
"""At which clips are mixed with noise and babble where nobody asks for others."""

ALL_WORDS = "all words"
ALL_CORPORA = "all corpora"


@dataclass(frozen=True)
class Misses:
    """Misses of one word under one condition.

    speakers counts those whom the manifest tells apart. extra_alarms counts detections of the
    word in these clips that are not its hit.
    """

    word: str
    condition: str
    basis: Basis
    threshold: float
    misses: Proportion
    speakers: int
    extra_alarms: int


@dataclass(frozen=True)
class Alarms:
    """False alarms of one word (or of all) in the negatives of one corpus (or of all)."""

    word: str
    corpus: str
    basis: Basis
    rate: Rate


@dataclass(frozen=True)
class Event:
    """One miss or one false alarm.

    time_s is the end of the step that alarmed, or of the step with the highest score while
    the missed word could have been detected.
    """

    kind: EventKind
    basis: Basis
    word: str
    condition: str
    recording: str
    corpus: str
    speaker: str
    time_s: float
    score: float
    threshold: float


@dataclass(frozen=True)
class Evaluation:
    """All figures of one evaluation; ``curves`` by word, then by condition."""

    target_fa_per_hour: float
    choices: Mapping[str, Choice]
    shipped: Mapping[str, float]
    outcomes: tuple[Outcome, ...]
    misses: tuple[Misses, ...]
    alarms: tuple[Alarms, ...]
    events: tuple[Event, ...]
    curves: Mapping[str, Mapping[str, Curve]]

    @property
    def words(self) -> tuple[str, ...]:
        """The words that were measured."""
        return tuple(self.choices)

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions of the clips, in the order in which they were given."""
        return tuple(dict.fromkeys(m.condition for m in self.misses))

    def mean_frr(self, condition: str, basis: Basis) -> float | None:
        """Mean over the words of their share missed; None where no word has clips."""
        rates = [
            m.misses.value
            for m in self.misses
            if m.condition == condition and m.basis == basis
        ]
        return sum(rates) / len(rates) if rates else None


def evaluate(
    bundle: Bundle,
    negatives: Sequence[Track],
    positives: Mapping[str, Sequence[Track]],
    rules: EventRules,
    target_fa_per_hour: float | None = None,
) -> Evaluation:
    """Measure every word of a bundle.

    Parameters
    ----------
    negatives
        Tracks of all recordings in which alarms are counted; each word leaves out those that
        hold it.
    positives
        Tracks of clips by condition ("clean", "noise at 10 dB SNR"), with their truths.
    target_fa_per_hour
        By default the bundle's own.

    Raises
    ------
    EvaluationError
        A word has no negative audio.
    ConfigError
        The target lies outside the bundle's operating points.
    """
    target = target_fa_per_hour or bundle.metadata.default_target_fa_per_hour
    choices = {
        w: choose_threshold(negative_curve(w, negatives, rules), target) for w in bundle.words
    }
    shipped = {w: bundle.threshold(w, target) for w in bundle.words}
    thresholds: dict[Basis, dict[str, float]] = {
        "chosen": {w: c.threshold for w, c in choices.items()},
        "shipped": shipped,
    }
    outcomes: list[Outcome] = []
    alarms: list[Alarms] = []
    events: list[Event] = []
    for basis, by_word in thresholds.items():
        judged = list(outcomes_of(basis, by_word, positives, rules))
        outcomes += judged
        events += (_miss(o) for o in judged if o.missed)
        alarms += _Judge(basis, by_word, rules).alarms(negatives, events)
    return Evaluation(
        target, choices, shipped, tuple(outcomes), tuple(_misses(outcomes)), tuple(alarms),
        tuple(events), {w: _curves(w, negatives, positives, rules) for w in bundle.words},
    )  # fmt: skip


def _misses(outcomes: Sequence[Outcome]) -> Iterator[Misses]:
    """Outcomes counted by basis, condition and word; none where no clip holds the word."""
    for (basis, condition, word), group in groupby(
        outcomes, lambda o: (o.basis, o.condition, o.word)
    ):
        clips = list(group)
        yield Misses(
            word,
            condition,
            basis,
            clips[0].threshold,
            miss_rate(sum(o.missed for o in clips), len(clips)),
            len({o.cluster for o in clips if o.speaker}),
            sum(o.extra_alarms for o in clips),
        )


def _miss(o: Outcome) -> Event:
    return Event(
        "miss", o.basis, o.word, o.condition, o.recording, o.corpus, o.speaker,
        o.time_s, o.score, o.threshold,
    )  # fmt: skip


@dataclass(frozen=True)
class _Judge:
    """Counts the alarms of one set of thresholds."""

    basis: Basis
    thresholds: Mapping[str, float]
    rules: EventRules

    def alarms(self, negatives: Sequence[Track], events: list[Event]) -> Iterator[Alarms]:
        """False alarms by word and corpus, and over all words and all corpora."""
        counts: dict[tuple[str, str], int] = {}
        for word, threshold in self.thresholds.items():
            for track in (t for t in negatives if t.is_negative(word)):
                steps = detected_steps(track, word, threshold, self.rules)
                for corpus in (track.label.corpus, ALL_CORPORA):
                    for name in (word, ALL_WORDS):
                        counts[name, corpus] = counts.get((name, corpus), 0) + len(steps)
                events += (self._false_alarm(word, track, step) for step in steps)
        corpora = sorted({t.label.corpus for t in negatives})
        for name in (*self.thresholds, ALL_WORDS):
            for corpus in (*corpora, ALL_CORPORA):
                hours = self.rules.hours(self._heard(negatives, name, corpus))
                if hours > 0.0:
                    rate = false_alarm_rate(counts.get((name, corpus), 0), hours)
                    yield Alarms(name, corpus, self.basis, rate)

    def _heard(self, negatives: Sequence[Track], name: str, corpus: str) -> list[Track]:
        """Negatives of a corpus that count for a word, or for any word."""
        words = tuple(self.thresholds) if name == ALL_WORDS else (name,)
        return [
            t
            for t in negatives
            if corpus in (ALL_CORPORA, t.label.corpus) and any(t.is_negative(w) for w in words)
        ]

    def _false_alarm(self, word: str, track: Track, step: int) -> Event:
        return Event(
            kind="false alarm",
            basis=self.basis,
            word=word,
            condition="",
            recording=track.label.name,
            corpus=track.label.corpus,
            speaker=track.label.speaker,
            time_s=round((step + 1) * self.rules.step_s, 3),
            score=float(track.column(word)[step]),
            threshold=self.thresholds[word],
        )


def _curves(
    word: str,
    negatives: Sequence[Track],
    positives: Mapping[str, Sequence[Track]],
    rules: EventRules,
) -> dict[str, Curve]:
    tracks = [t for group in (negatives, *positives.values()) for t in group]
    relevant = [t.column(word) for t in tracks if t.is_negative(word) or t.truths(word)]
    alone = measure(word, (), negatives, rules, candidate_thresholds(relevant))
    curves = {c: with_clips(alone, clips, rules) for c, clips in positives.items()}
    return {condition: curve for condition, curve in curves.items() if curve.clips}
