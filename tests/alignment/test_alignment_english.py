"""The aligner that is shipped, on speech: the samples in the repository, and marked recordings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from wakeword.alignment.ctc import ByLetters, CtcAligner
from wakeword.alignment.model import MODEL_FILE, SHIPPED, load_letter_model
from wakeword.audio.files import read_audio
from wakeword.data.align import Aligner
from wakeword.data.alignment import align_recordings
from wakeword.data.manifest import Recording, read_manifest
from wakeword.data.vocabulary import Vocabulary

RATE = 16_000
SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SAID = json.loads((SAMPLES / "manifest.json").read_text("utf-8"))["words.flac"]
NEAR_S = 0.17


@pytest.mark.parametrize("method", ["ctc-sequential", "ctc-path"])
def test_words_of_voices_that_it_never_heard_are_found(method: ByLetters) -> None:
    samples = read_audio(SAMPLES / "words.flac", RATE)
    align = CtcAligner(load_letter_model(), method)
    for said in SAID["words"]:
        first = max(0, round((said["start_s"] - 0.6) * RATE))
        clip = samples[first : round((said["end_s"] + 0.6) * RATE)]
        times = align(clip, RATE, said["word"], said["word"])
        assert times is not None, said["word"]
        assert first / RATE + times.start_s == pytest.approx(said["start_s"], abs=NEAR_S)
        assert first / RATE + times.end_s == pytest.approx(said["end_s"], abs=NEAR_S)


def test_words_are_found_in_all_that_is_said() -> None:
    samples = read_audio(SAMPLES / "words.flac", RATE)
    transcript = " ".join(part["text"] for part in SAID["spoken"])
    align = CtcAligner(load_letter_model(), "ctc-path")
    for said in SAID["words"]:
        times = align(samples, RATE, said["word"], transcript)
        assert times is not None
        assert (times.start_s, times.end_s) == pytest.approx(
            (said["start_s"], said["end_s"]), abs=NEAR_S
        )


def test_it_is_small_and_heard_no_telephone() -> None:
    metadata = load_letter_model().metadata
    assert (SHIPPED / MODEL_FILE).stat().st_size < 1_000_000
    assert "wuw2" not in {source.corpus for source in metadata.training.data}
    assert not [d.corpus for d in metadata.training.data if "SA" in d.licence.split("-")]
    credits = (SAMPLES.parent / "THIRD_PARTY.md").read_text("utf-8")
    for source in metadata.training.data:
        assert f"`{source.corpus}`" in credits, source.corpus


def test_silence_and_noise_are_no_word() -> None:
    align = CtcAligner(load_letter_model(), "ctc-path")
    assert align(np.zeros(2 * RATE, np.float32), RATE, "computer", "computer") is None


@pytest.mark.shared
def test_words_of_the_telephone_are_found_alone_and_in_sentences(shared_data: Path) -> None:
    """Every sixth recording of speakers on whom nothing was chosen; docs/training.md has all."""
    manifest = read_manifest(shared_data / "manifest.csv", check_files=False)
    vocabulary = Vocabulary.of(manifest)
    timed = manifest.where(
        lambda r: r.corpus == "wuw2" and r.split == "dev" and vocabulary.timed_word(r) is not None
    )[::6]
    align = CtcAligner(load_letter_model(), "ctc-path")
    alone, inside = ([r for r in timed if (r.text == vocabulary.timed_word(r)) == is_alone]
                     for is_alone in (True, False))  # fmt: skip
    assert len(alone) > 30 and len(inside) > 30
    assert _within(alone, align, vocabulary) >= 0.75
    assert _within(inside, align, vocabulary) >= 0.6


def _within(recordings: list[Recording], align: Aligner, vocabulary: Vocabulary) -> float:
    """Share of words whose start and end are both found to 0.1 s."""
    wrong = []
    for r in recordings:
        word = vocabulary.timed_word(r)
        assert word is not None
        (found,) = align_recordings(word, [r], align)
        wrong.append(max(map(abs, found.errors_s or (np.inf,))))
    return float(np.mean(np.array(wrong) <= 0.1))
