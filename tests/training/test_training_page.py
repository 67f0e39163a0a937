"""docs/training.md: its keys are those of the program, its examples work."""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
import soundfile
from scripts import script
from tiny_corpus import RATE

from wakeword.data.manifest import COLUMNS, read_manifest
from wakeword.networks import parameter_count
from wakeword.networks.crnn import Crnn, CrnnConfig
from wakeword.tables import from_table
from wakeword.training.recipe import Recipe, read_recipe


@pytest.fixture(scope="module")
def recipe_table() -> ModuleType:
    return script("tools/recipe_table.py")


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "training.md").read_text("utf-8")


def whole_recipe(page: str) -> str:
    """The one example that is a recipe by itself."""
    (found,) = [text for text in blocks(page, "toml") if "words = " in text]
    return found


def blocks(page: str, language: str) -> list[str]:
    """All examples in ``language``."""
    return [str(b) for b in re.findall(rf"^```{language}\n(.*?)^```", page, re.M | re.S)]


def test_what_is_shown_to_be_added_to_a_recipe_can_be(page: str) -> None:
    whole = whole_recipe(page)
    added = [part for part in blocks(page, "toml") if "more_manifests" in part]
    assert len(added) >= 2
    for part in added:
        recipe = tomllib.loads(whole)
        recipe["data"] |= tomllib.loads(part)["data"]
        made = from_table(Recipe, recipe, "recipe")
        assert set(made.data.licences) > {"mine"} and made.data.more_manifests


def test_the_tables_of_keys_are_current(recipe_table: ModuleType, page: str) -> None:
    assert recipe_table.training_page() == page, "run: python3 dev.py docs"


def tables_of(cls: type[Any], name: str = "") -> dict[str, type[Any]]:
    """Every table that a recipe may have."""
    found = {name: cls} if name else {}
    hints = get_type_hints(cls)
    for field in fields(cls):
        hint = hints[field.name]
        for inner in (hint, *get_args(hint)):  # a table that may be missing: ``Table | None``
            if is_dataclass(inner) and isinstance(inner, type):
                found |= tables_of(inner, f"{name}.{field.name}".strip("."))
    return found


def test_every_table_of_a_recipe_has_its_keys_listed(recipe_table: ModuleType, page: str) -> None:
    expected = {**tables_of(Recipe), "network.parameters": CrnnConfig}
    listed = {name: cls for name, (cls, _) in recipe_table.SECTIONS.items()}
    assert listed == expected
    for name, cls in expected.items():
        (body,) = re.findall(rf"^### `\[{re.escape(name)}\]`\n(.*?)(?=^### |<!-- end)", page,
                             re.M | re.S)  # fmt: skip
        assert re.findall(r"^\| `(\w+)` ", body, re.M) == [f.name for f in fields(cls)]


def test_a_key_without_a_meaning_is_noticed(
    recipe_table: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    cls, meanings = recipe_table.SECTIONS["detection"]
    without = {k: v for k, v in meanings.items() if k != "refractory_s"}
    monkeypatch.setattr(recipe_table, "SECTIONS", {"detection": (cls, without)})
    with pytest.raises(SystemExit, match="refractory_s"):
        list(recipe_table.sections())


def test_the_example_recipe_is_one(page: str, tmp_path: Path) -> None:
    path = tmp_path / "kitchen.toml"
    path.write_text(whole_recipe(page), encoding="utf-8")
    recipe = read_recipe(path)
    assert recipe.bundle.words == ("hey kitchen",)
    assert set(recipe.data.noise_corpora) < set(recipe.data.licences)
    assert max(recipe.training.mine_after_rounds) < recipe.training.rounds
    (further,) = [text for text in blocks(page, "toml") if "extends" in text]
    (tmp_path / "far.toml").write_text(further, encoding="utf-8")
    other = read_recipe(tmp_path / "far.toml")
    assert (other.bundle.name, other.data.rooms) == ("kitchen-far", 2000)
    assert other.training == recipe.training


def test_the_example_that_writes_a_manifest_does(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, samples in (("train/mine/hey kitchen/anna-1", 24_000), ("dev/noise/fan/-1", 8000)):
        path = tmp_path / f"{name}.wav"
        path.parent.mkdir(parents=True)
        soundfile.write(path, np.zeros(samples), RATE)
    monkeypatch.chdir(tmp_path)
    (script,) = blocks(page, "python")
    exec(compile(script, "training.md", "exec"), {})
    noise, clip = read_manifest(tmp_path / "recordings.csv")
    assert (clip.corpus, clip.text, clip.speaker, clip.split) == (
        "mine", "hey kitchen", "anna", "train")  # fmt: skip
    assert clip.seconds == 1.5 and math.isnan(clip.word_start_s)
    assert (noise.text, noise.speaker, noise.split) == ("fan", "", "dev")


def test_the_columns_of_a_manifest_are_all_explained(page: str) -> None:
    section = page.partition("## The manifest")[2].partition("```")[0]
    assert [c for c in COLUMNS if f"`{c}`" not in section] == []


def test_what_it_says_of_table_1_is_so(page: str) -> None:
    row = re.compile(
        r"^\| (\d+) \| \((\d+),(\d+)\) \| \((\d+),(\d+)\) \| (\d+) \| (\d+) \| (\w+) \| (\d+) "
        r"\| \d+k \| ([\d,]+) \| (N_\w) = (\d+): ([\d,]+) \|$", re.M
    )  # fmt: skip
    rows = row.findall(page)
    assert len(rows) == 3
    keys = {"N_F": "hidden", "N_R": "recurrent_units"}
    for filters, lt, lf, st, sf, layers, units, unit, hidden, ours, key, value, instead in rows:
        values: dict[str, Any] = {
            "filters": int(filters), "kernel": (int(lt), int(lf)), "stride": (int(st), int(sf)),
            "recurrent_layers": int(layers), "recurrent_units": int(units),
            "recurrent_unit": unit, "hidden": int(hidden),
        }  # fmt: skip
        assert count(values) == int(ours.replace(",", ""))
        assert count({**values, keys[key]: int(value)}) == int(instead.replace(",", ""))
    for number, labels in (("229,474", 2), ("229,864", 8)):
        assert number in page and count({}, labels) == int(number.replace(",", ""))


def count(values: dict[str, Any], labels: int = 2) -> int:
    return parameter_count(Crnn(CrnnConfig(**values), 151, 40, labels))
