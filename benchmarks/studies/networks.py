"""Networks of the papers as wake words: trained and measured alike, each with its own front end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studies.variants import ALIKE, Variant, row_of, share_of
from wakeword.evaluation.charts import Series, intervals, new_figure, percent_axis, png
from wakeword.evaluation.conditions import Condition, Kind
from wakeword.evaluation.tables import Table
from wakeword.training.derived import Changes, label_of, of_network
from wakeword.training.recipe import read_recipe

KINDS: tuple[tuple[Kind, float], ...] = (
    ("noise", 10.0), ("noise", 5.0), ("babble", 10.0), ("clean", math.inf),
)  # fmt: skip
ALT = "What networks miss under each condition"
DISTANCES_M = ()
TARGET_FA_PER_HOUR = 0.5
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
        alarms = row_of(v, TARGET_FA_PER_HOUR, _conditions()[0])
        rows.append((
            v["network"], f"{v['seed']}", f"{v['rounds']}", f"{v['parameters']:,}",
            f"{v['flops_per_window'] / 1e6:.2f}",
            *(share_of(v, TARGET_FA_PER_HOUR, c) for c in _conditions()),
            f"{alarms['alarms_all_words']} in {alarms['hours']:.2f} h",
            f"{v['training_s'] / 3600:.1f} h",
        ))  # fmt: skip
    header = ("network", "seed", "rounds", "parameters", "MFLOP a window",
              *(f"missed, {c}" for c in _conditions()), "false alarms, all words",
              "trained for")  # fmt: skip
    return Table(header, tuple(rows))


def picture(values: Sequence[dict[str, Any]]) -> bytes:
    """What each network misses under each condition."""
    figure = new_figure(9.0, 5.0)
    axes = figure.add_subplot()
    found = [[row_of(v, TARGET_FA_PER_HOUR, c) for c in _conditions()] for v in values]
    series = [
        Series(v["variant"], [(r["frr"], r["frr_low"], r["frr_high"]) for r in rows])
        for v, rows in zip(values, found, strict=True)
    ]
    intervals(axes, _conditions(), series)
    percent_axis(axes)
    axes.set_title(f"mean of words at {TARGET_FA_PER_HOUR:g} false alarms per hour and word")
    return png(figure)


def _conditions() -> list[str]:
    return [Condition(kind, snr_db).name for kind, snr_db in KINDS]
