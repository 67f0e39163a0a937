"""The demo: the shipped model hears the words of the samples when they are said, nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile
from processes import RunCli

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
MANIFEST: dict[str, dict[str, Any]] = json.loads((SAMPLES / "manifest.json").read_text("utf-8"))
LATEST_S = 0.5
"""A detection may come this long after the end of its word: smoothing, and one step."""


@pytest.mark.parametrize("name", MANIFEST)
def test_the_shipped_models_hear_exactly_the_words_of_a_sample(run_cli: RunCli, name: str) -> None:
    model = ["--model", "commands"] if name == "commands.flac" else []
    done = run_cli("detect", SAMPLES / name, "--json", *model)
    assert done.returncode == 0, done.stderr
    heard = [json.loads(line) for line in done.stdout.splitlines()]
    said = MANIFEST[name]["words"]
    assert [d["keyword"] for d in heard] == [word["word"] for word in said]
    for detection, word in zip(heard, said, strict=True):
        assert detection["start_s"] <= word["end_s"]
        assert word["start_s"] < detection["end_s"] <= word["end_s"] + LATEST_S


def test_the_samples_are_small_and_the_manifest_lists_them_all() -> None:
    sounds = [p for p in SAMPLES.iterdir() if p.suffix == ".flac"]
    assert {p.name for p in sounds} == set(MANIFEST)
    assert sum(p.stat().st_size for p in sounds) < 400_000


@pytest.mark.parametrize("name", MANIFEST)
def test_the_times_of_the_manifest_lie_inside_the_sample(name: str) -> None:
    info = soundfile.info(SAMPLES / name)
    times = [t for word in MANIFEST[name]["words"] for t in (word["start_s"], word["end_s"])]
    assert times == sorted(times) and all(0.0 <= t <= info.duration for t in times)
