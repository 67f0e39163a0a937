"""Engines of others are measured on the same audio as ours, step by step in the same places."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scripts import run_script

from wakeword.evaluation.events import EventRules, Label, Track, Truth
from wakeword.evaluation.scoring import Clip

STEP, RATE = 1_600, 16_000
RULES = EventRules(RATE, STEP, refractory_s=1.0, tolerance_s=1.0)


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch, repository: Path) -> ModuleType:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return importlib.import_module("others")


def loudness(others: ModuleType, chunk: int) -> Any:
    """An engine whose scores are the peaks of each 10 ms: what it says can be known."""

    def scores(pcm: np.ndarray[Any, Any]) -> Iterator[float]:
        for start in range(0, len(pcm), 160):
            yield float(np.abs(pcm[start : start + 160].astype(float)).max() / 32768)

    return others.Foreign("loudness", chunk, 0, scores)


def clip(name: str, seconds: float, peaks: dict[float, float], truth: bool) -> Clip:
    samples = np.zeros(int(seconds * RATE), np.float32)
    for at_s, peak in peaks.items():
        samples[int(at_s * RATE)] = peak
    truths = (Truth("alexa", 0.0, seconds),) if truth else ()
    return Clip.of(Label(name, "corpus", name, truths, frozenset()), samples)


@pytest.mark.parametrize("chunk", [160, 1_280, 1_600])
@pytest.mark.parametrize("seconds", [0.05, 1.0, 1.2345])
def test_scores_stand_in_the_step_in_which_the_sound_was(
    others: ModuleType, chunk: int, seconds: float
) -> None:
    clips = [clip("a", seconds, {0.04: 0.5}, True), clip("b", 1.0, {0.75: 0.9}, False)]
    first, second = others.hear(loudness(others, chunk), clips, STEP)
    assert first.scored_steps == int(seconds * RATE) // STEP and second.scored_steps == 10
    assert first.label.name == "a" and first.words == ("alexa",)
    for track, at_s, peak in ((first, 0.04, 0.5), (second, 0.75, 0.9)):
        assert len(track.posteriors) > track.scored_steps, "the second after it is heard, too"
        column = track.column("alexa")
        due, late = int(at_s * RATE) // STEP, int(at_s * RATE + chunk) // STEP
        assert due <= int(column.argmax()) <= late
        assert column.max() == pytest.approx(peak, abs=1e-3)
        assert np.sort(column)[-2] < 0.01, "one sound, one step; else faint noise"


def test_misses_are_counted_at_the_threshold_of_half_an_alarm_an_hour(others: ModuleType) -> None:
    def track(name: str, steps: int, peak: float, *truths: Truth) -> Track:
        column = np.zeros((steps, 1), np.float32)
        column[steps // 2] = peak
        return Track(Label(name, "corpus", name, truths, frozenset()), ("alexa",), column, steps)

    negatives = [track(f"n{k}", 36_000, 0.1 * k) for k in (1, 2, 3, 4)]
    said = [track(f"p{k}", 20, peak, Truth("alexa", 0.5, 1.5))
            for k, peak in enumerate((0.15, 0.5, 0.9))]  # fmt: skip
    row = others._row(others.Heard("x", negatives, {"clean": said}), RULES)
    assert (row["alarms"], round(row["hours"], 3)) == (2, 4.0) and 0.2 < row["threshold"] < 0.3
    assert row["conditions"]["clean"]["missed"] == 1
    assert row["conditions"]["clean"]["speakers"] == 3
    assert "2 in 4.00 h" in others._text([row])


def test_what_was_measured_on_the_same_audio_is_not_measured_again(
    others: ModuleType, tmp_path: Path
) -> None:
    calls: list[str] = []

    def hearer(name: str) -> Any:
        def hear_all() -> Any:
            calls.append(name)
            if name == "breaks":
                raise KeyboardInterrupt
            clips = [clip(name, 2.0, {1.0: peak}, peak > 0.4) for peak in (0.5, 0.3)]
            tracks = list(others.hear(loudness(others, 160), clips, STEP))
            return others.Heard(name, tracks, {"clean": tracks[:1]})

        return hear_all

    with pytest.raises(KeyboardInterrupt):
        others.measured({n: hearer(n) for n in ("a", "breaks")}, "audio", RULES, tmp_path)
    rows = others.measured({n: hearer(n) for n in ("b", "a")}, "audio", RULES, tmp_path)
    assert calls == ["a", "breaks", "b"] and [row["engine"] for row in rows] == ["b", "a"]
    others.measured({"a": hearer("a")}, "other audio", RULES, tmp_path)
    assert calls == ["a", "breaks", "b", "a"]


@pytest.mark.parametrize("name", ["pymicro-wakeword", "pyopen-wakeword"])
def test_engines_of_others_give_probabilities(others: ModuleType, name: str) -> None:
    if find_spec(name.replace("-", "_")) is None:
        pytest.skip(f"{name} is not installed: python3 dev.py install bench")
    engine = others.FOREIGN[name]()
    (track,) = others.hear(engine, [clip("a", 2.0, {1.0: 0.5}, True)], STEP)
    assert track.posteriors.min() >= 0.0 and track.posteriors.max() <= 1.0
    assert engine.model_bytes > 10_000


def test_a_model_without_the_word_is_refused(repository: Path, tiny_bundle: Path) -> None:
    others = repository / "benchmarks" / "others.py"
    done = run_script(others, "--manifest", "none.csv", "--model", tiny_bundle)
    assert done.returncode == 1, done.stderr
    assert "has no word 'alexa'" in done.stderr and "Traceback" not in done.stderr
