"""The bundles of this repository: which are heard unasked, and under what terms they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bundles import RATE

from wakeword.audio.files import read_audio
from wakeword.runtime import Bundle, Spotter, find_bundle, select

SHARE_ALIKE = "CC BY-SA 4.0"
SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SHIPPED = ["seven", "seven-accurate", "seven-one", "seven-wide", "telephone", "commands"]


@pytest.fixture(scope="module", params=SHIPPED)
def shipped(request: pytest.FixtureRequest) -> Bundle:
    return find_bundle(request.param)


def test_without_a_name_only_seven_is_heard() -> None:
    """Its words, no telephone's: those want to be asked for."""
    (selection,) = select()
    assert selection.bundle.name == "seven" and len(selection.words) == 7


def test_every_model_and_every_word_is_heard_by_name(shipped: Bundle) -> None:
    (whole,) = select([shipped.name])
    assert whole.words == shipped.words
    for word in shipped.words:
        assert select([word])[0].words == (word,)


def test_share_alike_recordings_bind_the_model_and_the_card_names_them(shipped: Bundle) -> None:
    metadata = shipped.metadata
    binding = [d.corpus for d in metadata.training.data if "SA" in d.licence]
    assert (metadata.licence == SHARE_ALIKE) == bool(binding)
    for corpus in binding:
        (sentence,) = [s for s in shipped.card.splitlines() if f"(`{corpus}`)" in s]
        assert SHARE_ALIKE in sentence


def test_models_of_other_rates_are_heard_together(shipped: Bundle) -> None:
    spotter = Spotter([shipped.name, "seven"], sample_rate=44_100)
    assert spotter.model_rate == RATE
    rates = {stream.engine.sample_rate for stream in spotter.streams}
    assert rates == {RATE, shipped.metadata.frontend.sample_rate}


def test_the_commands_of_the_sample_are_told_apart() -> None:
    """In the order of the sample, each at its end and nothing else."""
    said = json.loads((SAMPLES / "manifest.json").read_text("utf-8"))["commands.flac"]["words"]
    spotter = Spotter(["commands"], sample_rate=RATE)
    steps = spotter.steps(read_audio(SAMPLES / "commands.flac", RATE), last=True)
    heard = [d for step in steps for d in step.detections]
    assert [d.keyword for d in heard] == [entry["word"] for entry in said]
    for detection, entry in zip(heard, said, strict=True):
        assert abs(detection.end_s - entry["end_s"]) < 0.6
