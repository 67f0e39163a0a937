"""Found against random cells: as large, trained alike, judged as scipy judges; gone on with."""

from __future__ import annotations

import csv
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from nas_recipe import write_nas_recipe
from scipy import stats
from scripts import script

from wakeword.errors import ConfigError
from wakeword.networks import build, parameter_count
from wakeword.networks.nas.cells import Stack
from wakeword.networks.nas.genotype import Genotype, random_genotype, read_genotype
from wakeword.training.nas.comparison import run_name
from wakeword.training.nas.contenders import FOUND, Contender, contender, drawn_beside
from wakeword.training.nas.verdict import Scored, scored, sentence, verdict
from wakeword.training.recipe import Recipe, read_recipe

PNG = b"\x89PNG\r\n"
STACK = Stack(3, 4)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    return read_recipe(write_nas_recipe(tmp_path_factory.mktemp("tones")))


def test_random_cells_are_as_large_as_the_found_ones(recipe: Recipe) -> None:
    genotype = random_genotype("nas1", (3,), rng=random.Random(9))
    found = contender(FOUND, genotype, STACK, recipe)
    drawn = drawn_beside(found, genotype, (3,), STACK, recipe, 4, 0.1, 1)
    assert [c.name for c in drawn] == ["random 1", "random 2", "random 3", "random 4"]
    assert all(abs(c.parameters - found.parameters) <= 0.1 * found.parameters for c in drawn)
    assert drawn[:2] == drawn_beside(found, genotype, (3,), STACK, recipe, 2, 0.1, 1)
    assert drawn != drawn_beside(found, genotype, (3,), STACK, recipe, 4, 0.1, 2)
    assert len({run_name(c, 1) for c in drawn}) == 4


def test_the_cells_of_the_search_in_the_docs_are_kept(repository: Path) -> None:
    recipe = read_recipe(repository / "benchmarks" / "recipes" / "nas1" / "recipe.toml")
    genotype = read_genotype(repository / "benchmarks" / "recipes" / "nas1" / "genotype.json")
    compared = contender(FOUND, genotype, Stack(6, 8), recipe)
    assert f"| found | {compared.parameters:,} | {compared.flops / 1e6:.2f} |" in (
        repository / "docs" / "nas.md"
    ).read_text("utf-8")
    r = recipe
    network = build(r.network.family, r.network.parameters, r.windows.frames, 10, len(r.labels))
    assert parameter_count(network) == 21_997  # its row in docs/networks.md


def test_too_few_of_the_size_are_an_error(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wakeword.training.nas.contenders._MOST_DRAWN", 5)
    cell = ((("skip", 0),),) * 4
    nothing = Genotype("nas1", cell, cell)
    found = contender(FOUND, nothing, STACK, recipe)
    with pytest.raises(ConfigError, match="of 5 random cells only 0 make a network of"):
        drawn_beside(found, nothing, (3,), STACK, recipe, 2, 0.0, 1)


def test_the_verdict_is_welch_s() -> None:
    names = (FOUND, "random 1", "random 2", "random 3")
    values = ((0.93, 0.94, 0.95), (0.90, 0.92, 0.91), (0.94, 0.96, 0.95), (0.89, 0.90, 0.91))
    rows = [Scored(Contender(n, {}, 1, 1), v) for n, v in zip(names, values, strict=True)]
    judged = verdict(rows)
    means = [np.mean(v) for v in values[1:]]
    interval = stats.ttest_ind(values[0], means, equal_var=False).confidence_interval()
    assert judged.difference == pytest.approx(tuple(interval))
    assert (judged.found, judged.random) == pytest.approx((0.94, np.mean(means)))
    assert (judged.beaten, judged.randoms) == (2, 3)
    assert sentence(judged).startswith("found 94.00 %, random 92.00 % on average: +2.00 points (95")
    assert verdict(rows[:2]).difference is None
    scores = {run_name(r.contender, s): v for r in rows for s, v in enumerate(r.right)}
    assert scored([r.contender for r in rows], range(3), scores) == rows


def test_the_benchmark_compares_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, out = write_nas_recipe(tmp_path), tmp_path / "runs" / "nas"
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))
    bench = script("benchmarks/nas.py", "nas_benchmark")
    main: Callable[[], None] = bench.main
    arguments = ["nas.py", "--manifest", str(tmp_path / "manifest.csv"), "--recipe", str(recipe),
                 "--cells", "3", "--search-channels", "2", "--epochs", "1", "--scenes", "32",
                 "--channels", "2", "--rounds", "2", "--round-scenes", "16", "--random", "2",
                 "--within", "0.5", "--seeds", "1", "--split", "dev", "--workers", "0",
                 "--jobs", "1", "--out", str(out)]  # fmt: skip
    monkeypatch.setattr(sys, "argv", arguments)
    main()
    said = capsys.readouterr()
    assert "better than" in said.out and "random 2" in said.out
    with (out / "comparison.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["cells"] for r in rows] == ["found", "random 1", "random 2"]
    assert (out / "comparison.png").read_bytes().startswith(PNG)
    record = json.loads((out / "comparison.json").read_text("utf-8"))
    assert record["contenders"][0]["network"]["genotype"] == json.loads(
        (out / "genotype.json").read_text("utf-8")
    )["genotype"]  # fmt: skip
    (journal,) = out.glob("comparison-*/scores.jsonl")
    before = journal.read_bytes()
    main()
    assert capsys.readouterr().out == said.out
    assert journal.read_bytes() == before  # nothing is trained twice
