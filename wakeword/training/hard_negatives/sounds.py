"""Which mistakes are the same sound: descriptions of windows, and clusters of them.

A window is described by its features on a coarse grid, as the network sees it: PCEN has taken the
level out. Two windows are one sound if those grids correlate, one shifted against the other by up
to two cells, since steps do not fall on the same place of every tick of a clock.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

CELLS, BANDS = 15, 20
"""Cells of a window of 1.51 s are 0.1 s long and two mel channels high."""
SHIFTS = 2
SAME_SOUND = 0.8
"""Correlation from which two windows are one sound."""
_INSIDE = CELLS - 2 * SHIFTS
_QUANTUM = 32.0
"""Grids are kept as bytes: 4 standard deviations are full scale."""

Sound = NDArray[np.int8]
"""Description (CELLS * BANDS,) of a window, in units of 1/32 standard deviation."""


def describe(features: NDArray[np.float32]) -> Sound:
    """The description of a window of features (frames, channels): averages on the grid."""
    grid = _averages(_averages(features.astype(np.float64), CELLS).T, BANDS).T
    beside = np.pad(grid, ((1, 1), (0, 0)), "edge")  # a tick between two cells is in both
    grid = 0.25 * beside[:-2] + 0.5 * grid + 0.25 * beside[2:]
    spread = grid.std()
    standard = (grid - grid.mean()) / spread if spread > 1e-9 else np.zeros_like(grid)
    return np.clip(np.rint(standard * _QUANTUM), -127, 127).astype(np.int8).ravel()


def _averages(values: NDArray[np.float64], cells: int) -> NDArray[np.float64]:
    """Rows (n, m) averaged into (cells, m); of fewer rows than cells some come twice."""
    edges = [i * len(values) // cells for i in range(cells + 1)]
    return np.stack([values[a : max(a + 1, b)].mean(0) for a, b in pairwise(edges)])


class Clusters:
    """Sounds sorted into clusters one after the other: each joins the leader it is most like.

    The first of a cluster is its leader; a sound that is like no leader leads a new one. What
    comes first therefore matters: give the highest scores first.
    """

    def __init__(self, same: float = SAME_SOUND) -> None:
        self._same = same
        self._leaders = np.zeros((64, 2 * SHIFTS + 1, _INSIDE * BANDS), np.float32)
        self.sizes: list[int] = []

    def add(self, sound: Sound) -> int:
        """Sort a sound in; returns the number of its cluster, which is new if it is ``len - 1``."""
        grid = sound.reshape(CELLS, BANDS).astype(np.float32)
        middle = _unit(grid[SHIFTS : SHIFTS + _INSIDE])
        known = self._leaders[: len(self.sizes)]
        if len(known):
            likeness = (known @ middle).max(1)
            nearest = int(likeness.argmax())
            if likeness[nearest] >= self._same:
                self.sizes[nearest] += 1
                return nearest
        self._lead(grid)
        return len(self.sizes) - 1

    def _lead(self, grid: NDArray[np.float32]) -> None:
        if len(self.sizes) == len(self._leaders):
            self._leaders = np.concatenate([self._leaders, np.zeros_like(self._leaders)])
        shifted = [_unit(grid[first : first + _INSIDE]) for first in range(2 * SHIFTS + 1)]
        self._leaders[len(self.sizes)] = np.stack(shifted)
        self.sizes.append(1)


def _unit(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cells as a vector of mean 0 and length 1, whose products are correlations."""
    flat = cells.ravel() - cells.mean()
    length = float(np.linalg.norm(flat))
    return np.asarray(flat / length if length > 1e-6 else np.zeros_like(flat), np.float32)
