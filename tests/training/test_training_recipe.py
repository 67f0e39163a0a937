"""Recipes: the shipped ones are whole, wrong ones are refused before any work."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tone_recipe import RECIPE

from wakeword.errors import RecipeError
from wakeword.tables import from_table
from wakeword.training.recipe import Recipe, TrainingSection, read_recipe


def test_the_shipped_recipes_can_be_read(repository: Path) -> None:
    recipes = sorted((repository / "models").glob("*/recipe.toml"))
    assert recipes
    for path in recipes:
        recipe = read_recipe(path)
        assert recipe.bundle.name == path.parent.name
        assert recipe.bundle.licence
        assert "wuw2" in recipe.data.exclude_corpora or "SA" in recipe.bundle.licence


def test_the_recipes_that_are_compared_can_be_read(repository: Path) -> None:
    recipes = sorted((repository / "benchmarks" / "recipes").rglob("*.toml"))
    assert recipes
    for path in recipes:
        names = {path.stem, path.parent.name, "commands"}
        assert read_recipe(path).bundle.name.replace(" ", "-") in names


def test_to_dict_and_back() -> None:
    recipe = from_table(Recipe, tomllib.loads(RECIPE), "recipe")
    assert from_table(Recipe, recipe.to_dict(), "recipe") == recipe


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("rounds = 4", "rouns = 4", "unknown key 'rouns'"),
        ("rounds = 4", "rounds = 0", "rounds = 0"),
        ("rounds = 4", "rounds = 'four'", "'four' is not a int"),
        ("average = 0.9", "average = nan", "not a finite number"),
        ("average = 0.9", "learning_rate = 3.0", "learning_rate = 3.0"),
        ('name = "tones"', 'name = "../tones"', "'../tones'"),
        ('name = "tones"', "", "name"),
        ('words = ["low tone", "high tone"]', "words = []", "at least one word"),
        ('words = ["low tone", "high tone"]', 'words = ["a:b"]', "'a:b'"),
        ('words = ["low tone", "high tone"]', 'words = ["Alexa"]', "'Alexa'"),
        ('words = ["low tone", "high tone"]', 'words = ["background"]', "background"),
        ("snr_db = [5.0, 20.0]", "snr_db = [20.0, 5.0]", "snr_db = [20.0, 5.0]"),
        ("snr_db = [5.0, 20.0]", "snr_db = [5.0]", "must have 2 values"),
        ("rooms = 2", "rooms = -1", "rooms = -1"),
        ('manifest = "manifest.csv"', "manifest = 3", "3 is not a str"),
        ("[scenes]", "[frontend]\nsample_rate = 8_000\n[scenes]", "at most half the sample rate"),
        (
            "[scenes]",
            "[frontend]\nsample_rate = 48_000\n[windows]\nframes = 1200\n[scenes]",
            "has only 958 frames",
        ),
        ("[scenes]", "[windows]\nframes = 400\n[scenes]", "has only 318 frames"),
        ("[scenes]", "[scnes]", "unknown key 'scnes'"),
        ("[scenes]", "[scenes", "cannot be read"),
    ],
)
def test_wrong_recipes_say_what_is_wrong(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / "recipe.toml"
    assert old in RECIPE
    path.write_text(RECIPE.replace(old, new), encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        read_recipe(path)
    assert says in str(caught.value)


def test_a_recipe_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"none\.toml"):
        read_recipe(tmp_path / "none.toml")


def test_learning_rate_follows_its_schedule() -> None:
    drop = TrainingSection(schedule="drop")
    assert [drop.learning_rate_at(s) for s in (0.0, 0.59, 0.6, 1.0)] == [1e-3, 1e-3, 3e-4, 3e-4]
    cosine = TrainingSection(schedule="cosine", final_learning_rate=1e-5)
    assert cosine.learning_rate_at(0.0) == pytest.approx(1e-3)
    assert cosine.learning_rate_at(0.5) == pytest.approx((1e-3 + 1e-5) / 2)
    assert cosine.learning_rate_at(1.0) == pytest.approx(1e-5)
