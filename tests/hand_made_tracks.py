"""Tracks made by hand for a whole evaluation: clips of two words, speech with known peaks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from bundles import TONES_HZ

from wakeword.evaluation.events import EventRules, Label, Track, Truth

LOW, HIGH = TONES_HZ
RULES = EventRules(sample_rate=16_000, step_samples=1_600, refractory_s=1.0, tolerance_s=0.5)
SHIPPED = 0.6
HOURS = 2.5


def scored(label: Label, steps: int, peaks: Mapping[tuple[str, int], float]) -> Track:
    """A track at 0.01 with single steps of given height."""
    posteriors = np.full((steps, 2), 0.01, np.float32)
    for (word, step), value in peaks.items():
        posteriors[step, (LOW, HIGH).index(word)] = value
    return Track(label, (LOW, HIGH), posteriors, steps)


def clip(name: str, word: str, speaker: str, peaks: Mapping[tuple[str, int], float]) -> Track:
    label = Label(name, "clips", speaker, (Truth(word, 1.0, 1.5),))
    return scored(label, 40, peaks)


SPEECH = scored(
    Label("talk", "talk", "t"),
    round(HOURS * 36_000),
    {(LOW, 100): 0.95, (LOW, 200): 0.7, (LOW, 300): 0.65, (HIGH, 100): 0.55},
)
SAYS_LOW = scored(Label("says", "talk", "t", (), frozenset({LOW})), 100, {(LOW, 50): 0.99})
CLEAN = [
    clip("a", LOW, "s1", {(LOW, 14): 0.9}),
    clip("b", LOW, "s1", {(LOW, 14): 0.9, (LOW, 30): 0.8}),
    clip("c", LOW, "s2", {(LOW, 17): 0.3}),
    clip("d", HIGH, "", {(HIGH, 12): 0.9, (LOW, 12): 0.97}),
]
NOISY = [clip("a", LOW, "s1", {(LOW, 14): 0.2})]
