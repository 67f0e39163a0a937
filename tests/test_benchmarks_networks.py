"""The bench of networks: costs without training, and figures of those that were trained."""

from __future__ import annotations

import csv
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands_recipe import write_commands_recipe
from run_notes import Notes
from scripts import run_script, script

from wakeword.runtime import Bundle, write_bundle
from wakeword.runtime.bundle import describe_model
from wakeword.runtime.metadata import BundleMetadata
from wakeword.training.derived import derive, of_network
from wakeword.training.recipe import read_recipe
from wakeword.training.run import TrainingRun


def bench(repository: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run_script(repository / "benchmarks" / "networks.py", *arguments)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds of a network of a paper on a tiny command set, and wake-word figures beside."""
    folder = tmp_path_factory.mktemp("bench")
    base = write_commands_recipe(folder)
    network = of_network(read_recipe(base), "dnn-s")
    for seed in (1, 2):
        to = folder / "runs" / f"dnn-s-{seed}"
        changes = {**network, "training.seed": seed, "training.rounds": 1}
        run = TrainingRun(derive(base, changes, to / "recipe.toml"), to, 0, Notes())
        run.run()
        made = run.bundle()
        write_bundle(to / "bundle", made.model, made.metadata, "# x\n")
        write_bundle(to / "bundle-int8", made.model, as_finetuned(made), "# x\n")
    for seed, frr in ((1, 0.25), (2, 0.5)):
        row = {"target_fa_per_hour": 0.5, "condition": "noise at 10 dB SNR", "frr": frr,
               "frr_low": 0.1, "frr_high": 0.6, "clips": 8}  # fmt: skip
        words = folder / "words" / f"dnn-s-{seed}"
        words.mkdir(parents=True)
        told = {"network": "dnn-s", "rounds": 3, "rows": [{**row, "condition": "clean"}, row]}
        (words / "measured.json").write_text(json.dumps(told), "utf-8")
    return folder


def as_finetuned(bundle: Bundle) -> BundleMetadata:
    """As ``wakeword quantize --finetune`` describes what it makes of ``bundle``."""
    m = bundle.metadata
    made = {"of": {"sha256": bundle.sha256}, "finetuned": {"rounds": 1}}
    training = replace(m.training, recipe={**m.training.recipe, "quantisation": made})
    return replace(m, training=training)


def test_costs_need_no_training_and_trained_networks_are_measured_once(
    repository: Path, trained: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Networks\n", "utf-8")
    given = ("--networks", "dnn-s", "gru-s", "--manifest", trained / "manifest.csv", "--split",
             "dev", "--commands", trained / "runs", "--wake-words", trained / "words", "--out",
             tmp_path / "out", "--document", page, "--bundle",
             repository / "models" / "seven-one")  # fmt: skip
    done = bench(repository, *given)
    assert done.returncode == 0, done.stderr
    assert "no accuracy of 2 networks: gru-s, seven-one" in done.stderr
    values = json.loads((tmp_path / "out" / "networks.json").read_text("utf-8"))
    dnn, gru, seven = values["networks"]
    assert (dnn["parameters"], dnn["printed_accuracy"]) == (79_644, 0.846)
    assert dnn["int8_kib"] < 0.4 * dnn["kib"] and gru["int8_float_share"] > 0.9
    assert gru["int8_in_float"] == {"GRU": 1} and gru["commands"] is None
    for one in (dnn, gru):
        assert one["window_ms"] > 0.0 and one["stream_beside_crnn"] > 0.0
    points = Bundle.load(repository / "models" / "seven-one").metadata.operating_points.values()
    assert seven["wake_word"]["frr"] == pytest.approx(np.mean([p.at(0.5).frr for p in points]))
    assert 0.3 < seven["window_beside_crnn"] < 3.0  # beside itself
    commands, words = dnn["commands"], dnn["wake_word"]
    assert commands["seeds"] == 2 and commands["float"]["spread"] is not None
    for key in ("float", "int8"):
        figures = commands[key]
        assert 0.0 <= figures["low"] <= figures["accuracy"] <= figures["high"] <= 1.0
    assert commands["int8"] == {**commands["float"], "finetuned": True}  # the same network here
    assert (words["seeds"], words["frr"], words["low"], words["high"]) == (2, 0.375, 0.25, 0.5)
    with open(tmp_path / "out" / "networks.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["network"] for r in rows] == ["dnn-s", "gru-s", "seven-one"]
    assert rows[1]["wake_word_frr"] == ""
    assert (tmp_path / "out" / "networks.png").read_bytes().startswith(b"\x89PNG")
    text = page.read_text("utf-8")
    assert ") finetuned |" in text
    assert "| gru-s " in text and "37.5 % (25.0 to 50.0)" in text
    assert (tmp_path / "figures" / "networks.png").exists()

    again = bench(repository, *given)
    assert again.returncode == 0 and again.stdout == done.stdout
    assert "timing" not in again.stderr and "measuring" not in again.stderr

    # Elsewhere, where no run and no bundle is: the page says what it said, and nothing is timed.
    page_alone = bench(repository, "--networks", "dnn-s", "gru-s", "--document", page, "--out",
                       tmp_path / "elsewhere")  # fmt: skip
    assert page_alone.returncode == 0 and "timing" not in page_alone.stderr
    assert page_alone.stdout == done.stdout and page.read_text("utf-8") == text


def test_how_often_a_set_is_right_is_written_into_its_page(
    repository: Path, trained: Path, tmp_path: Path
) -> None:
    page, script = tmp_path / "commands.md", repository / "benchmarks" / "write_docs.py"
    section = "<!-- begin commands -->\nold\n<!-- end commands -->"
    page.write_text(f"before\n\n{section}\n\nafter\n", "utf-8")
    manifest = trained / "as-test.csv"
    listed = (trained / "manifest.csv").read_text("utf-8")
    manifest.write_text(listed.replace(",dev,", ",test,"), "utf-8")
    given = ("commands", "--manifest", manifest, "--document", page, "--model")
    refused = run_script(script, *given, repository / "models" / "seven-one")
    assert refused.returncode == 1 and "is not a command set" in refused.stderr
    assert "\nold\n" in page.read_text("utf-8")
    bundle = Bundle.load(trained / "runs" / "dnn-s-1" / "bundle")
    done = run_script(script, *given, bundle.path)
    assert done.returncode == 0, done.stderr
    text = page.read_text("utf-8")
    assert text.startswith("before\n") and text.endswith("after\n") and "\nold\n" not in text
    assert f"sha256 {bundle.sha256[:12]}" in text and "| unknown " in text
    for kind in ("roc", "confusion"):
        assert f"(figures/{bundle.name}-{kind}.png)" in text
        picture = tmp_path / "figures" / f"{bundle.name}-{kind}.png"
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_page_keeps_what_only_it_knows(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published = script("benchmarks/bench/published.py", "bench_published")
    page, shipped = tmp_path / "page.md", Bundle.load(repository / "models" / "seven-one")
    assert published.Published(page, shipped).joined([]) == []
    told = published.path_of(page)
    told.parent.mkdir()
    cells = {"network": "cells", "window_ms": 2.0, "commands": None, "wake_word": {"frr": 0.1}}
    known = {"network": "dnn-s", "window_ms": 1.0, "commands": {"seeds": 3}, "wake_word": None}
    told.write_text(json.dumps(published.as_json([cells, known], shipped)), "utf-8")

    timed = {**known, "window_ms": 1.5, "commands": None, "wake_word": {"frr": 0.2}}
    same = published.Published(page, shipped)
    assert same.costs() == {"cells": {"network": "cells", "window_ms": 2.0},
                            "dnn-s": {"network": "dnn-s", "window_ms": 1.0}}  # fmt: skip
    assert same.joined([timed]) == [{**timed, "commands": {"seeds": 3}}, cells]
    remeasured = {**timed, "commands": {"seeds": 1}}
    assert same.joined([remeasured])[0] == remeasured  # what is here goes before what was said

    others = describe_model(shipped.metadata, b"another network")
    other = published.Published(page, replace(shipped, metadata=others))
    assert other.costs() == {}
    assert other.joined([timed]) == [{**timed, "commands": {"seeds": 3}}]
    assert "cells: left out, its times are beside another CRNN" in capsys.readouterr().err


def test_an_unknown_network_is_refused(repository: Path, tmp_path: Path) -> None:
    done = bench(repository, "--networks", "dnn-s", "dnn-xl", "--out", tmp_path / "out")
    assert done.returncode == 1 and "error: unknown network 'dnn-xl'" in done.stderr
    assert not (tmp_path / "out").exists()
