"""All pictures of a report by file name; those of one model begin with its label."""

from __future__ import annotations

import re

from wakeword.evaluation.group_pictures import (
    alarm_picture,
    difference_picture,
    distance_picture,
    level_picture,
    speaker_picture,
    word_picture,
)
from wakeword.evaluation.pictures import curve_pictures, mean_picture
from wakeword.evaluation.results import ModelResults, Results

MEAN_CURVES = "frr-over-fa.png"
DISTANCE = "distance.png"
ALARMS = "false-alarms.png"
DIFFERENCES = "differences.png"
WORDS, LEVELS, SPEAKERS = "by-word.png", "by-level.png", "by-speaker.png"


def picture_name(model: ModelResults, name: str) -> str:
    """File name of a model's own picture: its label as letters that every disk takes."""
    slug = re.sub(r"[^a-z0-9_.]+", "-", model.label.lower()).strip("-.")
    return f"{slug}-{name}"


def report_pictures(results: Results) -> dict[str, bytes]:
    """Draw everything that there is something to draw of.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    drawn: dict[str, bytes | None] = {
        ALARMS: alarm_picture({m.label: m.evaluation for m in results.models})
    }
    if all(m.mean_curves for m in results.models):
        target = results.models[0].evaluation.target_fa_per_hour
        curves = {m.label: m.mean_curves for m in results.models}
        drawn[MEAN_CURVES] = mean_picture(curves, results.conditions, target)
        means = {m.label: m.means for m in results.models}
        drawn[DISTANCE] = distance_picture(means, results.conditions, target)
    if results.differences:
        drawn[DIFFERENCES] = difference_picture(results.differences, results.conditions)
    for model in results.models:
        if model.means:
            drawn |= {picture_name(model, n): p for n, p in _of(model, results).items()}
    return {name: data for name, data in drawn.items() if data is not None}


def _of(model: ModelResults, results: Results) -> dict[str, bytes | None]:
    near = results.near
    return {
        WORDS: word_picture(model.evaluation, near),
        LEVELS: level_picture(model.groups, near),
        SPEAKERS: speaker_picture(model.groups, results.ranked_by),
        **curve_pictures(model.evaluation, near),
    }
