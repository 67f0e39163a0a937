"""What the engine must know of the samples that streams have behind them; state as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.frontend import FrontendState


@dataclass(frozen=True)
class Kept:
    """What the network found at former steps and needs again, as rows of a table.

    table (rows, width): belongs to whoever keeps it; from row ``free`` on it may be written.
    blocks (streams, history): where the rows of each of the last steps begin, oldest first.
    """

    table: NDArray[np.float32]
    blocks: NDArray[np.int64]
    free: int


@dataclass(frozen=True)
class Heard:
    """Of many streams with equally long front-end tails.

    frames (streams, frames, channels): the last features, silence before the stream began.
    smoother (streams, smoother.steps - 1, words of the bundle): the last posteriors.
    """

    frontend: FrontendState
    frames: NDArray[np.float32]
    smoother: NDArray[np.float32]
    kept: Kept


@dataclass(frozen=True)
class Past:
    """Of one stream: as :class:`Heard`, and nothing in it is ever written.

    steps: what the network found at each of the last steps, (rows, width) each.
    """

    frontend: FrontendState
    frames: NDArray[np.float32]
    smoother: NDArray[np.float32]
    steps: tuple[NDArray[np.float32], ...]


def stack(
    parts: Sequence[Past], frames: NDArray[np.float32], table: NDArray[np.float32]
) -> Heard:
    """Put streams together in the room that is given.

    Parameters
    ----------
    frames (streams, frames, channels)
    table (rows, width)
        With room for what the next steps find behind what the last ones found.
    """
    steps = [step for part in parts for step in part.steps]
    height = len(steps[0]) if steps else 0
    free = len(steps) * height
    if steps:
        np.concatenate(steps, out=table[:free])
    starts = height * np.arange(len(steps))
    return Heard(
        FrontendState.stack([part.frontend for part in parts]),
        np.concatenate([part.frames for part in parts], out=frames),
        np.concatenate([part.smoother for part in parts]),
        Kept(table, starts.reshape(len(parts), -1), free),
    )


def split(after: Heard, before: Sequence[Past], steps: int, rows: int) -> list[Past]:
    """Take streams apart again, ``steps`` after :func:`stack` put ``before`` together.

    Everything is copied: a slice would keep the arrays of the whole batch alive.

    Parameters
    ----------
    rows
        Of the table, that a step of a stream takes.
    """
    kept, streams = after.kept, len(before)
    new = min(steps, kept.blocks.shape[1])
    height = len(before[0].steps[0]) if new else 0
    end = kept.free + streams * steps * rows
    found = kept.table[kept.free : end].reshape(streams, steps, rows, kept.table.shape[1])
    found = found[:, steps - new :, :height]
    state = after.frontend
    return [
        Past(
            FrontendState(state.tail[i : i + 1].copy(), state.smoothed[i : i + 1].copy()),
            after.frames[i : i + 1].copy(),
            after.smoother[i : i + 1].copy(),
            (*past.steps[new:], *found[i].copy()),
        )
        for i, past in enumerate(before)
    ]
