"""Share missed over false alarms per hour, mean of all words: the paper's Figure 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.evaluation.bootstrap import by_speaker, share_interval
from wakeword.evaluation.curve import Curve, sweep
from wakeword.evaluation.events import EventRules, Track
from wakeword.evaluation.measurement import Evaluation
from wakeword.evaluation.outcomes import Cluster, cluster_of

RATES_PER_HOUR: NDArray[np.float64] = np.geomspace(0.1, 20.0, 40)
"""Targets of false alarms per hour and word at which curves are drawn."""


@dataclass(frozen=True)
class MeanCurve:
    """Mean over words of the share missed, each word kept to the same rate of false alarms.

    All are (rates,): ``low`` and ``high`` are the bootstrap interval over speakers. Rates below
    one alarm in the scored ``hours`` are not on it: there the hours say nothing.
    """

    condition: str
    words: int
    hours: float
    fa_per_hour: NDArray[np.float64]
    frr: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def mean_curves(
    evaluation: Evaluation,
    positives: Mapping[str, Sequence[Track]],
    rules: EventRules,
    seed: int,
) -> tuple[MeanCurve, ...]:
    """One curve for each condition; none where no word has clips."""
    curves = []
    for condition, tracks in positives.items():
        by_word = {w: c[condition] for w, c in evaluation.curves.items() if condition in c}
        if by_word:
            curves.append(_mean_curve(condition, by_word, tracks, rules, seed))
    return tuple(curves)


def _mean_curve(
    condition: str,
    by_word: Mapping[str, Curve],
    tracks: Sequence[Track],
    rules: EventRules,
    seed: int,
) -> MeanCurve:
    hours = min(curve.hours for curve in by_word.values())
    rates = RATES_PER_HOUR[RATES_PER_HOUR * hours >= 1.0]
    rates = rates if len(rates) else np.array([1.0 / hours])
    said: list[tuple[str, Cluster]] = []
    missed: list[NDArray[np.bool_]] = []
    for word, curve in by_word.items():
        thresholds = _thresholds(curve, rates)
        for track in tracks:
            windows = [rules.steps_of(t) for t in track.truths(word)]
            if windows:
                label = track.label
                speaker = cluster_of(label.corpus, label.speaker, label.name)
                said += [(word, speaker)] * len(windows)
                missed += list(~_hits(track, word, thresholds, windows, rules).T)
    sums, clips = by_speaker(said, np.array(missed, np.float64))
    low, high = share_interval(sums, clips, seed)
    frr = (sums.sum(0) / clips.sum(0)[:, None]).mean(0)
    return MeanCurve(condition, len(by_word), hours, rates, frr, low, high)


def _thresholds(curve: Curve, rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lowest thresholds (rates,) that keep each rate; the highest where none does."""
    last = len(curve.thresholds) - 1
    found = [curve.first_within(float(rate)) for rate in rates]
    return curve.thresholds[[last if i is None else i for i in found]]


def _hits(
    track: Track,
    word: str,
    thresholds: NDArray[np.float64],
    windows: Sequence[tuple[int, int]],
    rules: EventRules,
) -> NDArray[np.bool_]:
    """(rates, utterances); ``sweep`` wants its thresholds ascending and once."""
    ascending, places = np.unique(thresholds, return_inverse=True)
    hits = sweep(track.column(word), ascending, rules.refractory_steps, windows).hits
    return hits[places]
