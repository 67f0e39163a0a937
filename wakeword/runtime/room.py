"""Memory that two processes see, for the samples that one sends to the other.

Through a pipe every page of a message is taken from the system, cleared, filled, copied and given
back: of scoring a thousand streams that was a twentieth.
"""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wakeword.runtime.stream import copy_into

FLOAT_BYTES = 4
FIRST_SAMPLES = 2**18
"""Room for most batches from the start; what nobody has written to takes no memory."""


class Room:
    """Samples behind a file descriptor that has no place in any file system.

    One process puts, then tells the other how many samples there are, and waits until that one
    has looked. Only Linux has such files.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._samples = self._map()

    @staticmethod
    def make() -> Room | None:
        """A new one, or None where the system has none."""
        if sys.platform != "linux":
            return None
        try:
            descriptor = os.memfd_create("wakeword-samples")
            os.ftruncate(descriptor, FIRST_SAMPLES * FLOAT_BYTES)
            return Room(descriptor)
        except OSError:
            return None

    def put(self, pieces: Sequence[NDArray[np.float32]]) -> None:
        """Put the samples of all pieces (n,) there, one piece behind the other."""
        count = sum(map(len, pieces))
        if count > len(self._samples):
            os.ftruncate(self.descriptor, 2 * count * FLOAT_BYTES)
        place, end = self.look(count), 0
        for piece in pieces:
            begin, end = end, end + len(piece)
            copy_into(place[begin:end], piece)

    def look(self, count: int) -> NDArray[np.float32]:
        """The first ``count`` samples that are there, good until the other side puts again."""
        if count > len(self._samples):
            self._samples = self._map()
        return self._samples[:count]

    def close(self) -> None:
        """Let go of it."""
        os.close(self.descriptor)
        self._samples = np.zeros(0, np.float32)

    def _map(self) -> NDArray[np.float32]:
        return np.frombuffer(mmap.mmap(self.descriptor, 0), np.float32)
