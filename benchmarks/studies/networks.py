"""Networks of the papers as wake words: trained and measured alike, each with its own front end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studies.comparison import (
    CONDITIONS,
    KINDS,
    TARGET_FA_PER_HOUR,
    missed_headers,
    missed_of,
    picture,
)
from studies.variants import ALIKE, Variant, row_of
from wakeword.evaluation.tables import Table
from wakeword.training.derived import Changes, label_of, of_network
from wakeword.training.recipe import read_recipe

__all__ = ["ALT", "CHOSEN", "DISTANCES_M", "KINDS", "picture", "table", "variants"]

ALT = "What networks miss under each condition"
DISTANCES_M = ()
CHOSEN = ("tc-resnet8", "ds-cnn-s", "res8-narrow", "crnn")


def variants(
    names: Sequence[str], seeds: Sequence[int], recipe: Path, common: Changes
) -> list[Variant]:
    """Each network, named or taken from a recipe, with each seed.

    Raises
    ------
    RecipeError
        A name that no network has, or a recipe at another rate than the networks.
    """
    base = read_recipe(recipe)
    found = []
    for seed in seeds:
        for name in names:
            network = {} if name == base.network.family else of_network(base, name)
            label = label_of(name)
            changes = {
                **common, **ALIKE, **network, "bundle.name": label, "training.seed": seed,
                "bundle.description": f"{label} for the words of {base.bundle.name}, to compare",
            }  # fmt: skip
            found.append(Variant(f"{label}-{seed}", changes, {"network": label}))
    return found


def table(values: Sequence[dict[str, Any]]) -> Table:
    """A row for each network and seed: what it costs and misses, and the false alarms."""
    rows = []
    for v in values:
        alarms = row_of(v, TARGET_FA_PER_HOUR, CONDITIONS[0])
        rows.append((
            v["network"], f"{v['seed']}", f"{v['rounds']}", f"{v['parameters']:,}",
            f"{v['flops_per_window'] / 1e6:.2f}",
            *missed_of(v),
            f"{alarms['alarms_all_words']} in {alarms['hours']:.2f} h",
            f"{v['training_s'] / 3600:.1f} h",
        ))  # fmt: skip
    header = ("network", "seed", "rounds", "parameters", "MFLOP a window",
              *missed_headers(), "false alarms, all words", "trained for")  # fmt: skip
    return Table(header, tuple(rows))
