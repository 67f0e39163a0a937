"""The CTC lattice of a text (Graves et al. 2006): its likelihood, and its best path.

A path gives each time step one label or the blank (label 0); a text is what is left after
repetitions are joined and blanks removed. The lattice of K labels has 2 K + 1 places: blank,
c_1, blank, ..., c_K, blank.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import ConfigError

BLANK = 0


def log_likelihood(log_posteriors: NDArray[np.float64], labels: Sequence[int]) -> float:
    """Logarithm of the sum of the probabilities of all paths (T steps) that say ``labels``.

    Parameters
    ----------
    log_posteriors (T, labels)

    Returns
    -------
    log likelihood
        Minus infinity where the text does not fit into T steps.
    """
    emitted, may_skip = _lattice(log_posteriors, labels)
    score = _begin(emitted)
    for t in range(1, len(emitted)):
        score = np.logaddexp.reduce(_ways(score, may_skip)) + emitted[t]
    return float(np.logaddexp.reduce(score[-2:]))


def best_path(
    log_posteriors: NDArray[np.float64], labels: Sequence[int]
) -> NDArray[np.int64] | None:
    """First and last time step of each label on the most probable path: forced alignment.

    Returns
    -------
    steps (K, 2)
        Both inclusive; None where no path of T steps says ``labels``.
    """
    emitted, may_skip = _lattice(log_posteriors, labels)
    came_from = np.zeros(emitted.shape, np.int8)
    score = _begin(emitted)
    for t in range(1, len(emitted)):
        ways = _ways(score, may_skip)
        came_from[t] = ways.argmax(axis=0)
        score = ways.max(axis=0) + emitted[t]
    place = len(score) - (1 if len(score) == 1 or score[-1] > score[-2] else 2)
    if not np.isfinite(score[place]):
        return None
    places = np.empty(len(emitted), np.int64)
    for t in range(len(emitted) - 1, -1, -1):
        places[t] = place
        place -= int(came_from[t, place])
    steps = [np.flatnonzero(places == 2 * k + 1) for k in range(len(labels))]
    return np.array([[s[0], s[-1]] for s in steps], np.int64).reshape(-1, 2)


def _lattice(
    log_posteriors: NDArray[np.float64], labels: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Log posterior (T, places) of each place; which places may be reached past a blank."""
    if log_posteriors.ndim != 2 or len(log_posteriors) == 0:
        raise ConfigError(f"log posteriors must be (T, labels), T > 0: {log_posteriors.shape}")
    if not all(BLANK < label < log_posteriors.shape[1] for label in labels):
        raise ConfigError(f"labels must be 1 to {log_posteriors.shape[1] - 1}: {list(labels)}")
    places = np.full(2 * len(labels) + 1, BLANK)
    places[1::2] = labels
    may_skip = np.zeros(len(places), np.bool_)
    may_skip[3::2] = places[3::2] != places[1:-2:2]
    return log_posteriors[:, places], may_skip


def _begin(emitted: NDArray[np.float64]) -> NDArray[np.float64]:
    score = np.full(emitted.shape[1], -np.inf)
    score[:2] = emitted[0, :2]
    return score


def _ways(score: NDArray[np.float64], may_skip: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Scores (3, places) of coming from the same place, the one before, the one before that."""
    ways = np.full((3, len(score)), -np.inf)
    ways[0] = score
    ways[1, 1:] = score[:-1]
    ways[2, 2:] = np.where(may_skip[2:], score[:-2], -np.inf)
    return ways
