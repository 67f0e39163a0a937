"""Misses broken down: by corpus, by speaker, by how loud the clip is; all words together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from wakeword.evaluation.intervals import Proportion, miss_rate
from wakeword.evaluation.outcomes import Basis, Outcome

By = Literal["corpus", "speaker", "level"]

UNKNOWN = "unknown"
LEVEL_STEP_DB = 10.0
_LOWEST_DBFS, _HIGHEST_DBFS = -60.0, -10.0


@dataclass(frozen=True)
class Group:
    """Misses of the clips of one group under one condition, all words together.

    name is a corpus, ``corpus/speaker``, or a range of levels. speakers counts those whom the
    manifest tells apart. The interval takes clips as independent, which those of one speaker
    are not: of few speakers it says less than its width.
    """

    by: By
    name: str
    condition: str
    basis: Basis
    misses: Proportion
    speakers: int


def breakdowns(outcomes: Iterable[Outcome], levels_dbfs: Mapping[str, float]) -> tuple[Group, ...]:
    """All groups of all kinds, in order of their names, under each condition and threshold.

    Parameters
    ----------
    levels_dbfs
        Level of the loudest 0.3 s of each recording, dB of full scale.
    """
    outcomes = tuple(outcomes)
    name_of: Mapping[By, Callable[[Outcome], str]] = {
        "corpus": lambda o: o.corpus,
        "speaker": lambda o: f"{o.corpus}/{o.speaker or UNKNOWN}",
        "level": lambda o: level_range(levels_dbfs.get(o.recording, math.nan)),
    }
    return tuple(g for by in get_args(By) for g in _groups(by, outcomes, name_of[by]))


def level_range(level_dbfs: float) -> str:
    """The range that a level falls into: ``-40 to -30 dBFS``; ``unknown`` for NaN."""
    if math.isnan(level_dbfs):
        return UNKNOWN
    if level_dbfs < _LOWEST_DBFS:
        return f"below {_LOWEST_DBFS:g} dBFS"
    if level_dbfs >= _HIGHEST_DBFS:
        return f"{_HIGHEST_DBFS:g} dBFS and above"
    low = LEVEL_STEP_DB * math.floor(level_dbfs / LEVEL_STEP_DB)
    return f"{low:g} to {low + LEVEL_STEP_DB:g} dBFS"


def worst(
    groups: Iterable[Group], by: By, condition: str, basis: Basis, least_clips: int = 5
) -> list[Group]:
    """Groups of one kind with enough clips to say something, those missed most first."""
    found = [
        g
        for g in groups
        if (g.by, g.condition, g.basis) == (by, condition, basis) and g.misses.clips >= least_clips
    ]
    return sorted(found, key=lambda g: (-g.misses.value, -g.misses.clips, g.name))


def _groups(
    by: By, outcomes: tuple[Outcome, ...], name_of: Callable[[Outcome], str]
) -> list[Group]:
    members: dict[tuple[Basis, str, str], list[Outcome]] = {}
    for o in outcomes:
        members.setdefault((o.basis, o.condition, name_of(o)), []).append(o)
    conditions = list(dict.fromkeys(o.condition for o in outcomes))
    ordered = sorted(
        members.items(),
        key=lambda item: (item[0][0], conditions.index(item[0][1]), _order(by, item[0][2])),
    )
    return [
        Group(
            by,
            name,
            condition,
            basis,
            miss_rate(sum(o.missed for o in clips), len(clips)),
            len({o.cluster for o in clips if o.speaker}),
        )
        for (basis, condition, name), clips in ordered
    ]


def _order(by: By, name: str) -> tuple[float, str]:
    """Levels from faint to loud, all else by name."""
    if by != "level":
        return (0.0, name)
    if name == UNKNOWN:
        return (math.inf, name)
    if name.startswith("below"):
        return (-math.inf, name)
    return (float(name.split()[0]), name)
