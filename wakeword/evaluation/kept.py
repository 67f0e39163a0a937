"""Which thresholds of a measurement a bundle keeps, with the counts there.

Counts as such are not monotonic: a score that stays above a low threshold crosses it only once.
Kept are thresholds below which nothing alarms less or misses more, and above which nothing alarms
more or misses less. So the counts of two kept neighbours bound those of all thresholds in between.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wakeword.evaluation.curve import EXACT_THRESHOLDS, Curve, candidate_thresholds, measure
from wakeword.evaluation.events import EventRules, Track
from wakeword.runtime import MeasuredCurve
from wakeword.runtime.measured_curve import MAX_ALARMS, MAX_POINTS
from wakeword.runtime.tail import TAIL_ALARMS, from_logit, logit

HIGHEST_RATE = 100.0
"""False alarms per hour up to which thresholds are kept, or ``TAIL_ALARMS`` where that is more."""

Mask = NDArray[np.bool_]
Counts = NDArray[np.int64]


def kept_curve(
    curve: Curve,
    negatives: Sequence[Track],
    positives: Sequence[Track],
    rules: EventRules,
    condition: str,
) -> MeasuredCurve | None:
    """At most ``MAX_POINTS`` thresholds of a ``negative_curve`` with the counts there.

    They begin at ``HIGHEST_RATE``, or higher if more of them are steady (see above) from there on.
    Every threshold that :func:`choose_threshold` may answer with for up to ``TAIL_ALARMS`` alarms
    is among them, as far as the counts are monotonic; the others are spread evenly over the
    logarithm of the alarms and over the misses.

    Parameters
    ----------
    positives
        Clips of the word under ``condition``; may be empty.

    Returns
    -------
    kept
        None where every threshold has more than ``MAX_ALARMS``.
    """
    places = _places(curve)
    columns = [t.column(curve.word) for t in positives]
    grid = np.concatenate(
        [curve.thresholds[1:], candidate_thresholds(columns, exact=1 << 30), np.ravel(places)]
    )
    grid = np.unique(grid[grid >= np.min(places)])
    full = measure(curve.word, positives, negatives, rules, grid)
    allowed = _steady_above(full, np.unique(np.searchsorted(grid, np.ravel(places))))
    for below, chosen in places:
        allowed &= (grid <= below) | (grid >= chosen)
    allowed &= full.false_alarms <= MAX_ALARMS
    if not allowed.any():
        return None
    needed = np.isin(grid, np.ravel(places[: TAIL_ALARMS + 1]))
    kept = _spread(full, np.flatnonzero(allowed), needed)
    return MeasuredCurve(
        hours=full.hours,
        clips=full.clips,
        condition=condition if full.clips else "",
        thresholds=tuple(float(t) for t in grid[kept]),
        alarms=tuple(int(n) for n in full.false_alarms[kept]),
        missed=tuple(int(n) for n in full.missed[kept]),
    )


def last_with(curve: Curve, alarms: int) -> int:
    """Index of the highest threshold with at least so many alarms; 0 where there is none."""
    found = np.flatnonzero(curve.false_alarms >= alarms)
    return int(found[-1]) if len(found) else 0


def between(curve: Curve, index: int) -> float:
    """Threshold with the counts of ``curve`` at ``index``, away from both neighbours."""
    low, high = float(curve.thresholds[index - 1]), float(curve.thresholds[index])
    middle = from_logit(0.5 * (logit(low) + logit(high)))
    return middle if low < middle <= high else high


def _places(curve: Curve) -> list[tuple[float, float]]:
    """For 0, 1, ... alarms: the highest threshold with more, and the one that is chosen for them.

    Both are the same where no threshold has more, or none is to be had above it.
    """
    top = len(curve.thresholds) - 1
    most = int(min(max(HIGHEST_RATE * curve.hours, TAIL_ALARMS), MAX_ALARMS - 1))
    exact_from = max(1, len(curve.thresholds) - EXACT_THRESHOLDS)
    places = []
    for alarms in range(most + 1):
        below = last_with(curve, alarms + 1)
        if below == top:
            chosen = float(curve.thresholds[top])
        elif curve.false_alarms[below + 1] == 0:
            chosen = float(curve.thresholds[below + 1])
        else:
            chosen = between(curve, below + 1)
        known = exact_from <= below < top
        places.append((float(curve.thresholds[below]) if known else chosen, chosen))
        if below < exact_from:
            break
    return places


def _steady_above(full: Curve, starts: NDArray[np.intp]) -> Mask:
    """The steady thresholds from that one of ``starts`` on from which there are the most."""
    best = np.zeros(len(full.thresholds), bool)
    for start in starts:
        alarms, missed = full.false_alarms[start:], full.missed[start:]
        steady = np.zeros(len(best), bool)
        steady[start:] = _steady(alarms[::-1])[::-1] & _steady(missed)
        if steady.sum() > best.sum():
            best = steady
    return best


def _steady(rising: Counts) -> Mask:
    """Where no count before is higher, and none behind is lower."""
    highest = np.maximum.accumulate(rising)
    lowest = np.minimum.accumulate(rising[::-1])[::-1]
    steady: Mask = (rising == highest) & (rising == lowest)
    return steady


def _spread(full: Curve, allowed: NDArray[np.intp], needed: Mask) -> NDArray[np.intp]:
    """Indices to keep: of those ``allowed`` the ``needed`` and the last, and others evenly.

    Evenly along a way on which a doubling of alarms counts as much as a sixth of the misses; it
    passes over the fewest alarms, because those are needed.
    """
    must = np.append(allowed[needed[allowed]], allowed[-1:])
    alarms = np.log2(np.maximum(full.false_alarms[allowed], TAIL_ALARMS)) / 6.0
    way = np.abs(np.diff(alarms, prepend=alarms[:1]))
    missed = full.missed[allowed]
    way += np.diff(missed, prepend=missed[:1]) / max(1, full.clips)
    length = np.cumsum(way)
    marks = np.linspace(0.0, length[-1], MAX_POINTS - len(must))
    others = allowed[np.minimum(np.searchsorted(length, marks), len(allowed) - 1)]
    return np.unique(np.concatenate([must, others]))
