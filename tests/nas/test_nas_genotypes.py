"""Genotype files: written, read, drawn at random, and refused before any long work."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from bundles import tiny_metadata
from commands_recipe import write_commands_recipe
from hypothesis import given
from hypothesis import strategies as st
from inprocess import run

from wakeword.errors import ConfigError, RecipeError
from wakeword.networks import NETWORKS, build
from wakeword.networks.nas.genotype import random_genotype, read_genotype, write_genotype
from wakeword.runtime.bundle import Bundle, describe_model
from wakeword.training.derived import derive
from wakeword.training.export import check_parity, export_onnx
from wakeword.training.recipe import read_recipe

Capture = pytest.CaptureFixture[str]
Change = Callable[[dict[str, Any]], object]


@given(st.integers(), st.sampled_from(["nas1", "nas2"]))
def test_random_cells_are_genotypes(seed: int, operations: str) -> None:
    g = random_genotype(operations, rng=random.Random(seed))
    assert all(len(node) == 2 for cell in g.cells.values() for node in cell)
    assert g == random_genotype(operations, rng=random.Random(seed))


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    g = random_genotype("nas2", rng=random.Random(1))
    write_genotype(tmp_path / "g.json", g)
    assert read_genotype(tmp_path / "g.json") == g


BAD: dict[str, tuple[Change, str]] = {
    "unknown operation": (
        lambda t: t["genotype"]["normal"][1].__setitem__(0, ["conv-9x9", 0]),
        r"normal, node 3: unknown operation 'conv-9x9'; there are: skip, avg-pool-3x3",
    ),
    "operation of the other set": (
        lambda t: t["genotype"]["normal"][0].__setitem__(0, ["conv-3x3", 0]),
        r"normal, node 2: unknown operation 'conv-3x3'",
    ),
    "no connection": (
        lambda t: t["genotype"]["reduction"][0].__setitem__(0, ["zero", 0]),
        r"reduction, node 2: unknown operation 'zero'",
    ),
    "too few nodes": (
        lambda t: t["genotype"]["normal"].pop(),
        r"normal: 3 nodes, but a cell has 4",
    ),
    "edge from a later node": (
        lambda t: t["genotype"]["normal"][0].__setitem__(0, ["skip", 4]),
        r"normal, node 2: an edge from node 4, but it must be from 0 to 1",
    ),
    "two edges from one node": (
        lambda t: t["genotype"]["normal"].__setitem__(0, [["skip", 1], ["skip", 1]]),
        r"normal, node 2: two edges from the same node",
    ),
    "no edge": (
        lambda t: t["genotype"]["normal"].__setitem__(2, []),
        r"normal, node 4: 0 edges, but there must be 1 to 4",
    ),
    "unknown set": (
        lambda t: t["genotype"].__setitem__("operations", "nas3"),
        r"unknown operations 'nas3'; there are: nas1, nas2",
    ),
    "newer": (lambda t: t.__setitem__("schema_version", 2), r"schema_version = 2 is newer than 1"),
    "older": (lambda t: t.__setitem__("schema_version", 0), r"schema_version = 0"),
    "unknown key": (lambda t: t.__setitem__("cells", 6), r"unknown key 'cells'"),
    "edge of one part": (
        lambda t: t["genotype"]["normal"][0].__setitem__(0, ["skip"]), r"must have 2 values"),
    "not a list": (lambda t: t["genotype"].__setitem__("normal", "skip"), r"is not a list"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_genotype_is_refused(name: str, tmp_path: Path) -> None:
    change, says = BAD[name]
    g = random_genotype("nas1", rng=random.Random(1)).to_dict()
    table = {"schema_version": 1, "genotype": copy.deepcopy(g)}
    change(table)
    path = tmp_path / "g.json"
    path.write_text(json.dumps(table), "utf-8")
    with pytest.raises(ConfigError, match=says):
        read_genotype(path)


def recipe_with(folder: Path, genotype: str) -> Path:
    old = 'family = "crnn"\nparameters = { filters = 8, recurrent_units = 8, ' \
          "recurrent_layers = 1, hidden = 16 }"
    new = 'family = "nas"\nparameters = { genotype = "' + genotype + '", cells = 3, channels = 2 }'
    return write_commands_recipe(folder, old, new)


def test_a_recipe_holds_the_cells_of_the_file_that_it_names(tmp_path: Path) -> None:
    recipe = recipe_with(tmp_path, "cells/g.json")
    g = random_genotype("nas1", rng=random.Random(2))
    (tmp_path / "cells").mkdir()
    write_genotype(tmp_path / "cells" / "g.json", g)
    own = read_recipe(recipe)
    assert own.network.parameters["genotype"] == g.to_dict()
    other = derive(recipe, {"network.parameters.channels": 4}, tmp_path / "other" / "r.toml")
    (tmp_path / "cells" / "g.json").unlink()
    again = read_recipe(other)  # from elsewhere, and without the file
    assert again.network.parameters == {**own.network.parameters, "channels": 4}
    with pytest.raises(RecipeError, match=r"network.parameters.genotype: cannot read .*g.json"):
        read_recipe(recipe)


def test_training_refuses_a_bad_genotype_at_once(capsys: Capture, tmp_path: Path) -> None:
    recipe = recipe_with(tmp_path, "g.json")
    table = {"schema_version": 1, "genotype": {"operations": "nas1", "normal": [[["mlp", 0]]] * 4,
                                               "reduction": [[["skip", 0]]] * 4}}  # fmt: skip
    (tmp_path / "g.json").write_text(json.dumps(table), "utf-8")
    done = run(capsys, "train", recipe, "--run", tmp_path / "run", "--out", tmp_path / "out")
    assert done.code == 2 and "unknown operation 'mlp'" in done.err
    assert not (tmp_path / "run").exists() and not (tmp_path / "out").exists()


def test_a_window_that_cannot_be_halved_so_often_is_refused() -> None:
    table = {"genotype": random_genotype("nas1", rng=random.Random(1)).to_dict(), "cells": 12}
    with pytest.raises(RecipeError, match=r"4 reduction cells need at least 16 frames and chan"):
        build("nas", table, 49, 10, 4)


@pytest.mark.parametrize(("change", "says"), [
    ({"cells": 0}, r"cells = 0 must be between 1 and 60"),
    ({"channels": 5000}, r"channels = 5000"),
    ({"reductions": [6]}, r"reductions = \[6\] must be from 0 to 5"),
    ({"cells": 60}, r"16 channels, doubled 20 times, are more than 2048"),
    ({"dropout": 1.0}, r"dropout = 1.0"),
])  # fmt: skip
def test_impossible_sizes_are_refused(change: dict[str, object], says: str) -> None:
    table = {"genotype": random_genotype("nas1", rng=random.Random(1)).to_dict(), **change}
    with pytest.raises(RecipeError, match=says):
        build("nas", table, 98, 40, 4)


@pytest.mark.parametrize("operations", ["nas1", "nas2"])
def test_a_network_of_cells_streams_as_it_was_trained(operations: str, tmp_path: Path) -> None:
    named = NETWORKS["cnn-s"]  # for its front end: of few frames and coefficients
    metadata = tiny_metadata(frontend=named.frontend, window_frames=named.frames)
    frames, channels = named.frames, named.channels
    torch.manual_seed(1)
    g = random_genotype(operations, rng=random.Random(3))
    table = {"genotype": g.to_dict(), "cells": 6, "channels": 3}
    model = build("nas", table, frames, channels, len(metadata.labels)).train()
    with torch.no_grad():
        for _ in range(10):
            model(20.0 * torch.randn(4, frames, channels) - 10.0)
    onnx = export_onnx(model.eval(), frames, channels)
    assert check_parity(model, Bundle(tmp_path, describe_model(metadata, onnx), onnx)) < 1e-4
