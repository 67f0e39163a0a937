"""What the page plays and shows is what was scored."""

from __future__ import annotations

import base64
import io
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bundles import RATE
from listening_pages import HOSTILE, data_of, make_trials, no_progress, open_trials
from tone_manifest import LOW

from wakeword.evaluation.listening.excerpts import BANDS, LEVELS
from wakeword.evaluation.measurement import evaluate
from wakeword.runtime import Bundle
from wakeword.training.listening import write_listening_page
from wakeword.training.measuring import score_trials
from wakeword.training.trials import Trials


@pytest.fixture
def made(listening_page: Path, tiny_bundle: Path) -> tuple[Path, Trials]:
    """The page, and the trials that it was made of."""
    return listening_page, open_trials(listening_page.parent, Bundle.load(tiny_bundle))


def block(page: Path, name: str) -> bytes:
    """A data block of the page, decoded."""
    found = re.search(f'<script type="text/plain" id="{name}">(.*?)</script>', page.read_text())
    assert found
    return base64.b64decode(found[1], validate=True)


def test_the_sound_of_a_miss_is_the_mixture_that_was_scored(made: tuple[Path, Trials]) -> None:
    page, trials = made
    values = data_of(page)
    misses = [e for e in values["events"] if e["kind"] == "miss" and "noise" in e["condition"]]
    assert misses
    (condition,) = [c for c in trials.conditions([-15.0]) if c.name == misses[0]["condition"]]
    clips = {c.label.name: c for c in trials.mixed(condition)}
    for miss in misses[:4]:
        excerpt = values["excerpts"][miss["excerpt"]]
        scored = np.concatenate(list(clips[miss["recording"]].blocks()))
        start = round(excerpt["start_s"] * RATE)
        sound, rate = soundfile.read(io.BytesIO(block(page, f"sound-{miss['excerpt']}")))
        assert rate == RATE
        original = scored[start : start + len(sound)]
        assert len(original) == len(sound)
        # Opus keeps the shape of what matters, not every sample of hiss.
        assert np.corrcoef(sound, original)[0, 1] > 0.5
        assert np.std(sound) == pytest.approx(np.std(original), rel=0.4)


def test_what_was_mixed_in_is_named(made: tuple[Path, Trials]) -> None:
    events = data_of(made[0])["events"]
    named = {e["condition"].split()[0]: e["mixed_in"] for e in events}
    assert named["noise"] == "hiss (noise)" and named["as"] == ""
    speakers = named["babble"].split(", ")
    assert len(set(speakers)) == 4 and all(s.endswith(" (talk)") for s in speakers)


def test_pictures_have_a_level_for_every_frame_and_band(made: tuple[Path, Trials]) -> None:
    page, _ = made
    values = data_of(page)
    for number, excerpt in enumerate(values["excerpts"]):
        pixels = zlib.decompress(block(page, f"pictures-{number}"))
        assert len(pixels) == excerpt["frames"] * (BANDS + values["channels"])
        assert excerpt["frames"] > 50 and max(pixels) == LEVELS - 1


def test_an_alarm_is_heard_with_what_came_before_it(made: tuple[Path, Trials]) -> None:
    values = data_of(made[0])
    (alarm,) = [e for e in values["events"]
                if e["kind"] == "false alarm" and e["basis"] == "shipped"]  # fmt: skip
    excerpt = values["excerpts"][alarm["excerpt"]]
    assert (alarm["recording"], alarm["word"], alarm["transcript"]) == ("lure.wav", LOW, HOSTILE)
    assert alarm["speaker"] == "l" and alarm["condition"] == "as recorded"
    assert 2.0 < alarm["time_s"] < 3.0
    assert excerpt["start_s"] <= 2.0 and excerpt["stop_s"] >= alarm["time_s"] + 1.4
    assert [LOW, alarm["time_s"]] in alarm["detections"]
    step = round((alarm["time_s"] - excerpt["first_score_s"]) / values["step_s"])
    assert excerpt["scores"][LOW][step] >= 1000 * alarm["threshold"]
    assert max(excerpt["scores"][LOW]) == pytest.approx(1000 * alarm["peak"], abs=1)
    assert -35.0 < excerpt["level_dbfs"] < -25.0  # amplitude 0.03: -33 dBFS, less at its ends


def test_nothing_wrong_is_a_page_too(tmp_path: Path, tiny_bundle: Path) -> None:
    bundle = Bundle.load(tiny_bundle)
    trials = make_trials(tmp_path, bundle)
    trials.recordings = [r for r in trials.recordings if r.corpus == "talk" and r.text != HOSTILE]
    scored = score_trials(bundle, trials, [], no_progress)
    result = evaluate(bundle, scored.recorded, {}, scored.rules)
    found = write_listening_page(
        tmp_path / "none.html", bundle, trials, [], scored, result,
        about={}, most=5, stage=no_progress,
    )  # fmt: skip
    assert found.kept == () and data_of(tmp_path / "none.html")["events"] == []
