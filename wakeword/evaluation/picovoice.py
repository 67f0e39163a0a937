"""The figures of the Picovoice benchmark: missed at a rate of false alarms, on long streams.

Counting follows Picovoice's ``wake-word-benchmark`` (``benchmark.py``) with its repeat triggers
mended: an utterance is heard once or not at all, and what else the detector reports within its
interval is neither a hit nor an alarm. What differs is said in docs/evaluation.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import EvaluationError
from wakeword.evaluation.curve import Curve, candidate_thresholds, sweep
from wakeword.evaluation.events import EventRules, Matching, Track, detected_steps, match
from wakeword.evaluation.intervals import Proportion, Rate, false_alarm_rate, miss_rate

TARGET_FA_PER_HOUR = 0.1
AFTER_S = 0.5
"""A keyword may be reported until so long after its clip; benchmark.py adds the same."""

BENCHMARK_WORDS = ("alexa", "computer", "jarvis", "smart mirror", "snowboy", "view glass")
PUBLISHED: Mapping[str, float] = {"Porcupine": 0.027, "Snowboy": 0.319, "PocketSphinx": 0.52}
"""Mean share of the six words missed at 0.1 false alarms per hour, as Picovoice publishes it."""

PUBLISHED_NOTE = "published, other audio"

_EXACT_THRESHOLDS = 8_192
"""Each utterance alone has a dozen rising steps above the threshold that is looked for."""

Basis = Literal["chosen", "shipped"]
Blame = Callable[[float], tuple[str, bool]]
"""From the time of an alarm in seconds to the recording it fell on, and whether that is speech."""


@dataclass(frozen=True)
class Content:
    """What a stream really holds: the hours of a stream repeat far fewer hours of recordings.

    spoken_hours
        Hours of the stream in which a recording of speech is heard.
    distinct_speech_hours, distinct_noise_hours
        Hours of the different recordings of speech and of noise that occur in it.
    """

    hours: float
    segments: int
    spoken_segments: int
    spoken_hours: float
    distinct_speech_hours: float
    distinct_noise_hours: float

    @property
    def distinct_hours(self) -> float:
        """Hours of different sound in which an alarm would be false."""
        return self.distinct_speech_hours + self.distinct_noise_hours


@dataclass(frozen=True)
class Utterance:
    """A keyword clip in a stream, with how loud it is there.

    snr_db is the level of its loudest 0.3 s against the noise under it, this project's own
    measure, beside the benchmark's, which is the same for all.
    """

    name: str
    speaker: str
    noise: str
    start_s: float
    end_s: float
    snr_db: float


@dataclass(frozen=True)
class Miss:
    """An utterance that was not heard, and the highest score while it could have been."""

    utterance: Utterance
    score: float


@dataclass(frozen=True)
class Alarm:
    """A false alarm; ``recording`` is what it fell on: speech, or noise where none was heard."""

    time_s: float
    score: float
    recording: str
    is_speech: bool


@dataclass(frozen=True)
class Outcome:
    """What one threshold does on a stream.

    repeats
        Further reports within the interval of an utterance that was heard already.
    distinct
        Alarms counted once for each recording, in the hours of different recordings: what
        remains of the rate if a recording that is repeated behaves the same each time.
    """

    basis: Basis
    threshold: float
    misses: Proportion
    rate: Rate
    repeats: int
    distinct: Rate
    missed: tuple[Miss, ...]
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True)
class WordResult:
    """One word on its stream; ``shipped`` is None where the bundle has no point for the target.

    content
        What the stream holds.
    chosen
        None where no threshold keeps the target.
    """

    word: str
    content: Content
    utterances: tuple[Utterance, ...]
    curve: Curve
    chosen: Outcome | None
    shipped: Outcome | None

    @property
    def median_snr_db(self) -> float:
        """Median of the utterances' SNR in this project's measure."""
        return float(np.median([u.snr_db for u in self.utterances]))

    def outcomes(self) -> tuple[Outcome, ...]:
        """Those that there are."""
        return tuple(o for o in (self.chosen, self.shipped) if o is not None)


@dataclass(frozen=True)
class ProtocolResult:
    """The benchmark on one bundle, its words in the order in which they were measured."""

    target_fa_per_hour: float
    snr_db: float
    words: tuple[WordResult, ...]

    def mean_miss(self, basis: Basis, words: Sequence[str] | None = None) -> float | None:
        """Mean share missed over ``words`` (by default all); None where one has no figure."""
        wanted = [w for w in self.words if words is None or w.word in words]
        shares = [o.misses.value for w in wanted for o in w.outcomes() if o.basis == basis]
        return sum(shares) / len(shares) if wanted and len(shares) == len(wanted) else None

    @property
    def benchmark_words(self) -> tuple[str, ...]:
        """The words measured here that Picovoice's mean is over."""
        return tuple(w.word for w in self.words if w.word in BENCHMARK_WORDS)

    def mean_curve(self, points: int = 60) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """False alarms per hour (points,) and the mean share missed (points,) at each.

        At each rate every word has its own threshold, the lowest that keeps the rate; a word
        that no threshold keeps within the rate counts as missed throughout.
        """
        least = min(1.0 / w.curve.hours for w in self.words)
        rates = np.concatenate([[0.0], np.geomspace(least, max(20.0, 2.0 * least), points - 1)])
        shares = [[_missed_within(w.curve, float(r)) for r in rates] for w in self.words]
        return rates, np.mean(shares, axis=0)


