"""Moving average of posteriors over steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wakeword.runtime.sections import SmootherConfig


class Smoother:
    """Mean of the last ``config.steps`` posteriors, for many streams at once.

    Steps before the stream began count as posterior 0, as digital silence would: the first
    step alone can raise the mean to 1 / steps only. Words at the very start lose nothing by
    that, because the window that holds them is scored for 1.5 s.
    """

    def __init__(self, config: SmootherConfig) -> None:
        self.steps = config.steps

    def initial_state(self, streams: int, words: int) -> NDArray[np.float32]:
        """The last ``steps - 1`` posteriors (streams, steps - 1, words) of new streams: zeros."""
        return np.zeros((streams, self.steps - 1, words), np.float32)

    def process(
        self, posteriors: NDArray[np.float32], state: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Smooth the next steps.

        Parameters
        ----------
        posteriors (streams, steps, words)
        state
            What the previous call returned, or :meth:`initial_state`.

        Returns
        -------
        smoothed (streams, steps, words), state
        """
        padded = np.concatenate([state, posteriors], axis=1)
        count = posteriors.shape[1]
        # Summed anew for each step, always in the same order: a running sum would drift, and
        # the result would depend on how the stream was cut.
        total = padded[:, :count].copy()
        for lag in range(1, self.steps):
            total += padded[:, lag : lag + count]
        total /= np.float32(self.steps)
        return total, padded[:, count:]
