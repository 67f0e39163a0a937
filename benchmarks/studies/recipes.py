"""Recipes of a study: the run made shorter."""

from __future__ import annotations

from pathlib import Path

from wakeword.errors import RecipeError
from wakeword.training.derived import Changes
from wakeword.training.recipe import read_recipe


def shortened(base: Path, rounds: int | None) -> Changes:
    """Changes that make a run so many rounds long, mining after the same shares of it."""
    training = read_recipe(base).training
    if rounds is None or rounds == training.rounds:
        return {}
    if rounds < 1:
        raise RecipeError(f"{rounds} rounds; there must be at least 1")
    mined = sorted({max(1, round(m * rounds / training.rounds))
                    for m in training.mine_after_rounds})  # fmt: skip
    return {
        "training.rounds": rounds,
        "training.mine_after_rounds": [m for m in mined if m < rounds],
    }