def judge_stream(
    track: Track,
    utterances: Sequence[Utterance],
    content: Content,
    rules: EventRules,
    target_fa_per_hour: float,
    shipped: float | None,
    blame: Blame,
) -> WordResult:
    """Figures of the one word of ``track``, whose utterances are its truths.

    Raises
    ------
    EvaluationError
        The stream holds nothing but utterances, so that no alarm in it is false.
    """
    (word,) = track.words
    curve = stream_curve(track, rules)
    judge = _Judge(track, tuple(utterances), content, rules, curve.hours, blame)
    index = curve.first_within(target_fa_per_hour)
    chosen = None if index is None else judge.outcome("chosen", float(curve.thresholds[index]))
    at_shipped = None if shipped is None else judge.outcome("shipped", shipped)
    return WordResult(word, content, tuple(utterances), curve, chosen, at_shipped)


def stream_curve(track: Track, rules: EventRules) -> Curve:
    """Misses and false alarms of the one word of ``track`` at every threshold.

    Repeats within an utterance are no alarms, and its interval is no time to alarm in.
    """
    (word,) = track.words
    scores, truths = track.column(word), track.truths(word)
    windows = [rules.steps_of(t) for t in truths]
    inside = np.zeros(track.scored_steps, bool)
    for first, stop in windows:
        inside[first:stop] = True
    hours = float((~inside).sum()) * rules.step_s / 3600.0
    if hours <= 0.0:
        raise EvaluationError(f"the stream of '{word}' holds no time outside its utterances")
    thresholds = candidate_thresholds([scores], exact=_EXACT_THRESHOLDS)
    # A detector that is on for more than half of the time alarms seldom, but not by deciding well.
    lowest = int(np.searchsorted(thresholds, np.median(scores), "right"))
    thresholds = thresholds[min(lowest, len(thresholds) - 1) :]
    counts = sweep(scores, thresholds, rules.refractory_steps, windows)
    return Curve(
        word,
        thresholds,
        (~counts.hits).sum(axis=1),
        len(truths),
        counts.false_alarms - counts.repeats,
        hours,
    )


@dataclass(frozen=True)
class _Judge:
    """Applies the real detector to one stream."""

    track: Track
    utterances: tuple[Utterance, ...]
    content: Content
    rules: EventRules
    hours: float
    blame: Blame

    def outcome(self, basis: Basis, threshold: float) -> Outcome:
        word = self.track.words[0]
        truths = self.track.truths(word)
        steps = detected_steps(self.track, word, threshold, self.rules)
        found = match(steps, truths, self.rules)
        windows = [self.rules.steps_of(t) for t in truths]
        false = [
            s for s in found.false_steps if not any(first <= s < stop for first, stop in windows)
        ]
        alarms = tuple(self._alarm(step) for step in false)
        different = len({a.recording for a in alarms})
        return Outcome(
            basis=basis,
            threshold=threshold,
            misses=miss_rate(found.hit_steps.count(None), len(truths)),
            rate=false_alarm_rate(len(alarms), self.hours),
            repeats=len(found.false_steps) - len(alarms),
            distinct=false_alarm_rate(different, self.content.distinct_hours),
            missed=self._missed(found),
            alarms=alarms,
        )

    def _missed(self, found: Matching) -> tuple[Miss, ...]:
        scores = self.track.posteriors[:, 0]
        truths = self.track.truths(self.track.words[0])
        missed = []
        for utterance, truth, hit in zip(self.utterances, truths, found.hit_steps, strict=True):
            if hit is None:
                first, stop = self.rules.steps_of(truth)
                missed.append(Miss(utterance, float(scores[first:stop].max(initial=0.0))))
        return tuple(missed)

    def _alarm(self, step: int) -> Alarm:
        time_s = round((step + 1) * self.rules.step_s, 3)
        return Alarm(time_s, float(self.track.posteriors[step, 0]), *self.blame(time_s))


def _missed_within(curve: Curve, fa_per_hour: float) -> float:
    index = curve.first_within(fa_per_hour)
    return 1.0 if index is None else float(curve.missed[index]) / curve.clips
