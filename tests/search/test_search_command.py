"""``wakeword search``: what fits is listed, tabled and drawn, and nothing that does not."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from inprocess import run

from wakeword.networks import build, flops_per_window, memory

Capture = pytest.CaptureFixture[str]
PNG = b"\x89PNG\r\n"


def test_what_fits_is_tabled_and_drawn(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "found"
    done = run(capsys, "search", "--budget", "small", "--family", "gru", "--family", "dnn",
               "--labels", "9", "--out", out, "--json")  # fmt: skip
    assert done.code == 0
    assert "of 276 networks fit" in done.err
    with (out / "search.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = json.loads((out / "search.json").read_text("utf-8"))
    assert kept["looked_at"] == 276 and len(kept["rows"]) == len(rows) > len(done.records) > 0
    assert {r["family"] for r in rows} == {"gru", "dnn"}
    assert (out / "search.png").read_bytes().startswith(PNG)
    for record in (*done.records[:3], *kept["rows"][-3:]):
        assert record["memory_bytes"] <= 80 * 1024 and record["operations"] <= 6_000_000
        table = record["network_parameters"]
        model = build(record["network"], table, record["frames"], record["coefficients"], 9)
        assert memory(model).total == record["memory_bytes"]
        assert flops_per_window(model) == record["operations"]


def test_the_same_search_gives_the_same_files(capsys: Capture, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert run(capsys, "search", "--family", "basic-lstm", "--out", tmp_path / name).code == 0
    for file in ("search.csv", "search.json", "search.png"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_budget_that_nothing_fits_into_is_refused(capsys: Capture, tmp_path: Path) -> None:
    done = run(capsys, "search", "--family", "gru", "--memory-kb", "1", "--out", tmp_path / "no")
    assert done.code == 2 and done.out == ""
    assert "nothing fits into 1,024 bytes and 6,000,000 operations" in done.err
    assert "nearest takes 15,686 bytes and 711,936 operations" in done.err
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--family", "transformer"], "unknown family 'transformer'"),
        (["--memory-kb", "0"], "memory-kb"),
        (["--operations", "nan"], "operations"),
        (["--budget", "huge"], "small"),
        (["--labels", "1"], "labels"),
    ],
)
def test_impossible_searches_are_refused(
    capsys: Capture, tmp_path: Path, arguments: list[str], says: str
) -> None:
    done = run(capsys, "search", *arguments, "--out", tmp_path / "no")
    assert done.code == 2 and says in done.err
    assert not (tmp_path / "no").exists()
