"""Windows on which the ranges of an 8-bit network are found: what its float network learnt from.

Scenes of the bundle's own recipe, made of some of its training recordings: the levels, noises and
rooms that it was trained with, and not one recording of another split.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wakeword.data.commands.clips import is_single_word
from wakeword.data.manifest import Manifest, Recording
from wakeword.errors import ConfigError, RecipeError
from wakeword.runtime import Bundle
from wakeword.tables import from_table
from wakeword.training.material import plan_of, prepare
from wakeword.training.measuring import Reporter
from wakeword.training.quantised.made import QUANTISATION
from wakeword.training.recipe import Recipe
from wakeword.training.windows import cut

SPLIT = "train"
_MOST_OF_A_KIND = 60
_MOST_ROOMS = 16


@dataclass(frozen=True)
class CalibrationConfig:
    """How many windows, drawn by which seed; and how weights are rounded (see ``quantise``)."""

    windows: int = 1024
    seed: int = 1
    seven_bit_weights: bool = False

    def __post_init__(self) -> None:
        if not 8 <= self.windows <= 100_000:
            raise ConfigError(f"{self.windows} calibration windows; it must be from 8 to 100000")


@dataclass(frozen=True)
class Calibration:
    """windows (windows, frames, channels) float32, and how many recordings they were made of."""

    windows: NDArray[np.float32]
    recordings: int
    corpora: tuple[str, ...]


def recipe_of(bundle: Bundle) -> Recipe:
    """The recipe that ``bundle`` was trained with, as its metadata have it.

    Raises
    ------
    RecipeError
        They have none that can be trained with.
    """
    told: Mapping[str, Any] = bundle.metadata.training.recipe
    table = {key: value for key, value in told.items() if key != QUANTISATION}
    recipe = from_table(Recipe, table, f"the recipe of model '{bundle.name}'", RecipeError)
    m = bundle.metadata
    windows = replace(recipe.windows, frames=m.window_frames)
    return replace(recipe, frontend=m.frontend, windows=windows)


def calibration_windows(
    bundle: Bundle, manifest: Manifest, config: CalibrationConfig, reporter: Reporter
) -> Calibration:
    """Windows of training scenes of ``bundle``, the same for the same seed.

    Raises
    ------
    RecipeError
        The bundle has no recipe, or the manifest no training recording of its corpora.
    ManifestError, AudioError
        The recordings lack something that the recipe needs, or cannot be read.
    """
    recipe = recipe_of(bundle)
    chosen = _chosen(bundle, recipe, manifest, config.seed)
    small = replace(
        recipe,
        data=replace(recipe.data, rooms=min(_MOST_ROOMS, recipe.data.rooms)),
        training=replace(recipe.training, seed=config.seed, scenes_per_round=config.windows),
    )
    with tempfile.TemporaryDirectory() as cache:
        sources = prepare(small, chosen, Path(cache), reporter)
    advance = reporter.stage("making calibration windows", config.windows, "windows")
    scenes = plan_of(small, sources).make(0)
    rng = np.random.default_rng([config.seed, 0xCA11])
    windows, _ = cut(scenes, np.arange(len(scenes)), small.cut, rng)
    advance(config.windows)
    return Calibration(windows, len(chosen), tuple(sorted({r.corpus for r in chosen})))


def training_recordings(
    bundle: Bundle, recipe: Recipe, manifest: Manifest
) -> tuple[Recording, ...]:
    """What ``bundle`` was trained on, as far as ``manifest`` has it.

    Raises
    ------
    RecipeError
        It has none of it.
    """
    trained_on = {source.corpus for source in bundle.metadata.training.data}
    usable = manifest.where(
        lambda r: r.split == SPLIT
        and r.corpus in trained_on
        and not any(map(r.path.match, recipe.data.exclude_recordings))
    )
    if not usable:
        raise RecipeError(
            f"{manifest.path} has no recording of the split '{SPLIT}' of the corpora that "
            f"'{bundle.name}' was trained on: {', '.join(sorted(trained_on)) or 'none are named'}"
        )
    return tuple(usable)


def _chosen(
    bundle: Bundle, recipe: Recipe, manifest: Manifest, seed: int
) -> tuple[Recording, ...]:
    """Some training recordings of each kind: each word, and the rest of each corpus."""
    usable = training_recordings(bundle, recipe, manifest)
    words = {*recipe.bundle.words, *recipe.data.also_words}
    kinds: dict[tuple[str, str, bool], list[int]] = {}
    for i, r in enumerate(usable):
        of_word = r.text if r.text in words else ""
        kinds.setdefault((r.corpus, of_word, is_single_word(r)), []).append(i)
    return tuple(usable[i] for i in sorted(_some_of_each(kinds.values(), seed)))


def _some_of_each(kinds: Iterable[list[int]], seed: int) -> Iterable[int]:
    rng = np.random.default_rng([seed, 0xCA12])
    for kind in kinds:
        for k in rng.permutation(len(kind))[:_MOST_OF_A_KIND]:
            yield kind[k]
