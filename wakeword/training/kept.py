"""Shards kept on the disk, so that runs that hear the same audio make it once between them."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wakeword.data.sources import Mined
from wakeword.errors import TrainingError
from wakeword.files import atomic_write
from wakeword.training.recipe import Recipe
from wakeword.training.shards import Plan
from wakeword.training.windows import SceneArrays

_FIELDS = ("features", "label", "start", "end")


@dataclass(frozen=True)
class KeptPlan:
    """The shards of ``plan``: read from ``folder`` where they are there, else made and put there.

    A folder is of one plan: :func:`heard_key` names it for a run. A shard takes as much of the
    disk as of memory, some 50 MB for 2,048 scenes.
    """

    plan: Plan
    folder: Path

    def make(self, number: int) -> SceneArrays:
        """Shard ``number``, from 0."""
        path = shard_path(self.folder, number)
        if path.exists():
            return read_shard(self.folder, number)
        shard = self.plan.make(number)
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(path, "wb") as file:
            np.savez(file, **{name: getattr(shard, name) for name in _FIELDS})
        return shard


def read_shard(folder: Path, number: int) -> SceneArrays:
    """One of those that were kept.

    Raises
    ------
    TrainingError
        It cannot be read.
    """
    path = shard_path(folder, number)
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            return SceneArrays(*(stored[name] for name in _FIELDS))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise TrainingError(
            f"{path} cannot be read: {error}; delete it, and it is made anew"
        ) from error


def heard_key(recipe: Recipe, data_sha256: str, mined: tuple[Mined, ...]) -> str:
    """A name for what a run hears: equal for recipes that differ in the network or its training.

    Hard negatives are a network's own: after mining, runs hear different things.
    """
    table, training = recipe.to_dict(), recipe.training
    heard = {name: table[name] for name in ("data", "scenes", "features", "frontend", "commands")}
    heard["words"] = table["bundle"]["words"]
    heard["training"] = [training.seed, training.scenes_per_round]
    places = [(m.index, m.end) for m in mined]  # their scores are not heard, and differ in rounding
    text = json.dumps([heard, data_sha256, places], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def shard_path(folder: Path, number: int) -> Path:
    """Where a shard is kept, once it is there."""
    return folder / f"shard-{number:04d}.npz"
