"""Where scores have their peaks: the moments at which a model was surest of a word."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def find_peaks(
    scores: NDArray[np.float32], apart: int, most: int, least: float
) -> list[tuple[int, float]]:
    """The highest scores (n,) of one recording that are over ``apart`` steps from each other.

    Returns
    -------
    peaks
        Step and score of at most ``most`` peaks of at least ``least``, the highest first; of
        equal ones the first.
    """
    scores = scores.copy()
    peaks: list[tuple[int, float]] = []
    while len(scores) and len(peaks) < most and scores.max() >= least:
        at = int(scores.argmax())
        peaks.append((at, float(scores[at])))
        scores[max(0, at - apart) : at + apart + 1] = -np.inf
    return peaks
