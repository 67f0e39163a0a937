"""Random score tracks, and what the real detector makes of them at one threshold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from wakeword.evaluation.events import EventRules, Label, Track, Truth, detected_steps, match

WORD = "low tone"
RULES = EventRules(sample_rate=16_000, step_samples=1_600, refractory_s=0.4, tolerance_s=0.5)


def track(
    scores: Sequence[float] | NDArray[np.float32],
    truths: Sequence[tuple[float, float]] = (),
    name: str = "a",
    unsure: Sequence[str] = (),
) -> Track:
    """A track of one word with utterances at the given times in seconds."""
    posteriors = np.asarray(scores, np.float32)[:, None]
    utterances = tuple(Truth(WORD, start, end) for start, end in truths)
    label = Label(name, "corpus", "speaker", utterances, frozenset(unsure))
    return Track(label, (WORD,), posteriors, len(posteriors))


def scores(max_steps: int = 60) -> st.SearchStrategy[NDArray[np.float32]]:
    """Scores with plateaus, ties, zeros and ones: few distinct values, or any float32."""
    coarse = st.integers(0, 8).map(lambda n: n / 8)
    fine = st.floats(0.0, 1.0, width=32)
    values = st.lists(coarse, max_size=max_steps) | st.lists(fine, max_size=max_steps)
    return values.map(lambda v: np.asarray(v, np.float32))


def utterances(seconds: float = 6.0) -> st.SearchStrategy[list[tuple[float, float]]]:
    """Times of up to three utterances, overlapping or not."""
    start = st.floats(0.0, seconds)
    length = st.floats(0.05, 1.0)
    one = st.tuples(start, length).map(lambda p: (p[0], p[0] + p[1]))
    return st.lists(one, max_size=3)


def brute_force(
    positives: Sequence[Track], negatives: Sequence[Track], threshold: float, rules: EventRules
) -> tuple[int, int]:
    """Misses and false alarms that the detector itself gives: (missed, alarms)."""
    alarms = sum(len(detected_steps(t, WORD, threshold, rules)) for t in negatives)
    missed = 0
    for positive in positives:
        found = match(
            detected_steps(positive, WORD, threshold, rules), positive.truths(WORD), rules
        )
        missed += found.hit_steps.count(None)
    return missed, alarms
