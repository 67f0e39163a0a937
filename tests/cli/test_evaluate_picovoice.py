"""``wakeword evaluate --protocol picovoice`` on real files, from the outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from inprocess import Done, run
from processes import cli_command, cli_environment
from tone_manifest import HIGH, LOW, ToneManifest, tone_manifest

PROTOCOL = ("--protocol", "picovoice", "--noise-corpus", "noise")
SHORT = (*PROTOCOL, "--hours", "0.02")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ToneManifest:
    return tone_manifest(tmp_path_factory.mktemp("recordings"))


def refused(done: Done, says: str) -> None:
    assert done.code == 2 and done.out == "", done
    assert "Traceback" not in done.err and says in done.err, done.err


def test_figures_report_and_kept_scores(
    capsys: pytest.CaptureFixture[str], tiny_bundle: Path, made: ToneManifest, tmp_path: Path
) -> None:
    common = (tiny_bundle, "--manifest", made.path, *SHORT, "--snr", "20")
    out, scores = tmp_path / "out", tmp_path / "scores"
    done = run(capsys, "evaluate", *common, "--report", out, "--scores", scores)
    assert done.code == 0, done.err
    for said in ("Missed at 0.1 false alarms per hour", "| low tone", "| high tone", "Mean",
                 "Porcupine", "published, other audio", "Each recording of speech"):  # fmt: skip
        assert said in done.out
    assert f"report written to {out}" in done.err
    values = json.loads((out / "picovoice.json").read_text("utf-8"))
    assert values["about"]["protocol"] == {
        "name": "picovoice", "hours": 0.02, "snr_db": 20.0, "speech_share": 0.2, "seed": 1,
    }  # fmt: skip
    assert values["about"]["tolerance_s"] == 0.5
    assert (out / "picovoice.png").stat().st_size > 1_000
    kept = {p.name: p.stat().st_mtime_ns for p in scores.iterdir()}
    assert len(kept) == 2

    again = run(capsys, "evaluate", *common, "--scores", scores, "--json")
    words = [r for r in again.records if r["figure"] == "word"]
    assert words == [{"figure": "word", **row} for row in values["words"]]
    assert {(r["word"], r["missed"], r["clips"]) for r in words} == {(LOW, 0, 4), (HIGH, 0, 4)}
    assert {p.name: p.stat().st_mtime_ns for p in scores.iterdir()} == kept
    fresh = run(capsys, "evaluate", *common, "--json")
    assert fresh.out == again.out


def test_one_word_another_target_and_one_corpus(
    capsys: pytest.CaptureFixture[str], tiny_bundle: Path, made: ToneManifest
) -> None:
    done = run(capsys, "evaluate", tiny_bundle, "--manifest", made.path, *SHORT, "--word", LOW,
               "--target", "9", "--speech-corpus", "talk", "--json")  # fmt: skip
    # The bundle has no operating point for 9 per hour, and nobody else a published figure.
    words = [r for r in done.records if r["figure"] == "word"]
    assert [(r["word"], r["basis"]) for r in words] == [(LOW, "chosen")]
    assert {r["engine"] for r in done.records if r["figure"] == "mean"} == {"this model"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([*PROTOCOL, "--hours", "0"], "hours = 0; it must be above 0, at most 1000"),
        ([*PROTOCOL, "--hours", "nan"], "hours = nan"),
        ([*SHORT, "--snr", "99"], "SNR of 99 dB; it must be from -40 to 80 dB"),
        ([*SHORT, "--snr", "5", "--snr", "10"], "--protocol takes one --snr, not 2"),
        ([*SHORT, "--target", "0"], "target of 0.0 false alarms per hour; it must be above 0"),
        ([*SHORT, "--word", "bell"], "'bell' is not a word of tiny"),
        ([*SHORT, "--speech-corpus", "nowhere"], "no speech without it to put between the clips"),
        ([*SHORT[:2], "--hours", "0.02", "--noise-corpus", "nowhere"], "hold no noise"),
        ([*SHORT, "--telephone"], "--telephone does not go with --protocol"),
        ([*SHORT, "--no-babble"], "--babble does not go with --protocol"),
        ([*SHORT, "--listen", "a.html"], "--listen does not go with --protocol"),
        (["--hours", "24"], "--hours goes only with --protocol picovoice"),
        (["--word", LOW], "--word goes only with --protocol"),
        (["--protocol", "other"], "'other' is not one of 'picovoice'"),
        ([*SHORT, "--report", "{made}"], "it is a file"),
        ([*SHORT, "--report", "{folder}"], "holds files that are not part of"),
    ],
)
def test_bad_requests_are_refused(
    capsys: pytest.CaptureFixture[str],
    tiny_bundle: Path,
    made: ToneManifest,
    arguments: list[str],
    says: str,
) -> None:
    given = [a.format(made=made.path, folder=made.folder) for a in arguments]
    refused(run(capsys, "evaluate", tiny_bundle, "--manifest", made.path, *given), says)


def test_two_models_and_no_clips_are_refused(
    capsys: pytest.CaptureFixture[str], tiny_bundle: Path, tmp_path: Path
) -> None:
    made = tone_manifest(tmp_path)
    two = run(capsys, "evaluate", tiny_bundle, tiny_bundle, "--manifest", made.path, *SHORT)
    refused(two, "--protocol is for one MODEL, not 2")
    made.rows = [r for r in made.rows if r["text"] not in (LOW, HIGH)]
    none = run(capsys, "evaluate", tiny_bundle, "--manifest", made.save(), *SHORT)
    refused(none, "no clip of any word: low tone, high tone")


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_ctrl_c_keeps_whole_streams_only(
    tiny_bundle: Path, made: ToneManifest, tmp_path: Path
) -> None:
    """Interrupted in the stream of the second word: the first is kept, and no piece of another."""
    scores = tmp_path / "scores"
    command = cli_command(
        "evaluate", tiny_bundle, "--manifest", made.path, *PROTOCOL, "--hours", "1",
        "--scores", scores, "--report", tmp_path / "out",
    )  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=cli_environment(None)
    )
    deadline = time.monotonic() + 120.0
    while not list(scores.glob("*.npz")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, noted = process.communicate(timeout=60.0)
    assert process.returncode == 130, noted.decode()
    assert b"Traceback" not in noted
    assert [p.name.rsplit("-", 1)[0] for p in scores.iterdir()] == ["low-tone"]
    assert [p.name for p in tmp_path.iterdir()] == ["scores"]
