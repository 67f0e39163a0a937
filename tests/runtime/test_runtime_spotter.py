"""The one-stream face, and what importing it costs."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bundles import RATE, load_tiny_bundle, tiny_metadata, with_bursts

import wakeword
from wakeword.errors import AudioError, ConfigError, UnknownModelError
from wakeword.runtime import Bundle, Selection, Spotter, StepResult, registry

AUDIO = with_bursts(5.0, [(0.5, "low tone"), (3.0, "high tone")], noise=0.001)


@pytest.fixture
def two_bundles(tmp_path: Path) -> list[Bundle]:
    return [
        load_tiny_bundle(tmp_path / "low", tiny_metadata("low", ["low tone"])),
        load_tiny_bundle(tmp_path / "high", tiny_metadata("high", ["high tone"], step_samples=800)),
    ]


def test_five_lines_are_enough(tiny_bundle: Path) -> None:
    heard = []
    spotter = wakeword.Spotter(tiny_bundle, sample_rate=RATE)
    for chunk in np.split(AUDIO, 50):
        for detection in spotter.feed(chunk):
            heard.append(detection.keyword)
    assert heard == ["low tone", "high tone"] and spotter.finish() == []


def test_models_may_be_given_in_any_way(tiny_bundle: Path) -> None:
    bundle = Bundle.load(tiny_bundle)
    expected = Spotter(bundle).feed(AUDIO, last=True)
    for models in (tiny_bundle, str(tiny_bundle), [tiny_bundle], [bundle], [bundle, tiny_bundle],
                   Selection(bundle, bundle.words)):  # fmt: skip
        assert Spotter(models).feed(AUDIO, last=True) == expected  # type: ignore[arg-type]
    low = Spotter(f"{tiny_bundle}:low tone")
    assert [d.keyword for d in low.feed(AUDIO, last=True)] == ["low tone"]


def test_without_models_all_installed_words_are_heard(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "model_folders", lambda: [tiny_bundle.parent])
    assert [d.keyword for d in Spotter().feed(AUDIO)] == ["low tone", "high tone"]
    assert [d.keyword for d in Spotter("high_tone").feed(AUDIO)] == ["high tone"]
    with pytest.raises(UnknownModelError, match="unknown model 'alexa'; installed models: tiny"):
        Spotter("alexa")


def test_several_bundles_hear_one_stream(two_bundles: list[Bundle]) -> None:
    spotter = Spotter(two_bundles)
    results = list[StepResult]()
    for chunk in np.array_split(AUDIO, 13):
        results += spotter.steps(chunk)
    results += spotter.finish_steps()
    for bundle in two_bundles:
        own = [r for r in results if r.stream.engine.bundle is bundle]
        alone = Spotter(bundle).steps(AUDIO, last=True)
        assert [r.end_sample for r in own] == [r.end_sample for r in alone]
        np.testing.assert_allclose(
            [r.smoothed for r in own], [r.smoothed for r in alone], rtol=1e-5, atol=1e-6
        )
    whole = Spotter(two_bundles).steps(AUDIO, last=True)
    assert [r.end_s for r in whole] == sorted(r.end_s for r in whole)
    found = [d for r in whole for d in r.detections]
    assert [(d.keyword, d.model) for d in found] == [("low tone", "low"), ("high tone", "high")]


def test_thresholds_are_given_by_word_to_whichever_bundle(two_bundles: list[Bundle]) -> None:
    spotter = Spotter(two_bundles, thresholds={"high tone": 0.9})
    assert [s.thresholds for s in spotter.streams] == [{"low tone": 0.6}, {"high tone": 0.9}]
    targeted = Spotter(two_bundles, false_alarms_per_hour=2.0)
    assert [s.thresholds for s in targeted.streams] == [{"low tone": 0.5}, {"high tone": 0.5}]
    with pytest.raises(ConfigError, match="'alexa', but the words are: high tone, low tone"):
        Spotter(two_bundles, thresholds={"alexa": 0.5})
    with pytest.raises(ConfigError, match="not both"):
        Spotter(two_bundles, thresholds=0.5, false_alarms_per_hour=1.0)


def test_reset_begins_a_new_stream_at_any_rate(tiny_bundle: Path) -> None:
    spotter = Spotter(tiny_bundle)
    first = spotter.feed(AUDIO, last=True)
    with pytest.raises(AudioError, match="after the end"):
        spotter.feed(AUDIO)
    spotter.reset()
    assert spotter.feed(AUDIO, last=True) == first
    spotter.reset(sample_rate=8000, channels=2)
    slow = with_bursts(5.0, [(0.5, "low tone"), (3.0, "high tone")], 8000, noise=0.001)
    found = spotter.feed(np.stack([slow, slow], axis=1), last=True)
    assert [d.keyword for d in found] == ["low tone", "high tone"]
    assert [d.end_s for d in found] == pytest.approx([d.end_s for d in first], abs=0.11)


def test_a_rejected_reset_keeps_the_old_stream(tiny_bundle: Path) -> None:
    spotter = Spotter(tiny_bundle)
    with pytest.raises(AudioError):
        spotter.reset(sample_rate=1)
    assert spotter.sample_rate == RATE and spotter.feed(AUDIO)


def imported(statement: str) -> tuple[set[str], float]:
    """Modules after ``statement`` in a new process, and the processor seconds it took."""
    code = (
        f"import time, sys, json; start = time.process_time(); {statement}\n"
        "print(json.dumps([list(sys.modules), time.process_time() - start]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    modules, seconds = json.loads(done.stdout)
    return {m.split(".")[0] for m in modules}, float(seconds)


def test_importing_is_quick_and_loads_no_extra() -> None:
    extras = {"soundfile", "soxr", "sounddevice", "click", "rich", "torch", "matplotlib", "onnx",
              "scipy", "librosa"}  # fmt: skip
    runs = [imported("import wakeword; wakeword.Spotter") for _ in range(5)]
    assert not runs[0][0] & extras
    own = min(seconds for _, seconds in runs) - min(
        imported("import onnxruntime")[1] for _ in range(3)
    )
    assert own < 0.3, f"{own:.2f} s beyond onnxruntime's own"
