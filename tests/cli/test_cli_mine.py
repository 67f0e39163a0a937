"""``wakeword mine``: list, clips and manifest; gone on with after a kill; what is refused."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from bundles import RATE, TONES_HZ, with_bursts
from inprocess import run
from processes import cli_command, cli_environment
from tone_manifest import tone_manifest, write_wav

from wakeword.data.manifest import read_manifest

LOW, HIGH = TONES_HZ


def rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "mined.jsonl").read_text().splitlines()]


def clock(folder: Path) -> Path:
    """A folder with a minute of the same burst, and a file with another."""
    ticks = [(float(t), LOW) for t in range(2, 60, 4)]
    write_wav(folder / "clock.wav", with_bursts(60.0, ticks, noise=0.002))
    write_wav(folder / "deep" / "other.wav", with_bursts(8.0, [(4.0, HIGH)], noise=0.002))
    return folder


def test_a_clock_is_one_sound_and_the_manifest_can_be_trained_on(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mined"
    audio = clock(tmp_path / "audio")
    done = run(capsys, "mine", tiny_bundle, audio, "--out", out, "--least-score", "0.3")
    assert done.code == 0, done.err
    found = rows(out)
    assert [(r["word"], r["cluster_size"]) for r in found if r["word"] == HIGH] == [(HIGH, 1)]
    ticks = [r for r in found if r["word"] == LOW]
    assert len(ticks) == 3 and {r["cluster_size"] for r in ticks} == {15}
    assert [r["score"] for r in found] == sorted((r["score"] for r in found), reverse=True)
    manifest = read_manifest(out / "manifest.csv")
    assert [(r.corpus, r.text, r.split) for r in manifest] == [("mined", "", "train")] * len(found)
    for row, recording in zip(found, manifest, strict=True):
        assert recording.path == out / row["clip"]
        clip, rate = soundfile.read(recording.path, dtype="float32")
        whole, _ = soundfile.read(row["path"], dtype="float32")
        first = round(max(0.0, row["end_s"] - 2.0) * RATE)
        assert rate == RATE and np.array_equal(clip, whole[first : first + len(clip)])
        assert len(clip) == min(3 * RATE, len(whole) - first)
    assert len(list((out / "sheets").glob("*.png"))) == 1


def test_bounds_may_change_without_scoring_again(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, audio = tmp_path / "mined", clock(tmp_path / "audio")
    common = ("mine", tiny_bundle, audio, "--out", out, "--no-pictures", "--least-score", "0.3")
    assert run(capsys, *common).code == 0
    journal = (out / "scored.jsonl").read_bytes()
    done = run(capsys, *common, "--per-cluster", "1", "--no-clips")
    assert done.code == 0 and "were scored already" in done.err
    assert [r["word"] for r in rows(out)].count(LOW) == 1
    assert run(capsys, *common, "--per-cluster", "9", "--per-recording", "5").code == 0
    assert [r["word"] for r in rows(out)].count(LOW) == 5
    assert {p.name for p in (out / "clips").iterdir()} == {Path(r["clip"]).name for r in rows(out)}
    assert (out / "scored.jsonl").read_bytes() == journal


def test_recordings_that_say_the_word_are_left_out(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tone_manifest(tmp_path / "audio")
    made.add("inside", with_bursts(4.0, [(1.0, LOW)]), f"say {LOW} now", "talk", speaker="t9")
    made.add("silent", with_bursts(4.0, [(1.0, LOW)]), "", "quiet", speaker="q")
    made.save()
    out = tmp_path / "mined"
    common = ("mine", tiny_bundle, made.path, "--no-pictures", "--split", "dev")
    done = run(capsys, *common, "--out", out)
    assert done.code == 0, done.err
    assert "9 recordings hold a word and are left out" in done.err
    assert {r["corpus"] for r in rows(out)} <= {"talk", "noise", "quiet"}
    (worst, *_) = rows(out)
    assert worst["corpus"] == "quiet" and worst["score"] > 0.5
    recording = next(r for r in read_manifest(out / "manifest.csv"))
    assert (recording.corpus, recording.speaker, recording.split) == ("quiet", "q", "dev")
    one = run(capsys, *common, "--out", tmp_path / "one", "--word", HIGH)
    assert one.code == 0 and {r["word"] for r in rows(tmp_path / "one")} <= {HIGH}
    assert "4 recordings hold a word" in one.err, "clips of the other word are not its own"


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill")
def test_a_killed_run_ends_as_one_that_was_not(tiny_bundle: Path, tmp_path: Path) -> None:
    audio = tmp_path / "audio"
    for i in range(48):
        write_wav(audio / f"{i:02d}.wav", with_bursts(9.0, [(i % 7 + 1.0, LOW)], noise=0.002))
    outs = tmp_path / "killed", tmp_path / "whole"
    commands = [
        cli_command("mine", tiny_bundle, audio, "--out", out, "--no-pictures", "--workers", "1")
        for out in outs
    ]
    process = subprocess.Popen(commands[0], env=cli_environment(), stderr=subprocess.PIPE)
    journal = outs[0] / "scored.jsonl"
    while process.poll() is None and (not journal.exists() or _lines(journal) < 5):
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert not (outs[0] / "mined.jsonl").exists()
    assert 5 <= _lines(journal) < 49
    for command in commands:
        subprocess.run(command, env=cli_environment(), check=True, capture_output=True)
    assert (outs[0] / "mined.jsonl").read_bytes() == (outs[1] / "mined.jsonl").read_bytes()
    assert _lines(journal) == 49, "nothing was scored twice"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none", "--out", "out"], "there is no such file or folder"),
        (["empty", "--out", "out"], "there is no recording to mine"),
        (["a.csv", "--out", "out"], "a.csv"),
        (["empty", "--out", "."], "files that are not part of mined clips"),
        (["empty", "--out", "out", "--word", "nine"], "does not hear 'nine'; its words are low"),
        (["empty", "--out", "out", "--least-score", "2"], "least_score = 2.0 must be in"),
        (["empty", "--out", "out", "--most", "0"], "--most"),
        (["empty"], "--out"),
    ],
)
def test_what_is_refused(
    tiny_bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "mine.doc").touch()
    monkeypatch.chdir(tmp_path)
    done = run(capsys, "mine", tiny_bundle, *arguments)
    assert done.code == 2 and says in done.err
    assert {p.name for p in tmp_path.iterdir()} == {"empty", "mine.doc"}


def test_what_cannot_be_read_is_said_and_the_rest_is_mined(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audio = clock(tmp_path / "audio")
    (audio / "broken.flac").write_bytes(b"fLaC and no more")
    done = run(capsys, "mine", tiny_bundle, audio, "--out", tmp_path / "out", "--no-pictures")
    assert done.code == 2 and "broken.flac" in done.err
    assert rows(tmp_path / "out")
