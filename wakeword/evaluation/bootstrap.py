"""How sure a mean over words, or a difference of two models, is: bootstrap over speakers.

Clips of one speaker are missed together, so it is speakers who are drawn anew, each with all of
his clips (cluster bootstrap: Davison and Hinkley 1997, 3.8). A clip whose speaker nobody knows
is a speaker of its own. Intervals are those between percentiles; thresholds stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import EvaluationError
from wakeword.evaluation.intervals import CONFIDENCE, miss_rate
from wakeword.evaluation.measurement import ALL_WORDS, Evaluation
from wakeword.evaluation.outcomes import Basis, Cluster, Outcome

RESAMPLES = 2_000
FEW_SPEAKERS = 10
"""With fewer, percentiles of a bootstrap are too narrow to be taken at their word."""

Counts = NDArray[np.float64]


@dataclass(frozen=True)
class MeanMisses:
    """Mean over the words of their share missed, with its interval over speakers.

    ``speakers`` is the number of clusters that were drawn from, ``unknown`` of them single clips.
    """

    condition: str
    basis: Basis
    words: int
    clips: int
    speakers: int
    unknown: int
    frr: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """How much more the second of two models misses than the first, on the same clips.

    word is one word, or all of them: then both rates are means over words. ``speakers`` is the
    number of clusters that were drawn from, ``unknown`` of them single clips.
    """

    first: str
    second: str
    word: str
    condition: str
    basis: Basis
    clips: int
    speakers: int
    unknown: int
    first_frr: float
    second_frr: float
    low: float
    high: float

    @property
    def value(self) -> float:
        """FRR of the second less that of the first."""
        return self.second_frr - self.first_frr

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0.0 or self.high < 0.0


def percentile_interval(
    missed: Counts, clips: Counts, seed: int, resamples: int = RESAMPLES
) -> tuple[Counts, Counts]:
    """Interval of the mean over words of the share missed.

    Parameters
    ----------
    missed (speakers, words, values)
        Misses of each speaker; several values share the same draws: thresholds, or two models
        and their difference.
    clips (speakers, words)
        Clips of each speaker.

    Returns
    -------
    low, high (values,)
        A resample that holds no clip of a word leaves that word out of its mean.
    """
    speakers = len(clips)
    rng = np.random.default_rng([seed, 0xB007])
    drawn = rng.multinomial(speakers, np.full(speakers, 1.0 / speakers), resamples)
    counts = drawn @ clips  # (resamples, words)
    sums = np.einsum("bs,swv->bwv", drawn.astype(np.float64), missed, optimize=True)
    heard = counts > 0.0
    shares = sums / np.where(heard, counts, 1.0)[:, :, None]
    words = heard.sum(1)
    means = shares.sum(1)[words > 0] / words[words > 0, None]
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(means, [tail, 100.0 - tail], axis=0)
    return low, high


def share_interval(missed: Counts, clips: Counts, seed: int) -> tuple[Counts, Counts]:
    """:func:`percentile_interval` of a share, with a width where nothing or all was missed.

    There every resample is alike, although speakers who were not heard need not be. Wilson's
    interval stands in, of as many trials as there are speakers.
    """
    low, high = percentile_interval(missed, clips, seed)
    totals = missed.sum((0, 1))
    for at in np.flatnonzero((totals == 0.0) | (totals == clips.sum())):
        speakers = len(clips)
        known = miss_rate(speakers if totals[at] else 0, speakers)
        low[at], high[at] = known.low, known.high
    return low, high


def mean_misses(evaluation: Evaluation, seed: int) -> tuple[MeanMisses, ...]:
    """Under each condition, with both kinds of threshold."""
    found = []
    for basis in get_args(Basis):
        for condition in evaluation.conditions:
            clips = _select(evaluation.outcomes, basis, condition, evaluation.words)
            said = [(o.word, o.cluster) for o in clips]
            sums, counts = by_speaker(said, np.array([[o.missed] for o in clips], np.float64))
            low, high = share_interval(sums, counts, seed)
            found.append(
                MeanMisses(
                    condition,
                    basis,
                    counts.shape[1],
                    len(clips),
                    *_clusters(said),
                    float((sums.sum(0) / counts.sum(0)[:, None]).mean()),
                    float(low[0]),
                    float(high[0]),
                )
            )
    return tuple(found)


def differences(
    first: tuple[str, Evaluation], second: tuple[str, Evaluation], seed: int
) -> tuple[Difference, ...]:
    """Every word and all together, under each condition, with both kinds of threshold.

    Words that only one of the two models has are left out.

    Raises
    ------
    EvaluationError
        The two were not measured on the same clips, or have no word in common.
    """
    words = [w for w in first[1].words if w in second[1].words]
    if not words:
        raise EvaluationError(f"'{first[0]}' and '{second[0]}' have no word in common")
    found = []
    for basis in get_args(Basis):
        for condition in first[1].conditions:
            pair = [_select(e.outcomes, basis, condition, words) for e in (first[1], second[1])]
            if [_key(o) for o in pair[0]] != [_key(o) for o in pair[1]]:
                raise EvaluationError(
                    f"'{first[0]}' and '{second[0]}' were not measured on the same clips"
                )
            present = [w for w in words if any(o.word == w for o in pair[0])]
            for names in [[w] for w in present] + [present] * (len(present) > 1):
                word = names[0] if len(names) == 1 else ALL_WORDS
                a, b = ([o for o in side if o.word in names] for side in pair)
                found.append(_difference((first[0], second[0]), word, a, b, seed))
    return tuple(found)


def by_speaker(said: Sequence[tuple[str, Cluster]], missed: Counts) -> tuple[Counts, Counts]:
    """Counts for :func:`percentile_interval` from utterances, each a word and who said it.

    Parameters
    ----------
    missed (utterances, values)
        What is summed up over the utterances of each speaker and word.
    """
    clusters = {c: i for i, c in enumerate(dict.fromkeys(c for _, c in said))}
    words = {w: i for i, w in enumerate(dict.fromkeys(w for w, _ in said))}
    places = ([clusters[c] for _, c in said], [words[w] for w, _ in said])
    clips = np.zeros((len(clusters), len(words)))
    sums = np.zeros((len(clusters), len(words), missed.shape[1]))
    np.add.at(clips, places, 1.0)
    np.add.at(sums, places, missed)
    return sums, clips


def _difference(
    names: tuple[str, str], word: str, a: Sequence[Outcome], b: Sequence[Outcome], seed: int
) -> Difference:
    said = [(o.word, o.cluster) for o in a]
    both = np.array([[o.missed for o in a], [o.missed for o in b]], np.float64).T
    sums, clips = by_speaker(said, np.column_stack([both, both[:, 1] - both[:, 0]]))
    low, high = percentile_interval(sums, clips, seed)
    rates = (sums.sum(0) / clips.sum(0)[:, None]).mean(0)
    speakers, unknown = _clusters(said)
    return Difference(
        first=names[0],
        second=names[1],
        word=word,
        condition=a[0].condition,
        basis=a[0].basis,
        clips=len(a),
        speakers=speakers,
        unknown=unknown,
        first_frr=float(rates[0]),
        second_frr=float(rates[1]),
        low=float(low[2]),
        high=float(high[2]),
    )


def _clusters(said: Sequence[tuple[str, Cluster]]) -> tuple[int, int]:
    """Number of clusters, and of those that are single clips of nobody known."""
    clusters = {c for _, c in said}
    return len(clusters), sum(not speaker for _, speaker, _ in clusters)


def _select(
    outcomes: Sequence[Outcome], basis: str, condition: str, words: Sequence[str]
) -> list[Outcome]:
    chosen = [
        o for o in outcomes if o.basis == basis and o.condition == condition and o.word in words
    ]
    return sorted(chosen, key=lambda o: words.index(o.word))


def _key(o: Outcome) -> tuple[str, str]:
    return (o.word, o.recording)
