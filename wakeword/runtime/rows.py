"""What many streams have heard, in one place: a row each, taken and put back all at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from wakeword.frontend import FrontendState
from wakeword.runtime.engine import Engine
from wakeword.runtime.engine_base import MAX_BATCH
from wakeword.runtime.heard import Heard, Kept

_FIRST_ROWS = 16
_SPARE = 3
"""Rows for more than so many times as many streams as there are, are too many."""
Kind = TypeVar("Kind", np.float32, np.int64)


class Rows:
    """The states of the streams of one engine, by number; an unknown number is a new stream.

    A thousand streams as a thousand objects cost more time than their network.
    """

    def __init__(self, engine: Engine) -> None:
        self._new = new = engine.new
        self._rows: dict[int, int] = {}
        self._free: list[int] = []
        self._found_rows = engine.rows_per_step
        width = engine.frontend.config.window_samples  # a longer tail would hold a whole frame
        self._tail_samples = np.zeros(0, np.int64)
        self._arrays = [
            np.zeros((0, width), np.float32),
            *(part[:0] for part in (new.frontend.smoothed, new.frames, new.smoother)),
        ]
        steps = np.zeros((0, 0, 0), np.float32) if not new.steps else np.stack(new.steps)
        self._history, self._height, table_width = steps.shape
        self._silence = steps.reshape(self._history * self._height, table_width)
        self._blocks = np.zeros((0, self._history), np.int64)
        self._table = np.zeros((0, table_width), np.float32)
        self._room_steps = MAX_BATCH

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

    def shrink(self) -> bool:
        """Give back the rows of a crowd that has gone; whether there were any."""
        if len(self._blocks) <= _SPARE * max(_FIRST_ROWS, len(self._rows)):
            return False
        kept, before = np.array(list(self._rows.values()), np.int64), len(self._blocks)
        self._rows = {number: row for row, number in enumerate(self._rows)}
        height, width = self._silence.shape
        own = self._table[: before * height].reshape(before, height, width)[kept]
        self._table = own.reshape(len(kept) * height, width)
        moved = height * (np.arange(len(kept)) - kept)
        self._blocks = self._blocks[kept] + moved[:, None]
        self._tail_samples = self._tail_samples[kept]
        self._arrays = [array[kept] for array in self._arrays]
        self._room_steps = MAX_BATCH
        self._grow()
        return True

    def tail_samples(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Samples in the front-end tail of each: only equal ones can be taken together."""
        return self._tail_samples[rows]

    def make_room(self, steps: int) -> None:
        """For what so many steps of streams find until it is put where it stays."""
        if steps > self._room_steps:
            self._make_table(steps)

    def take(self, rows: NDArray[np.int64], steps_before: int) -> Heard:
        """The states of streams whose tails are equally long.

        Parameters
        ----------
        steps_before
            How much of the room is taken: steps that others took and that are not yet put.
        """
        samples = int(self._tail_samples[rows[0]])
        tail, energies, frames, smoother = (array[rows] for array in self._arrays)
        free = len(self._blocks) * len(self._silence) + steps_before * self._found_rows
        kept = Kept(self._table, self._blocks[rows], free)
        return Heard(FrontendState(tail[:, :samples], energies), frames, smoother, kept)

    def put(self, rows: NDArray[np.int64], heard: Heard) -> None:
        """The states that they go on with."""
        tail, energies, frames, smoother = self._arrays
        samples = heard.frontend.tail.shape[1]
        self._tail_samples[rows] = samples
        tail[rows, :samples] = heard.frontend.tail
        energies[rows], frames[rows] = heard.frontend.smoothed, heard.frames
        smoother[rows] = heard.smoother
        self._put_steps(rows, heard.kept.blocks)

    def _put_steps(self, rows: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
        """Move what the last steps found to the places of the steps that nobody needs any more."""
        own = len(self._blocks) * len(self._silence)
        old = int((blocks[0] < own).sum())
        unneeded, inside = self._blocks[rows, : self._history - old], np.arange(self._height)
        self._table[unneeded[..., None] + inside] = self._table[blocks[:, old:, None] + inside]
        self._blocks[rows] = np.concatenate([blocks[:, :old], unneeded], axis=1)

    def _enter(self, number: int) -> int:
        if not self._free:
            self._grow()
        row = self._rows[number] = self._free.pop()
        new = self._new
        _, energies, frames, smoother = self._arrays
        self._tail_samples[row] = 0
        energies[row], frames[row], smoother[row] = (
            new.frontend.smoothed[0], new.frames[0], new.smoother[0]
        )  # fmt: skip
        begin = row * len(self._silence)
        self._blocks[row] = begin + np.arange(self._history) * self._height
        self._table[begin : begin + len(self._silence)] = self._silence
        return row

    def _grow(self) -> None:
        old = len(self._blocks)
        more = max(_FIRST_ROWS, old)
        self._free = list(range(old, old + more))[::-1]
        self._tail_samples = _longer(self._tail_samples, more)
        self._blocks = _longer(self._blocks, more)
        self._arrays = [_longer(array, more) for array in self._arrays]
        self._make_table(self._room_steps)

    def _make_table(self, steps: int) -> None:
        """Of the rows of all streams, and behind them room for ``steps`` steps."""
        self._room_steps = steps
        rows = len(self._blocks) * len(self._silence) + steps * self._found_rows
        table = np.zeros((rows, self._silence.shape[1]), np.float32)
        kept = min(rows, len(self._table))
        table[:kept] = self._table[:kept]
        self._table = table


def _longer(array: NDArray[Kind], more: int) -> NDArray[Kind]:
    return np.concatenate([array, np.zeros((more, *array.shape[1:]), array.dtype)])
