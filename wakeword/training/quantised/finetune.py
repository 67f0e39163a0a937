"""Finetuning with rounding: a float network learns to be right in 8 bits, where it was not.

The rounded network (``rounded.py``) is trained as the float one was: scenes of the bundle's own
recipe, the same loop, averaged weights, checkpoints after every round. What it computes at the end
is what the file computes: ranges are those of calibration, and weights are rounded as in training.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import onnx
import torch

from wakeword.data.manifest import Manifest
from wakeword.errors import ConfigError
from wakeword.runtime import Bundle
from wakeword.training.checkpoint import recipe_key
from wakeword.training.commands.watch import watch_split
from wakeword.training.loop import Trainer
from wakeword.training.material import plan_of, prepare
from wakeword.training.measuring import Reporter
from wakeword.training.quantised.calibration import recipe_of, training_recordings
from wakeword.training.quantised.convert import Quantised, prepared
from wakeword.training.quantised.rounded import RoundedNetwork, steps_to_logits, trained_model
from wakeword.training.recipe import Recipe
from wakeword.training.rounds import Rounds
from wakeword.training.shards import shards
from wakeword.training.windows import SceneArrays

_FALL = 0.01
"""Of the learning rate that is left at the end."""


@dataclass(frozen=True)
class FinetuneConfig:
    """How long, how fast, and where checkpoints lie.

    workers
        Processes that make augmented recordings.
    always
        However little is lost without it.
    """

    folder: Path
    rounds: int = 2
    learning_rate: float = 1e-3
    workers: int = 0
    always: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.rounds <= 1000:
            raise ConfigError(f"{self.rounds} rounds of finetuning; it must be from 1 to 1000")
        if not 0.0 < self.learning_rate <= 1.0:
            raise ConfigError(f"a learning rate of {self.learning_rate} must be in (0, 1]")


def check_finetunable(bundle: Bundle) -> None:
    """Refuse, with a TrainingError, a network that cannot be trained with rounding."""
    steps_to_logits(prepared(bundle.model))


def finetuned(
    bundle: Bundle,
    converted: Quantised,
    manifest: Manifest,
    config: FinetuneConfig,
    reporter: Reporter,
    *,
    seven_bit_weights: bool = False,
) -> Quantised:
    """``converted``, made of ``bundle``, with weights that were trained with rounding.

    Raises
    ------
    RecipeError, ManifestError, AudioError
        The manifest does not hold what the bundle was trained on.
    TrainingError
        The network cannot be trained with rounding, the loss is no longer finite, or the
        checkpoint is of something else.
    """
    recipe = finetuning_recipe(recipe_of(bundle), config)
    model = onnx.load_model_from_string(converted.model)
    network = RoundedNetwork(
        model, prepared(bundle.model),
        (recipe.windows.frames, recipe.frontend.channels, len(recipe.labels)),
        64 if seven_bit_weights else 127,
    )  # fmt: skip
    chosen = training_recordings(bundle, recipe, manifest)
    config.folder.mkdir(parents=True, exist_ok=True)
    sources = prepare(recipe, chosen, config.folder.parent / "audio-cache", reporter)
    # Threads that wait for each other lose more to a busy core than they gain.
    torch.set_num_threads(max(1, (os.cpu_count() or 1) - config.workers))
    trainer = Trainer(network, recipe.training, recipe.cut)
    watch = watch_split(recipe, manifest, reporter)
    begun = hashlib.sha256(converted.model).hexdigest()
    key = recipe_key(recipe, f"{manifest.sha256} {bundle.sha256} {begun}")
    plan = plan_of(recipe, sources)

    def from_to(first: int, last: int) -> Iterator[SceneArrays]:
        return shards(plan, first, last, config.workers)

    Rounds(trainer, config.folder, key, watch, reporter).run(from_to)
    average = trainer.average
    assert isinstance(average, RoundedNetwork)
    return replace(converted, model=trained_model(average, model))


def finetuning_recipe(recipe: Recipe, config: FinetuneConfig) -> Recipe:
    """``recipe`` with a short training that begins near its end: all else as it was."""
    training = replace(
        recipe.training,
        rounds=config.rounds,
        learning_rate=config.learning_rate,
        final_learning_rate=_FALL * config.learning_rate,
        schedule="cosine",
        optimizer="adam",
        weight_decay=0.0,
        mine_after_rounds=(),
        checkpoint_rounds=1,
        start="",
        blend=0.0,
        teachers=(),
        taught=0.0,
        precision="float32",
    )
    return replace(recipe, training=training)
