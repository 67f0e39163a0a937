"""Everything that one report is made of: one or several models, measured on the same recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wakeword.evaluation.bootstrap import Difference, MeanMisses, differences, mean_misses
from wakeword.evaluation.conditions import Condition
from wakeword.evaluation.events import EventRules, Track
from wakeword.evaluation.groups import Group, breakdowns
from wakeword.evaluation.mean_curve import MeanCurve, mean_curves
from wakeword.evaluation.measurement import Evaluation


@dataclass(frozen=True)
class ModelResults:
    """All figures of one model, called ``label`` in tables and pictures.

    about
        Which bundle it is: name, version, checksum.
    """

    label: str
    about: Mapping[str, Any]
    evaluation: Evaluation
    means: tuple[MeanMisses, ...]
    groups: tuple[Group, ...]
    mean_curves: tuple[MeanCurve, ...]


@dataclass(frozen=True)
class Results:
    """All figures of a report; ``differences`` are those of each model from the first.

    about
        What was measured and how: manifest, split, seed, libraries.
    """

    about: Mapping[str, Any]
    conditions: tuple[Condition, ...]
    models: tuple[ModelResults, ...]
    differences: tuple[Difference, ...]

    @property
    def near(self) -> tuple[Condition, ...]:
        """The conditions without a simulated room."""
        return tuple(c for c in self.conditions if c.distance_m is None)

    @property
    def ranked_by(self) -> Condition:
        """By which speakers are ranked: the faintest noise, clean where there is none."""
        return next((c for c in self.near if c.kind == "noise"), self.near[0])


@dataclass(frozen=True)
class Measured:
    """One model's evaluation, with the tracks of its clips by condition and their rules."""

    label: str
    about: Mapping[str, Any]
    evaluation: Evaluation
    positives: Mapping[str, Sequence[Track]]
    rules: EventRules


def gather(
    about: Mapping[str, Any],
    conditions: Sequence[Condition],
    measured: Sequence[Measured],
    levels_dbfs: Mapping[str, float],
    seed: int,
) -> Results:
    """Break all evaluations down, and compare the first model with each of the others.

    Parameters
    ----------
    levels_dbfs
        Level of the loudest 0.3 s of each clip, by name, dB of full scale.

    Raises
    ------
    EvaluationError
        Two models have no word in common.
    """
    first = measured[0]
    pairs = [(first, other) for other in measured[1:]]
    return Results(
        about,
        tuple(conditions),
        tuple(_results(m, levels_dbfs, seed) for m in measured),
        tuple(
            d
            for a, b in pairs
            for d in differences((a.label, a.evaluation), (b.label, b.evaluation), seed)
        ),
    )


def _results(m: Measured, levels_dbfs: Mapping[str, float], seed: int) -> ModelResults:
    return ModelResults(
        m.label,
        m.about,
        m.evaluation,
        mean_misses(m.evaluation, seed),
        breakdowns(m.evaluation.outcomes, levels_dbfs),
        mean_curves(m.evaluation, m.positives, m.rules, seed),
    )
