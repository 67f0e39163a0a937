"""What many streams have heard, in one place: a row each, taken and put back all at once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from wakeword.frontend import FrontendState
from wakeword.runtime.engine import Engine, Heard

_FIRST_ROWS = 16


class Rows:
    """The states of the streams of one engine, by number; an unknown number is a new stream.

    A thousand streams as a thousand objects cost more time than their network.
    """

    def __init__(self, engine: Engine) -> None:
        self._new = engine.nothing_heard()
        self._rows: dict[int, int] = {}
        self._free: list[int] = []
        width = engine.frontend.config.window_samples  # a longer tail would hold a whole frame
        self._tail_samples = np.zeros(0, np.int64)
        self._arrays = [
            np.zeros((0, width), np.float32),
            *(part[:0] for part in (self._new.frontend.smoothed, self._new.frames,
                                    self._new.smoother)),
        ]  # fmt: skip

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, numbers: Iterable[int]) -> NDArray[np.int64]:
        """The rows of streams."""
        rows = [self._rows[n] if n in self._rows else self._enter(n) for n in numbers]
        return np.array(rows, np.int64)

    def forget(self, numbers: Iterable[int]) -> None:
        """These streams have ended."""
        for number in numbers:
            if number in self._rows:
                self._free.append(self._rows.pop(number))

    def tail_samples(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Samples in the front-end tail of each: only equal ones can be taken together."""
        return self._tail_samples[rows]

    def take(self, rows: NDArray[np.int64]) -> Heard:
        """A copy of the states of streams whose tails are equally long."""
        samples = int(self._tail_samples[rows[0]])
        tail, energies, frames, smoother = (array[rows] for array in self._arrays)
        return Heard(FrontendState(tail[:, :samples], energies), frames, smoother)

    def put(self, rows: NDArray[np.int64], heard: Heard) -> None:
        """The states that they go on with."""
        tail, energies, frames, smoother = self._arrays
        samples = heard.frontend.tail.shape[1]
        self._tail_samples[rows] = samples
        tail[rows, :samples] = heard.frontend.tail
        energies[rows], frames[rows] = heard.frontend.smoothed, heard.frames
        smoother[rows] = heard.smoother

    def _enter(self, number: int) -> int:
        if not self._free:
            self._grow()
        row = self._rows[number] = self._free.pop()
        self.put(np.array([row]), self._new)
        return row

    def _grow(self) -> None:
        old = len(self._tail_samples)
        more = max(_FIRST_ROWS, old)
        self._free = list(range(old, old + more))[::-1]
        self._tail_samples = np.concatenate([self._tail_samples, np.zeros(more, np.int64)])
        self._arrays = [
            np.concatenate([array, np.zeros((more, *array.shape[1:]), np.float32)])
            for array in self._arrays
        ]
