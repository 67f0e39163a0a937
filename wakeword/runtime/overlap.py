"""What overlapping windows share: the positions of a convolution that a step knows already.

A convolution over time has ``positions`` in a window; the first and last touch the zeros beside
it. Windows move on by ``step`` frames. Positions that lie inside, counted in frames of the stream,
are the same in every window that has them: they lie on a grid of ``gcd(step, stride)`` frames, and
each step completes ``step / gcd`` more. Positions that touch the zeros before a window depend on
its first frames alone, so they are found when those frames come, for a window that ends later.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Piece:
    """Frames of the newest window in which a step finds positions.

    [first, end) frames; zeros before and after; frames from one position to the next.
    """

    first: int
    end: int
    before: int
    after: int
    stride: int


@dataclass(frozen=True)
class Overlap:
    """Windows of ``frames`` every ``step`` frames, ``kernel`` every ``stride`` frames in them,
    with ``before`` and ``after`` zeros beside the window."""

    frames: int
    step: int
    kernel: int
    stride: int
    before: int
    after: int

    @property
    def positions(self) -> int:
        """Positions in a window."""
        return (self.frames + self.before + self.after - self.kernel) // self.stride + 1

    @property
    def worthwhile(self) -> bool:
        """Whether steps find far fewer positions than windows have, and none touches both ends."""
        if min(self.step, self.frames - self.step, self.positions) < 1:
            return False
        beside = max(self.before, self.after)  # no position may lie wholly in zeros
        narrow = beside < self.kernel <= self.frames and self._inside
        return bool(narrow) and 3 * self.rows <= 2 * self.positions

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """In the order of the rows that a step finds: the grid, first positions, last positions."""
        newest = self._start(self._inside[-1])
        oldest = newest - (self._grid_rows - 1) * self._grid
        found = [Piece(oldest, newest + self.kernel, 0, 0, self._grid)]
        for position in self._first:
            start, ahead = self._start(position), self.step * self._age(position)
            found.append(Piece(ahead, ahead + start + self.kernel, -start, 0, self.stride))
        for position in self._last:
            start = self._start(position)
            beyond = start + self.kernel - self.frames
            found.append(Piece(start, self.frames, 0, beyond, self.stride))
        return tuple(found)

    @property
    def frames_of_step(self) -> int:
        """The last frames of a window in which a step finds its rows."""
        return self.frames - min(piece.first for piece in self.pieces)

    @property
    def rows(self) -> int:
        """Positions that a step finds."""
        return self.kept_rows + len(self._last)

    @property
    def kept_rows(self) -> int:
        """The first rows of a step, which later steps need."""
        return self._grid_rows + len(self._first)

    @property
    def history(self) -> int:
        """Steps whose rows are needed again."""
        return max(self._age(position) for position in range(self.positions))

    def sources(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where each position of a window comes from: how many steps ago, and which row of those.

        Returns
        -------
        ages, rows (positions,)
        """
        positions = range(self.positions)
        return (
            np.array([self._age(position) for position in positions], np.int64),
            np.array([self._row(position) for position in positions], np.int64),
        )

    def _age(self, position: int) -> int:
        if position in self._last:
            return 0
        if position in self._first:
            return (self.frames - self.kernel - self._start(position)) // self.step
        return self._behind(position) // self._grid_rows

    def _row(self, position: int) -> int:
        if position in self._last:
            return self.kept_rows + position - self._last[0]
        if position in self._first:
            return self._grid_rows + position
        return self._grid_rows - 1 - self._behind(position) % self._grid_rows

    def _behind(self, position: int) -> int:
        """How many places of the grid a position lies before the newest."""
        return (self._start(self._inside[-1]) - self._start(position)) // self._grid

    @property
    def _grid(self) -> int:
        return gcd(self.step, self.stride)

    @property
    def _grid_rows(self) -> int:
        return self.step // self._grid

    def _start(self, position: int) -> int:
        return position * self.stride - self.before

    @property
    def _first(self) -> range:
        return range(-(-self.before // self.stride))

    @property
    def _inside(self) -> range:
        return range(len(self._first), (self.frames - self.kernel + self.before) // self.stride + 1)

    @property
    def _last(self) -> range:
        return range(self._inside.stop, self.positions)
