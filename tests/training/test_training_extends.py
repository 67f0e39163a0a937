"""Recipes that extend another: what they take from it, what not, and what is kept of both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tone_recipe import RECIPE

from wakeword.errors import RecipeError
from wakeword.training.derived import derive
from wakeword.training.recipe import read_recipe
from wakeword.training.recipe_file import self_contained


def child(folder: Path, rest: str = "", base: str = "recipe.toml") -> Path:
    path = folder / "child.toml"
    path.write_text(f'# Mine.\nextends = "{base}"\n\n[bundle]\nname = "mine"\n{rest}', "utf-8")
    return path


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.replace("[bundle]", '[bundle]\nversion = "3.2.1"'), "utf-8")
    return path


def test_only_what_is_said_differs(base: Path) -> None:
    old = read_recipe(base)
    new = read_recipe(child(base.parent, '[data.licences]\nmore = "CC0"\n[training]\nrounds = 9\n'))
    assert new == replace(
        old,
        bundle=replace(old.bundle, name="mine", version="1.0.0"),
        data=replace(old.data, licences={**old.data.licences, "more": "CC0"}),
        training=replace(old.training, rounds=9),
    )


def test_lists_stand_as_a_whole(base: Path) -> None:
    new = read_recipe(child(base.parent, 'words = ["low tone"]\n'))
    assert new.bundle.words == ("low tone",)


def test_paths_are_seen_from_the_recipe_that_is_read(base: Path) -> None:
    base.write_text(base.read_text("utf-8").replace(
        "[training]", '[training]\nstart = "../first"\nteachers = ["one", "/two"]\ntaught = 0.5'))
    inside = base.parent / "deep" / "down"
    inside.mkdir(parents=True)
    new = read_recipe(child(inside, base="../../recipe.toml"))
    assert new.data.manifest == "../../manifest.csv"
    assert new.training.start == "../../../first"
    assert new.training.teachers == ("../../one", "/two")


def test_what_is_kept_of_it_needs_no_other_file(base: Path, tmp_path: Path) -> None:
    path = child(base.parent, "[frontend.pcen]\ndelta = 0.5\n")
    text, recipe = self_contained(path), read_recipe(path)
    assert text.startswith("# Mine.\n# Written out: it extends recipe.toml.\n")
    base.unlink()
    path.write_text(text, "utf-8")
    assert read_recipe(path) == recipe and recipe.frontend.pcen.delta == 0.5
    assert self_contained(path) == text


def test_one_that_extends_nothing_is_kept_with_all_its_comments(base: Path) -> None:
    base.write_text(base.read_text("utf-8") + "# The end.\n")
    assert self_contained(base) == base.read_text("utf-8")


def test_recipes_are_derived_from_it_too(base: Path, tmp_path: Path) -> None:
    path = child(base.parent)
    made = read_recipe(derive(path, {"training.rounds": 5}, tmp_path / "out" / "derived.toml"))
    assert (made.bundle.name, made.training.rounds) == ("mine", 5)
    assert made.data.manifest == str(base.parent.resolve() / "manifest.csv")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('extends = "nobody.toml"\n', "nobody.toml"),
        ('extends = "child.toml"\n', "extends itself"),
        ("extends = 3\n", "3 is not the path"),
        ('extends = "recipe.toml"\n', "name"),
        ('extends = "recipe.toml"\nbundle = 3\n', "recipe.bundle must be a table, not 3"),
        ('extends = "recipe.toml"\n[data]\nmanifest = 3\n[bundle]\nname = "a"\n', "3 is not a str"),
        ('extends = "recipe.toml"\nexpands = 1\n', "unknown key 'expands'"),
    ],
)
def test_wrong_ones_say_what_is_wrong(base: Path, text: str, says: str) -> None:
    path = base.parent / "child.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(RecipeError) as caught:
        read_recipe(path)
    assert says.replace("recipe.bundle", f"recipe {path}.bundle") in str(caught.value)


def test_a_ring_and_a_long_chain_end(base: Path) -> None:
    one, two = base.parent / "one.toml", base.parent / "two.toml"
    one.write_text('extends = "two.toml"\n')
    two.write_text('extends = "one.toml"\n')
    with pytest.raises(RecipeError, match="extends itself"):
        read_recipe(one)
    last = base
    for number in range(9):
        path = base.parent / f"{number}.toml"
        path.write_text(f'extends = "{last.name}"\n[bundle]\nname = "n{number}"\n')
        last = path
    assert read_recipe(base.parent / "6.toml").bundle.name == "n6"
    with pytest.raises(RecipeError, match="more than 8"):
        read_recipe(base.parent / "7.toml")
