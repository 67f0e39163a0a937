"""Scores a bundle on trials, and gives it the operating points that follow."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from wakeword.errors import ConfigError
from wakeword.evaluation.calibration import calibrate, with_curve
from wakeword.evaluation.conditions import Condition
from wakeword.evaluation.documents import (
    OPERATING_POINTS,
    operating_points_section,
    replace_section,
)
from wakeword.evaluation.events import EventRules, Track
from wakeword.evaluation.scoring import event_rules, score_clips
from wakeword.runtime import Bundle, OperatingPoints, write_bundle
from wakeword.runtime.bundle import RECIPE_FILE
from wakeword.runtime.bundle_writer import FIGURES_FOLDER
from wakeword.training.trials import Trials


class Stage(Protocol):
    """Begins a stage of so much work; gives the function that is told how much was done."""

    def __call__(self, name: str, total: float, unit: str = "s") -> Callable[[float], None]: ...


class Reporter(Protocol):
    """Where a long run says how far it is."""

    @property
    def stage(self) -> Stage:
        """Begins a stage of so much work; gives the function that is told how much was done."""
        ...

    def note(self, text: str) -> None:
        """Say one thing."""
        ...


@dataclass(frozen=True)
class Scored:
    """Tracks of everything that was scored.

    recorded
        All usable recordings as they are: the negatives of every word, and the clean clips.
    by_condition
        Clips by condition, "clean" among them where it was asked for.
    """

    rules: EventRules
    recorded: Sequence[Track]
    by_condition: Mapping[str, Sequence[Track]]


def score_trials(
    bundle: Bundle, trials: Trials, conditions: Sequence[Condition], stage: Stage
) -> Scored:
    """Run a bundle over all recordings, and over the clips under each condition.

    Raises
    ------
    AudioError
        A recording cannot be read.
    EvaluationError
        There is no noise, or no speech for babble.
    """
    mixed = {c: trials.mixed(c) for c in conditions if not c.as_recorded}
    recorded = score_clips(
        bundle, trials.recorded(), progress=stage("scoring recordings", trials.seconds)
    )
    by_condition: dict[str, Sequence[Track]] = {}
    for condition in conditions:
        if condition.as_recorded:
            inside = condition.kind == "sentence"
            by_condition[condition.name] = [
                t for t in recorded if t.label.truths and t.label.in_sentence == inside
            ]
        else:
            seconds = trials.mixed_seconds(condition)
            advance = stage(f"scoring clips, {condition.name}", seconds)
            by_condition[condition.name] = score_clips(bundle, mixed[condition], progress=advance)
    return Scored(event_rules(bundle), recorded, by_condition)


def check_targets(bundle: Bundle, targets: Sequence[float]) -> None:
    """Refuse, with a ConfigError, targets that are not above 0 or leave the default without."""
    for target in targets:
        if not 0.0 < target < math.inf:
            raise ConfigError(f"target of {target} false alarms per hour; it must be above 0")
    default = bundle.metadata.default_target_fa_per_hour
    if not min(targets) <= default <= max(targets):
        raise ConfigError(
            f"the bundle's default of {default:g} false alarms per hour must lie within the "
            f"targets, which go from {min(targets):g} to {max(targets):g}"
        )


def operating_points(
    bundle: Bundle, scored: Scored, condition: Condition, targets: Sequence[float]
) -> dict[str, OperatingPoints]:
    """Operating points of every word, from the recordings, with misses under ``condition``.

    Raises
    ------
    ConfigError
        Targets that :func:`check_targets` refuses.
    EvaluationError
        A word has no negative audio.
    """
    check_targets(bundle, targets)
    clips = scored.by_condition[condition.name]
    return {
        word: calibrate(
            word,
            scored.recorded,
            [t for t in clips if t.truths(word)],
            scored.rules,
            condition.name,
            targets,
        )
        for word in bundle.words
    }


def with_curves(
    bundle: Bundle, scored: Scored, condition: Condition
) -> dict[str, OperatingPoints]:
    """The operating points that the bundle has, with curves from the same recordings.

    Raises
    ------
    EvaluationError
        These are not the recordings or mixtures that its operating points are from.
    """
    clips = scored.by_condition[condition.name]
    return {
        word: with_curve(
            bundle.operating_points(word),
            scored.recorded,
            [t for t in clips if t.truths(word)],
            scored.rules,
            condition.name,
        )
        for word in bundle.words
    }


def recalibrated(
    bundle: Bundle, points: Mapping[str, OperatingPoints], folder: str | Path
) -> Bundle:
    """Write ``bundle`` with other operating points to ``folder``, which may be its own.

    Network, recipe and figures stay; the card's section on operating points is replaced.

    Raises
    ------
    BundleError
        ``folder`` holds something that is no bundle.
    EvaluationError
        The card's markers of generated sections are damaged.
    OSError
        As from any writing; what was there before is untouched.
    """
    recipe, figures = bundle.path / RECIPE_FILE, bundle.path / FIGURES_FOLDER
    return write_bundle(
        folder,
        bundle.model,
        replace(bundle.metadata, operating_points=dict(points)),
        replace_section(bundle.card, OPERATING_POINTS, operating_points_section(points)),
        recipe.read_text(encoding="utf-8") if recipe.exists() else None,
        {p.name: p.read_bytes() for p in figures.iterdir()} if figures.is_dir() else None,
    )
