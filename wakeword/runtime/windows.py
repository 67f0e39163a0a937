"""From the newest frames of each step to posteriors: window by window, or sharing what overlaps."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wakeword.runtime.bundle import Bundle
from wakeword.runtime.fronts import NotShared
from wakeword.runtime.heard import Kept
from wakeword.runtime.parts import FRAMES, POSITIONS, ROWS, Parts, split_network
from wakeword.runtime.session import (
    CALL_WINDOWS,
    INPUT,
    OUTPUT,
    Session,
    check_finite,
    open_network,
    run_network,
)

ROUNDING = 1e-5
"""Largest difference of posteriors between the two ways, checked wherever a bundle is loaded."""


class Windows(Protocol):
    """What the engine asks of a network.

    frames: how many of the newest a step needs. rows: what a step finds, (rows, width).
    silence (kept rows, width): of these, what later steps need, in a stream of silence.
    history: how many steps need it.
    """

    frames: int
    rows: int
    history: int
    silence: NDArray[np.float32]

    def score(
        self, frames: NDArray[np.float32], kept: Kept
    ) -> tuple[NDArray[np.float32], Kept]:
        """Posteriors of the next steps of streams.

        What they find is written from row ``kept.free`` on, stream by stream, step by step.

        Parameters
        ----------
        frames (streams, steps, frames, channels)

        Returns
        -------
        posteriors (streams, steps, labels), kept
        """


class WholeWindows:
    """Each window by itself; nothing is kept. For any network."""

    rows = history = 0

    def __init__(self, session: Session, frames: int) -> None:
        self.frames = frames
        self.silence = np.zeros((0, 0), np.float32)
        self._session = session

    def score(
        self, frames: NDArray[np.float32], kept: Kept
    ) -> tuple[NDArray[np.float32], Kept]:
        """As :class:`Windows` says."""
        posteriors = self._session.run(frames.reshape(-1, *frames.shape[2:]))
        return posteriors.reshape(*frames.shape[:2], -1), kept


class SharedWindows:
    """Convolution and first input product of a position once, for all windows that have it.

    Parameters
    ----------
    silence (channels,)
        Features of digital silence.
    """

    def __init__(
        self, parts: Parts, silence: NDArray[np.float32], name: str, threads: int, max_batch: int
    ) -> None:
        overlap = parts.overlap
        self._found_in, self._asks = overlap.frames_of_step, parts.asks
        self.frames = overlap.frames if parts.asks else overlap.frames_of_step
        self.rows, self.history = overlap.rows, overlap.history
        self._name, self._max_batch = name, max_batch
        self._first = open_network(parts.first, name, threads)
        self._second = open_network(parts.second, name, threads)
        ages, self._row = overlap.sources()
        self._columns = (self.history - ages)[None]  # of the first step
        quiet = np.tile(silence, (1, self._found_in, 1))
        self.silence = self._find(quiet)[0, : overlap.kept_rows].copy()

    def score(
        self, frames: NDArray[np.float32], kept: Kept
    ) -> tuple[NDArray[np.float32], Kept]:
        """As :class:`Windows` says."""
        streams, steps = frames.shape[:2]
        count, height, free = streams * steps, self.rows, kept.free
        flat = frames.reshape(count, *frames.shape[2:])
        new = free + height * np.arange(count).reshape(streams, steps)
        blocks = np.concatenate([kept.blocks, new], axis=1)
        columns = self._columns if steps == 1 else np.arange(steps)[:, None] + self._columns
        index = (blocks[:, columns] + self._row).reshape(count, -1).T
        out = []
        # A window needs rows of its own step and of earlier ones: those come in this order.
        for start in range(0, count, self._max_batch):
            part = slice(start, min(count, start + self._max_batch))
            rows = kept.table[free + part.start * height : free + part.stop * height]
            rows[:] = self._find(flat[part]).reshape(len(rows), -1)
            given = {POSITIONS: kept.table.take(index[:, part], axis=0, mode="clip")}
            if self._asks:
                given[INPUT] = flat[part]
            out.append(run_network(self._second, OUTPUT, given, self._name))
        posteriors = out[0] if len(out) == 1 else np.concatenate(out)
        check_finite(posteriors, self._name)
        return posteriors.reshape(streams, steps, -1), Kept(kept.table, blocks[:, steps:], free)

    def _find(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows (windows, rows, width) of windows whose last frames are given."""
        newest = frames[:, -self._found_in :]
        return run_network(self._first, ROWS, {FRAMES: newest}, self._name)


def open_windows(
    bundle: Bundle, silence: NDArray[np.float32], threads: int, max_batch: int
) -> Windows:
    """The network of ``bundle``, sharing what windows share where that gives the same scores.

    Raises
    ------
    BundleError, ConfigError
        As :class:`Session`.
    """
    metadata, size = bundle.metadata, min(max_batch, CALL_WINDOWS)
    session = Session(bundle, threads=threads, max_batch=size)
    whole = WholeWindows(session, metadata.window_frames)
    step, beyond = divmod(metadata.step_samples, metadata.frontend.hop_samples)
    if beyond:  # steps differ in their number of frames
        return whole
    try:
        parts = split_network(bundle.model, metadata.window_frames, len(silence), step)
    except NotShared:
        return whole
    shared = SharedWindows(parts, silence, bundle.name, threads, size)
    return shared if _difference(shared, whole, silence, step) <= ROUNDING else whole


def _difference(
    shared: SharedWindows, whole: WholeWindows, silence: NDArray[np.float32], step: int
) -> float:
    """Between the two, from the start of a stream until all it keeps is its own, and beyond."""
    steps = shared.history + 3
    dice = np.random.default_rng(0)
    frames = np.tile(silence, (whole.frames + steps * step, 1))
    frames[whole.frames :] += 2 * dice.standard_normal((steps * step, len(silence)), np.float32)
    ends = whole.frames + step * np.arange(1, steps + 1)
    height = len(shared.silence)
    table = np.concatenate([shared.silence, np.empty((steps * shared.rows, shared.silence.shape[1]),
                                                     np.float32)])  # fmt: skip
    kept = Kept(table, np.zeros((1, shared.history), np.int64), height)
    found, expected = (
        windows.score(np.stack([frames[end - windows.frames : end] for end in ends])[None], kept)[0]
        for windows in (shared, whole)
    )
    return float(np.abs(found - expected).max())
