"""The last seconds of a stream, for the clip of a detection."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wakeword.audio.pcm import Samples, encode_int16

CLIP_S = 3.0
"""Length of a clip that ends with its detection: the window of 1.5 s, and what led to it."""


class AudioTail:
    """A ring of 16-bit samples at a model's rate; older ones are overwritten.

    Parameters
    ----------
    sample_rate
        In Hz.
    behind
        Samples that may come behind a clip before it is asked for.
    """

    def __init__(self, sample_rate: int, behind: int) -> None:
        self.sample_rate = sample_rate
        self._kept = round(CLIP_S * sample_rate) + behind
        self._ring = np.zeros(self._kept, np.int16)
        self._end = 0

    def append(self, samples: Samples) -> None:
        """Take the next samples (n,) float32."""
        new = encode_int16(samples[-self._kept :])
        self._end += len(samples)
        places = np.arange(self._end - len(new), self._end) % self._kept
        self._ring[places] = new

    def clip(self, end_sample: int) -> tuple[int, NDArray[np.int16]]:
        """The audio that ends at ``end_sample``: number of its first sample, samples (n,) int16.

        What is too old or has not come is left out.
        """
        end = min(end_sample, self._end)
        begin = max(0, end_sample - round(CLIP_S * self.sample_rate), self._end - self._kept)
        begin = min(begin, end)
        return begin, self._ring[np.arange(begin, end) % self._kept]
