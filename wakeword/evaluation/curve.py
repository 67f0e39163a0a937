"""Misses over false alarms per hour: all thresholds at once, as the detector would decide.

The sweep is exact. Between two neighbouring scores every threshold gives the same events,
so it walks over the rising steps of a track once and lets each of them fire at the slice of
thresholds that it crosses, each threshold with a refractory period of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import EvaluationError
from wakeword.evaluation.events import EventRules, Track
from wakeword.evaluation.intervals import Proportion, Rate, false_alarm_rate, miss_rate

Thresholds = NDArray[np.float64]
"""(thresholds,) float64, ascending, inside (0, 1); scores are float32, as in the detector."""

EXACT_THRESHOLDS = 2_048
COARSE_THRESHOLDS = 256
_HIGHEST = np.nextafter(np.float32(1.0), np.float32(0.0))


@dataclass(frozen=True)
class Counts:
    """Events at each threshold: hits (thresholds, utterances) and alarms (thresholds,).

    repeats (thresholds,) are those of the alarms that fall to an utterance which was hit before.
    """

    hits: NDArray[np.bool_]
    false_alarms: NDArray[np.int64]
    repeats: NDArray[np.int64]


@dataclass(frozen=True)
class Curve:
    """What each threshold costs: missed (thresholds,) and false_alarms (thresholds,).

    Both are step functions of the threshold, constant from just above one entry of
    ``thresholds`` up to and including the next.
    """

    word: str
    thresholds: Thresholds
    missed: NDArray[np.int64]
    clips: int
    false_alarms: NDArray[np.int64]
    hours: float

    def first_within(self, target_fa_per_hour: float) -> int | None:
        """Index of the lowest threshold from which on the target is always kept.

        A very low threshold gives few alarms too, because a score that never falls below it
        crosses it once: such thresholds are not an answer. None where even the highest
        threshold alarms too often.
        """
        too_many = self.false_alarms > target_fa_per_hour * self.hours * (1.0 + 1e-12)
        if not too_many.any():
            return 0
        last = int(np.flatnonzero(too_many)[-1])
        return last + 1 if last + 1 < len(self.thresholds) else None

    def frontier(self, most: int = 100) -> list[int]:
        """Indices of the lowest threshold for each number of alarms that can be kept, ascending.

        Of more than ``most`` they are picked evenly over the logarithm of that number.
        """
        kept = np.maximum.accumulate(self.false_alarms[::-1])[::-1]
        lowest = np.flatnonzero(np.diff(kept, prepend=kept[0] + 1))
        if len(lowest) > most:
            ranks = np.geomspace(1, len(lowest), most).round().astype(np.int64)
            lowest = np.unique(lowest[len(lowest) - ranks])
        return [int(i) for i in lowest]

    def misses_at(self, index: int) -> Proportion:
        """Share missed at threshold ``index``."""
        return miss_rate(int(self.missed[index]), self.clips)

    def rate_at(self, index: int) -> Rate:
        """False alarms per hour at threshold ``index``."""
        return false_alarm_rate(int(self.false_alarms[index]), self.hours)


def sweep(
    scores: NDArray[np.float32],
    thresholds: Thresholds,
    refractory_steps: int,
    windows: Sequence[tuple[int, int]] = (),
) -> Counts:
    """Count the detector's events at every threshold.

    Parameters
    ----------
    scores (steps,) float32
        Smoothed posterior of one word in one stream.
    windows
        Steps ``first <= i < stop`` that belong to each utterance, in order of time.
    """
    count = len(thresholds)
    hits = np.zeros((count, len(windows)), bool)
    false_alarms, repeats = np.zeros(count, np.int64), np.zeros(count, np.int64)
    last = np.full(count, -(1 << 40), np.int64)
    low, high = _crossed(scores, thresholds)
    for step in np.flatnonzero(high > low).tolist():
        crossed = slice(low[step], high[step])
        fires = step - last[crossed] >= refractory_steps
        last[crossed][fires] = step
        inside = False
        for index, (first, stop) in enumerate(windows):
            if first <= step < stop:
                inside = True
                taken = hits[crossed, index].copy()
                hits[crossed, index] |= fires
                fires &= taken
        false_alarms[crossed] += fires
        if inside:
            repeats[crossed] += fires
    return Counts(hits, false_alarms, repeats)


def measure(
    word: str,
    positives: Sequence[Track],
    negatives: Sequence[Track],
    rules: EventRules,
    thresholds: Thresholds | None = None,
) -> Curve:
    """Sweep ``word`` over clips that hold it and recordings that do not.

    Raises
    ------
    EvaluationError
        No negative recording that can be used for this word.
    """
    negatives = [t for t in negatives if t.is_negative(word)]
    if not negatives:
        raise EvaluationError(f"no negative audio for '{word}': nothing to count alarms in")
    if thresholds is None:
        thresholds = candidate_thresholds([t.column(word) for t in (*negatives, *positives)])
    alarms = np.zeros(len(thresholds), np.int64)
    for track in negatives:
        alarms += sweep(track.column(word), thresholds, rules.refractory_steps).false_alarms
    nothing = np.zeros(len(thresholds), np.int64)
    curve = Curve(word, thresholds, nothing, 0, alarms, rules.hours(negatives))
    return with_clips(curve, positives, rules)


def with_clips(curve: Curve, positives: Sequence[Track], rules: EventRules) -> Curve:
    """``curve`` with the misses in other clips: the same thresholds, the same alarms."""
    missed = np.zeros(len(curve.thresholds), np.int64)
    clips = 0
    for track in positives:
        windows = [rules.steps_of(t) for t in track.truths(curve.word)]
        if windows:
            scores = track.column(curve.word)
            hits = sweep(scores, curve.thresholds, rules.refractory_steps, windows).hits
            missed += (~hits).sum(axis=1)
            clips += len(windows)
    return replace(curve, missed=missed, clips=clips)


def candidate_thresholds(
    tracks: Sequence[NDArray[np.float32]],
    exact: int = EXACT_THRESHOLDS,
    coarse: int = COARSE_THRESHOLDS,
) -> Thresholds:
    """Thresholds at which the number of events can change, and one above all scores.

    Those are the scores at both ends of every rising step. The ``exact`` highest are all
    kept; of the rest ``coarse`` are, evenly by rank, since there alarms are so frequent
    that one more or less is not worth a threshold of its own.
    """
    ends = [np.zeros(0, np.float32)]
    for scores in tracks:
        before = np.concatenate([np.zeros(1, np.float32), scores[:-1]])
        rising = scores > before
        ends += [before[rising], scores[rising]]
    values = np.unique(np.concatenate(ends))
    values = values[(values > 0.0) & (values <= _HIGHEST)]
    above = np.nextafter(values[-1], np.float32(1.0)) if len(values) else np.float32(0.5)
    if above <= _HIGHEST:
        values = np.append(values, above)
    if len(values) > exact + coarse:
        ranks = np.linspace(0, len(values) - exact - 1, coarse).round().astype(np.int64)
        values = np.concatenate([values[ranks], values[len(values) - exact :]])
    return values.astype(np.float64)


def _crossed(
    scores: NDArray[np.float32], thresholds: Thresholds
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Half-open slice of the thresholds that each step crosses upwards; both (steps,)."""
    before = np.concatenate([np.full(1, -1.0, np.float32), scores[:-1]])
    low = np.searchsorted(thresholds, before, "right")
    high = np.searchsorted(thresholds, scores, "right")
    return low, high
