"""What the Picovoice benchmark measures on a bundle, as values, and the means over its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.evaluation.bootstrap import MeanMisses, by_speaker, percentile_interval
from wakeword.evaluation.curve import Curve
from wakeword.evaluation.intervals import Proportion, Rate
from wakeword.evaluation.outcomes import Basis, Cluster, cluster_of

Values = NDArray[np.float64]

TARGET_FA_PER_HOUR = 0.1
BENCHMARK_WORDS = ("alexa", "computer", "jarvis", "smart mirror", "snowboy", "view glass")
PUBLISHED: Mapping[str, float] = {"Porcupine": 0.027, "Snowboy": 0.319, "PocketSphinx": 0.52}
"""Mean share of the six words missed at 0.1 false alarms per hour, as Picovoice publishes it."""

PUBLISHED_NOTE = "published, other audio"

RATES_PER_HOUR: Values = np.concatenate([[0.0], np.geomspace(0.02, 20.0, 61)])
"""At which the mean over words is drawn: none, and 20 to a decade."""


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
    corpus: str
    speaker: str
    noise: str
    start_s: float
    end_s: float
    snr_db: float

    @property
    def cluster(self) -> Cluster:
        """Who said it, as far as anybody knows."""
        return cluster_of(self.corpus, self.speaker, self.name)


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
    """One word on its stream.

    missed_at (rates, utterances)
        At each of ``RATES_PER_HOUR``, with the lowest threshold that keeps it; all of them where
        none does.
    chosen
        At the lowest threshold that keeps the target on this very stream; None where none does.
    shipped
        At the bundle's operating point; None where it has none for the target.
    """

    word: str
    content: Content
    utterances: tuple[Utterance, ...]
    curve: Curve
    missed_at: NDArray[np.bool_]
    chosen: Outcome | None
    shipped: Outcome | None

    @property
    def median_snr_db(self) -> float:
        """Median of the utterances' SNR in this project's measure."""
        return float(np.median([u.snr_db for u in self.utterances]))

    @property
    def speakers(self) -> int:
        """Number of speakers whom the manifest tells apart."""
        return len({u.speaker for u in self.utterances} - {""})

    def outcome(self, basis: Basis) -> Outcome | None:
        """What became of the stream with one kind of threshold."""
        return self.chosen if basis == "chosen" else self.shipped


@dataclass(frozen=True)
class ProtocolResult:
    """The benchmark on one bundle, its words in the order in which they were measured."""

    target_fa_per_hour: float
    snr_db: float
    words: tuple[WordResult, ...]

    def mean_miss(self, basis: Basis, words: Sequence[str], seed: int = 1) -> MeanMisses | None:
        """Mean share missed over ``words``, its interval over speakers; None where one has none."""
        wanted = [(w, w.outcome(basis)) for w in self.words if w.word in words]
        if not wanted or any(outcome is None for _, outcome in wanted):
            return None
        said = [(w.word, u.cluster) for w, _ in wanted for u in w.utterances]
        missed = [
            [float(u in {m.utterance for m in outcome.missed})]
            for w, outcome in wanted
            if outcome is not None
            for u in w.utterances
        ]
        frr, low, high = _mean_with_interval(said, np.array(missed), seed)
        clusters = {cluster for _, cluster in said}
        return MeanMisses(
            condition=f"the stream of each word at {self.snr_db:g} dB",
            basis=basis,
            words=len(wanted),
            clips=len(said),
            speakers=len(clusters),
            unknown=sum(not speaker for _, speaker, _ in clusters),
            frr=float(frr[0]),
            low=float(low[0]),
            high=float(high[0]),
        )

    @property
    def benchmark_words(self) -> tuple[str, ...]:
        """The words measured here that Picovoice's mean is over."""
        return tuple(w.word for w in self.words if w.word in BENCHMARK_WORDS)

    def mean_curve(self, seed: int = 1) -> tuple[Values, Values, Values]:
        """Mean share missed at each of ``RATES_PER_HOUR``, low and high; all (rates,).

        At each rate every word has its own threshold. The interval is that over speakers.
        """
        said = [(w.word, u.cluster) for w in self.words for u in w.utterances]
        missed = np.concatenate([w.missed_at.T for w in self.words]).astype(np.float64)
        return _mean_with_interval(said, missed, seed)


def _mean_with_interval(
    said: Sequence[tuple[str, Cluster]], missed: Values, seed: int
) -> tuple[Values, Values, Values]:
    """Mean over words, low, high; all (values,), from missed (utterances, values)."""
    sums, clips = by_speaker(said, missed)
    low, high = percentile_interval(sums, clips, seed)
    return (sums.sum(0) / clips.sum(0)[:, None]).mean(0), low, high
