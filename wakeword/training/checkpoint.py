"""Checkpoints: what a run needs to go on as if it had not been stopped. No pickle is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch

from wakeword.errors import TrainingError
from wakeword.files import atomic_write
from wakeword.training.recipe import Recipe

T = TypeVar("T")
CHECKPOINT = "checkpoint.pt"

_LATER: dict[str, dict[str, Any]] = {
    "data": {"more_manifests": (), "also_words": ()},
    "scenes": {
        "telephone": 0.0,
        "telephone_others": 0.0,
        "uneven": 0.0,
        "drawn": 0.0,
        "stress_db": 0.0,
        "spliced": 0.0,
        "knocks": 0.0,
        "ended": 0.0,
        "also": 0.0,
    },
    "features": {"bend": 0.0},
    "training": {
        "start": "",
        "optimizer": "adam",
        "momentum": 0.9,
        "teachers": (),
        "taught": 0.0,
        "taught_of": "all",
        "precision": "float32",
    },
}
"""Keys that recipes did not always have: a run begun without them goes on while they are off."""


@dataclass
class Checkpoint:
    """State after ``round`` rounds; ``log`` holds one entry a round."""

    round: int
    model: dict[str, Any]
    average: dict[str, Any]
    optimizer: dict[str, Any]
    log: list[dict[str, float]]


def recipe_key(recipe: Recipe, data_sha256: str) -> str:
    """What must be equal for a run to be continued: all of the recipe that shapes training."""
    table = recipe.to_dict()
    table["bundle"] = {"words": table["bundle"]["words"]}
    del table["detection"], table["training"]["checkpoint_rounds"], table["training"]["blend"]
    if table["commands"] is None:
        del table["commands"]
    for section, keys in _LATER.items():
        for key, default in keys.items():
            if table[section][key] == default:
                del table[section][key]
    text = json.dumps([table, data_sha256], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def save_checkpoint(folder: Path, checkpoint: Checkpoint, key: str) -> None:
    """Write the checkpoint beside the old one, then put it in its place."""
    save_state(folder, vars(checkpoint), key)


def load_checkpoint(folder: Path, key: str) -> Checkpoint | None:
    """The checkpoint in ``folder``, or None.

    Raises
    ------
    TrainingError
        It is damaged, or of another recipe or other data.
    """
    return load_state(folder, key, lambda stored: Checkpoint(**stored))


def save_state(folder: Path, state: Mapping[str, Any], key: str) -> None:
    """Write tensors and plain values as the checkpoint of ``folder``."""
    with atomic_write(folder / CHECKPOINT, "wb") as file:
        torch.save({"key": key, **state}, file)


def load_state(folder: Path, key: str, make: Callable[[dict[str, Any]], T]) -> T | None:
    """What ``make`` makes of the checkpoint in ``folder``; None where there is none.

    Raises
    ------
    TrainingError
        It is damaged, or of another recipe or other data.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        found = stored.pop("key")
        state = make(stored)
    except Exception as error:
        raise TrainingError(f"checkpoint {path} cannot be read: {error}") from error
    if found != key:
        raise TrainingError(
            f"{path} is of another recipe or other recordings; name another folder with --run, "
            f"or start again with --restart"
        )
    return state
