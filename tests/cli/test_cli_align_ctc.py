"""``wakeword align`` with the ctc methods, on files whose letters are tones."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from inprocess import Done
from inprocess import run as run_command
from tone_letters import spoken, write_tone_letters
from tone_manifest import ToneManifest

WAYS = ("ctc-sequential", "ctc-path")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ToneManifest:
    """Six clips of 'face' with times, and three sentences that hold it, one of them twice."""
    made = ToneManifest(tmp_path_factory.mktemp("clips"), [])
    for i in range(6):
        start = 0.4 + i / 20
        times = (start, start + 0.4)
        made.add(f"face-{i}", spoken("face", 2.5, start), "face", times=times)
    made.add("sentence", spoken("bad cab face", 3.0, 0.5), "bad cab face", times=(1.3, 1.7))
    made.add("open", spoken("face cab", 3.0, 0.5), "Face, cab!")
    made.add("twice", spoken("face face", 3.0, 0.5), "face face")
    made.save()
    write_tone_letters(made.folder / "tones")
    return made


def run(capsys: pytest.CaptureFixture[str], made: ToneManifest, *arguments: str | Path) -> Done:
    aligner = ["--aligner", made.folder / "tones"]
    return run_command(capsys, "align", made.path, *aligner, *arguments)


@pytest.mark.parametrize("method", WAYS)
def test_words_alone_are_found_by_their_letters(
    capsys: pytest.CaptureFixture[str], made: ToneManifest, method: str
) -> None:
    done = run(capsys, made, "--method", method, "--json")
    assert done.code == 0
    (face,) = done.records
    assert (face["text"], face["clips"], face["not_found"], face["known"]) == ("face", 6, 0, 6)
    assert max(*face["start_error_s"], *face["end_error_s"]) < 0.1
    assert -2.0 < face["log_likelihood"] < 1e-6
    table = run(capsys, made, "--method", method).out
    assert "log likelihood" in table.splitlines()[0]


def test_words_in_sentences_are_found_too(
    capsys: pytest.CaptureFixture[str], made: ToneManifest, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ["--method", "ctc-path", "--text", "face", "--sentences", "--out", out]
    done = run(capsys, made, *arguments, "--json")
    assert done.code == 0 and (done.records[0]["clips"], done.records[0]["known"]) == (8, 7)
    assert done.records[0]["start_error_s"][1] < 0.1
    rows = {
        r["path"]: r
        for r in csv.DictReader(io.StringIO((out / "alignment.csv").read_text("utf-8")))
    }
    assert float(rows["sentence.wav"]["start_s"]) == pytest.approx(1.3, abs=0.1)
    assert float(rows["open.wav"]["end_s"]) == pytest.approx(0.9, abs=0.15)
    assert float(rows["open.wav"]["log_likelihood"]) > -2.0 and "twice.wav" not in rows
    assert (out / "face-001.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--sentences"], "--sentences needs one of the methods ctc-sequential, ctc-path"),
        (["--method", "energy", "--aligner", "x"], "--aligner needs one of the methods"),
        (["--method", "ctc"], "'ctc' is not one of"),
        (["--method", "ctc-path", "--aligner", "nowhere"], "nowhere"),
    ],
)
def test_what_does_not_go_together_is_refused(
    capsys: pytest.CaptureFixture[str], made: ToneManifest, arguments: list[str], says: str
) -> None:
    done = run_command(capsys, "align", made.path, *arguments)
    assert (done.code, done.out) == (2, "") and says in done.err
    assert "Traceback" not in done.err


def test_a_word_that_the_network_cannot_spell_is_refused_by_its_letter(
    capsys: pytest.CaptureFixture[str], made: ToneManifest, tmp_path: Path
) -> None:
    few = write_tone_letters(tmp_path / "few", "ab")
    done = run_command(capsys, "align", made.path, "--method", "ctc-path", "--aligner", few)
    assert done.code == 2 and "'face' cannot be spelt" in done.err and "no 'c'" in done.err
