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

TARGET_FA_PER_HOUR = 0.1
BENCHMARK_WORDS = ("alexa", "computer", "jarvis", "smart mirror", "snowboy", "view glass")
PUBLISHED: Mapping[str, float] = {"Porcupine": 0.027, "Snowboy": 0.319, "PocketSphinx": 0.52}
"""Mean share of the six words missed at 0.1 false alarms per hour, as Picovoice publishes it."""

PUBLISHED_NOTE = "published, other audio"


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

    chosen
        At the lowest threshold that keeps the target on this very stream; None where none does.
    shipped
        At the bundle's operating point; None where it has none for the target.
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
        sums, clips = by_speaker(said, np.array(missed))
        low, high = percentile_interval(sums, clips, seed)
        clusters = {cluster for _, cluster in said}
        return MeanMisses(
            condition=f"the stream of each word at {self.snr_db:g} dB",
            basis=basis,
            words=len(wanted),
            clips=len(said),
            speakers=len(clusters),
            unknown=sum(not speaker for _, speaker, _ in clusters),
            frr=float((sums.sum(0) / clips.sum(0)[:, None]).mean()),
            low=float(low[0]),
            high=float(high[0]),
        )

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


def _missed_within(curve: Curve, fa_per_hour: float) -> float:
    index = curve.first_within(fa_per_hour)
    return 1.0 if index is None else float(curve.missed[index]) / curve.clips
