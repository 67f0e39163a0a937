"""Recipes of aligners: everything a network that reads letters is trained from, in one TOML."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from wakeword.alignment.model import Placing
from wakeword.data.features import FeatureConfig
from wakeword.errors import BundleError, RecipeError
from wakeword.frontend import FrontendConfig
from wakeword.runtime.metadata import check_name
from wakeword.tables import from_table


@dataclass(frozen=True)
class SpeechSection:
    """Which recordings; ``manifest`` is relative to the recipe's folder.

    All recordings of the split ``train`` with a transcript are read aloud to the network, those
    of ``noise_corpora`` are mixed in. ``licences`` names the terms of each corpus used.
    """

    manifest: str
    licences: dict[str, str]
    exclude_corpora: tuple[str, ...] = ()
    noise_corpora: tuple[str, ...] = ()


@dataclass(frozen=True)
class LettersTraining:
    """The loop. An epoch reads every recording once, but one text ``most_of_a_text`` times.

    ``batch_s`` is the audio of a batch; ``noisy`` the share of recordings with noise added at an
    SNR of ``snr_db``. The learning rate falls on a half cosine.
    """

    seed: int = 1
    epochs: int = 16
    batch_s: float = 80.0
    most_of_a_text: int = 300
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    noisy: float = 0.5
    snr_db: tuple[float, float] = (5.0, 30.0)

    def __post_init__(self) -> None:
        for name in ("epochs", "most_of_a_text"):
            if not 1 <= getattr(self, name) <= 1_000_000:
                raise RecipeError(f"{name} = {getattr(self, name)} must be between 1 and 1000000")
        if not 1.0 <= self.batch_s <= 3600.0:
            raise RecipeError(f"batch_s = {self.batch_s} must be between 1 and 3600 s")
        for name, limit in (("learning_rate", 1.0), ("weight_decay", 1.0)):
            if not 0.0 <= getattr(self, name) < limit:
                raise RecipeError(f"{name} = {getattr(self, name)} must be in [0, {limit:g})")
        if not 0.0 <= self.noisy <= 1.0 or self.snr_db[0] > self.snr_db[1]:
            raise RecipeError(
                f"noisy = {self.noisy} must be in [0, 1] and snr_db = {self.snr_db} be low, high"
            )


@dataclass(frozen=True)
class LettersRecipe:
    """An aligner, from recordings to files; ``network`` is a table of ``LettersConfig``."""

    name: str
    data: SpeechSection
    description: str = ""
    licence: str = "Apache-2.0"
    frontend: FrontendConfig = field(default_factory=FrontendConfig)
    features: FeatureConfig = field(default_factory=FeatureConfig)
    network: dict[str, Any] = field(default_factory=dict)
    training: LettersTraining = field(default_factory=LettersTraining)
    placing: Placing = field(default_factory=Placing)

    def __post_init__(self) -> None:
        try:
            check_name(self.name)
        except BundleError as error:
            raise RecipeError(str(error)) from error

    def key(self, data_sha256: str) -> str:
        """What must be equal for a run to be continued: all that shapes the network."""
        table = {
            name: value
            for name, value in asdict(self).items()
            if name not in ("name", "description", "licence", "placing")
        }
        return hashlib.sha256(json.dumps([table, data_sha256], sort_keys=True).encode()).hexdigest()


def read_letters_recipe(path: Path) -> LettersRecipe:
    """Read and check a recipe.

    Raises
    ------
    RecipeError
        The file cannot be read, is not TOML, or has an unknown key or an impossible value.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"recipe {path} cannot be read: {error}") from error
    return from_table(LettersRecipe, table, f"recipe {path}", RecipeError)
