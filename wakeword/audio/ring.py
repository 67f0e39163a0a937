"""A bounded queue of samples between an audio callback and the thread that listens."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from wakeword.errors import ConfigError


class RingBuffer:
    """One thread writes, one thread reads; neither waits for the other.

    What does not fit is dropped and counted: the newest samples, not the oldest. The writer
    therefore never touches what the reader may be copying, so that no lock is needed, and what
    was accepted is heard without a hole inside it; the hole is where the counter went up.

    Safe without a lock because each position has one owner: the writer copies and then moves
    ``_written``, the reader copies and then moves ``_read``, and each sees the other's position
    at worst too late, which is only too careful.

    Parameters
    ----------
    capacity_samples
        At least 1.
    dtype
        Type of the samples.

    Raises
    ------
    ConfigError
        The capacity is below 1.
    """

    def __init__(self, capacity_samples: int, dtype: DTypeLike = np.float32) -> None:
        if capacity_samples < 1:
            raise ConfigError(
                f"ring buffer: capacity {capacity_samples}, but it must be at least 1"
            )
        self._samples = np.zeros(capacity_samples, dtype)
        self._written = 0
        self._read = 0
        self._dropped = 0
        self._arrived = threading.Event()

    def __len__(self) -> int:
        """Samples that wait to be read."""
        return self._written - self._read

    @property
    def capacity_samples(self) -> int:
        """Most samples that can wait."""
        return len(self._samples)

    @property
    def dropped_samples(self) -> int:
        """Samples refused so far because the buffer was full."""
        return self._dropped

    def write(self, samples: NDArray[Any]) -> int:
        """Append (n,) samples without waiting; return how many fitted, the first ones."""
        accepted = min(len(samples), self.capacity_samples - len(self))
        start = self._written % self.capacity_samples
        first = min(accepted, self.capacity_samples - start)
        self._samples[start : start + first] = samples[:first]
        self._samples[: accepted - first] = samples[first:accepted]
        self._written += accepted
        self._dropped += len(samples) - accepted
        self._arrived.set()
        return accepted

    def read(self, max_samples: int | None = None) -> NDArray[Any]:
        """Take the oldest samples, (n,), at most ``max_samples`` (None: all), without waiting."""
        count = len(self) if max_samples is None else min(max_samples, len(self))
        start = self._read % self.capacity_samples
        first = min(count, self.capacity_samples - start)
        out = np.concatenate([self._samples[start : start + first], self._samples[: count - first]])
        self._read += count
        return out

    def wait(self, min_samples: int = 1, timeout_s: float | None = None) -> bool:
        """Wait until ``min_samples`` can be read; False when ``timeout_s`` passed before."""
        wanted = min(min_samples, self.capacity_samples)
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while len(self) < wanted:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            self._arrived.wait(left)
            self._arrived.clear()
        return True
