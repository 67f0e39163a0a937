"""``wakeword align`` on real files, from the outside."""

from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import inprocess
import numpy as np
import pytest
from matplotlib.image import imread
from processes import cli_command, cli_environment
from tiny_corpus import burst, faint
from tone_manifest import ToneManifest

WORD, OTHER = "alpha", "beta wave"


def clip(start: float, end: float, seed: int = 0) -> np.ndarray:
    return np.clip(faint(burst(2.0, start, end, seed=seed), 1e-3, seed), -1.0, 1.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ToneManifest:
    """Six clips of a word with stated times, 41 of another without, one of them empty."""
    made = ToneManifest(tmp_path_factory.mktemp("clips"), [])
    for i in range(6):
        start, end = 0.4 + i / 20, 0.9 + i / 20
        made.add(f"alpha-{i}", clip(start, end, i), WORD, times=(start, end), split="train")
    for i in range(40):
        made.add(f"beta-{i}", clip(0.6, 1.0 + i / 100, i), OTHER, speaker="s2")
    made.add("beta-none", np.zeros(16_000, np.float32), OTHER, speaker="s2")
    made.add("talk", clip(0.0, 2.0), "a sentence of more than three words", speaker="s2")
    made.save()
    return made


def run(
    capsys: pytest.CaptureFixture[str], made: ToneManifest, *arguments: str | Path
) -> inprocess.Done:
    return inprocess.run(capsys, "align", made.path, *arguments)


def test_words_are_found_and_summed_up(
    capsys: pytest.CaptureFixture[str], made: ToneManifest
) -> None:
    done = run(capsys, made, "--json")
    assert done.code == 0
    alpha, beta = done.records
    assert (alpha["text"], alpha["clips"], alpha["not_found"], alpha["known"]) == (WORD, 6, 0, 6)
    assert alpha["seconds"] == pytest.approx(0.5, abs=0.05)
    assert max(*alpha["start_error_s"], *alpha["end_error_s"]) < 0.03
    assert (beta["text"], beta["clips"], beta["not_found"], beta["known"]) == (OTHER, 41, 1, 0)
    low, high = beta["seconds_range"]
    assert low == pytest.approx(0.42, abs=0.04) and high == pytest.approx(0.77, abs=0.04)


def test_the_table_for_people_has_the_same_figures(
    capsys: pytest.CaptureFixture[str], made: ToneManifest
) -> None:
    done = run(capsys, made, "--text", "Beta Wave", "--text", WORD)
    header, _, *rows = [
        [c.strip() for c in line.split("|")[1:-1]] for line in done.out.splitlines()
    ]
    assert header[:4] == ["word", "clips", "no word", "too short"]
    assert [row[:4] for row in rows] == [[OTHER, "41", "1", "0"], [WORD, "6", "0", "0"]]
    assert rows[1][6] == "6" and rows[0][7:] == ["", ""]


def test_split_count_and_seed_choose_the_clips(
    capsys: pytest.CaptureFixture[str], made: ToneManifest
) -> None:
    (only,) = run(capsys, made, "--json", "--split", "train").records
    assert only["text"] == WORD

    def ranges(seed: str) -> object:
        done = run(capsys, made, "--text", OTHER, "--count", "8", "--seed", seed, "--json")
        assert done.records[0]["clips"] == 8
        return done.records[0]["seconds_range"]

    assert ranges("1") == ranges("1") != ranges("2")


def test_the_folder_holds_a_table_and_pictures(
    capsys: pytest.CaptureFixture[str], made: ToneManifest, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "out"
    done = run(capsys, made, "--out", out)
    assert done.code == 0 and str(out) in done.err
    assert sorted(p.name for p in out.iterdir()) == [
        "alignment.csv", "alpha-001.png", "beta-wave-001.png", "beta-wave-002.png",
    ]  # fmt: skip
    rows = list(csv.DictReader(io.StringIO((out / "alignment.csv").read_text("utf-8"))))
    assert [r["path"] for r in rows] == [
        *(f"alpha-{i}.wav" for i in range(6)),
        *(f"beta-{i}.wav" for i in range(40)),
        "beta-none.wav",
    ]
    first, last = rows[0], rows[-1]
    assert float(first["start_s"]) == pytest.approx(0.4, abs=0.03)
    assert float(first["end_s"]) == pytest.approx(0.9, abs=0.03)
    assert float(first["start_error_s"]) == pytest.approx(float(first["start_s"]) - 0.4, abs=1e-6)
    assert (first["known_start_s"], first["known_end_s"]) == ("0.4", "0.9")
    assert last["start_s"] == last["contrast_db"] == last["known_start_s"] == ""
    # Red lines on every page, blue ones only where the manifest states times.
    for name, blue in (("alpha-001.png", True), ("beta-wave-001.png", False)):
        pixels = imread(out / name)[:, :, :3]
        shown = {
            colour: bool((np.abs(pixels - rgb).max(axis=2) < 0.02).any())
            for colour, rgb in (("red", (0.84, 0.15, 0.16)), ("blue", (0.12, 0.47, 0.71)))
        }
        assert shown == {"red": True, "blue": blue}


def test_an_older_alignment_is_replaced_and_nothing_else(
    capsys: pytest.CaptureFixture[str], made: ToneManifest, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(capsys, made, "--out", out, "--text", OTHER, "--count", "2")
    assert run(capsys, made, "--out", out, "--text", WORD, "--count", "2").code == 0
    assert sorted(p.name for p in out.iterdir()) == ["alignment.csv", "alpha-001.png"]
    (out / "thesis.tex").write_text("years of work")
    done = run(capsys, made, "--out", out, "--text", WORD)
    assert done.code == 2 and "not part of an alignment: thesis.tex" in done.err
    assert (out / "thesis.tex").read_text() == "years of work"
    done = run(capsys, made, "--out", made.path)
    assert done.code == 2 and "it is a file" in done.err


def test_texts_that_differ_in_signs_have_pages_of_their_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    made = ToneManifest(tmp_path / "m", [])
    for i, text in enumerate(("hey/you", "hey you", "¿?")):
        made.add(f"{i}", clip(0.5, 1.0), text)
    made.save()
    texts = [a for t in ("hey/you", "hey you", "¿?") for a in ("--text", t)]
    assert run(capsys, made, "--out", tmp_path / "out", *texts).code == 0
    pages = sorted(p.name for p in (tmp_path / "out").glob("*.png"))
    assert pages == ["hey-you-001.png", "hey-you-1-001.png", "text-001.png"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--text", "gamma"], "whole text is 'gamma'"),
        (["--text", WORD, "--split", "test"], "split 'test'"),
        (["--split", "validation"], "'validation' is not one of"),
        (["--count", "0"], "0 is not in the range"),
    ],
)
def test_what_cannot_be_aligned_is_refused(
    capsys: pytest.CaptureFixture[str], made: ToneManifest, arguments: list[str], says: str
) -> None:
    done = run(capsys, made, *arguments)
    assert (done.code, done.out) == (2, "") and says in done.err
    assert done.err.count("error: ") == 1 and "Traceback" not in done.err


def test_a_recording_that_is_no_audio_is_named_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    made = ToneManifest(tmp_path / "m", [])
    made.add("good", clip(0.5, 1.0), WORD)
    made.add("bad", clip(0.5, 1.0), WORD)
    made.save()
    (tmp_path / "m" / "bad.wav").write_text("no audio")
    done = run(capsys, made, "--text", WORD, "--out", tmp_path / "out")
    assert done.code == 2 and "bad.wav" in done.err and not (tmp_path / "out").exists()


def test_without_matplotlib_it_says_so_before_any_work(
    capsys: pytest.CaptureFixture[str],
    made: ToneManifest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = run(capsys, made, "--out", tmp_path / "out")
    assert done.code == 2 and "wakeword[plot]" in done.err and done.out == ""
    assert run(capsys, made, "--text", WORD).code == 0


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_ctrl_c_leaves_the_folder_as_it_was(made: ToneManifest, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "alignment.csv").write_text("old")
    process = subprocess.Popen(
        cli_command("align", made.path, "--out", out),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=cli_environment(), text=True,
    )  # fmt: skip
    while process.poll() is None and len(list(tmp_path.iterdir())) == 1:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate(timeout=60)
    assert (process.returncode, printed) == (130, "") and "Traceback" not in said
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (out / "alignment.csv").read_text() == "old"
