"""The parts behind ``wakeword listen``: clips, programs, level."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wakeword.cli.actions import MAX_RUNNING, Action
from wakeword.cli.clips import ClipWriter
from wakeword.cli.meter import level_dbfs
from wakeword.runtime import Detection

RATE = 8_000


def detection(end_s: float, keyword: str = "smart mirror") -> Detection:
    end = round(end_s * 16_000)
    return Detection(keyword, 0.9, 0.5, max(0, end - 24_400), end, 16_000, "tiny")


def ramp(start: int, count: int) -> np.ndarray:
    """Samples that tell their own position."""
    return (np.arange(start, start + count, dtype=np.float32) % 16_384) / 32_768


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(chunk=st.integers(100, 40_000), end_s=st.floats(0.1, 9.9), late=st.integers(0, 2000))
def test_a_clip_holds_2_s_before_and_1_s_after_whatever_the_chunks(tmp_path, chunk, end_s, late):
    folder = tmp_path / f"{time.monotonic_ns()}"
    clips, heard, planned = ClipWriter(folder), 0, None
    clips.start(RATE)
    total = 12 * RATE
    while heard < total:
        count = min(chunk, total - heard)
        clips.add(ramp(heard, count))
        heard += count
        if planned is None and heard >= round(end_s * RATE) + late:
            planned = clips.plan(detection(end_s), end_s)
        clips.write_due()
    assert planned is not None
    clips.finish()
    samples, rate = soundfile.read(planned, dtype="float32")
    start = max(0, round((round(end_s * 16_000) / 16_000 - 2.0) * RATE))
    end = round((round(end_s * 16_000) / 16_000 - 2.0) * RATE) + 3 * RATE
    assert rate == RATE
    np.testing.assert_array_equal(samples, ramp(start, end - start))


def test_memory_does_not_grow_with_the_stream(tmp_path):
    clips = ClipWriter(tmp_path)
    clips.start(RATE)
    for i in range(1000):
        clips.add(ramp(i * RATE, RATE))
    assert sum(map(len, clips._blocks)) <= 5 * RATE


def test_a_stream_that_ends_early_gives_a_shorter_clip(tmp_path):
    clips = ClipWriter(tmp_path)
    clips.start(RATE)
    clips.add(ramp(0, 3 * RATE))
    path = clips.plan(detection(2.5), 2.5)
    clips.write_due()
    assert not path.exists()
    clips.finish()
    np.testing.assert_array_equal(
        soundfile.read(path, dtype="float32")[0], ramp(RATE // 2, 3 * RATE - RATE // 2)
    )


def test_no_file_is_ever_overwritten(tmp_path):
    (tmp_path / "alexa_000001.00s.wav").write_text("mine", "utf-8")
    clips = ClipWriter(tmp_path)
    clips.start(RATE)
    clips.add(ramp(0, 2 * RATE))
    paths = [clips.plan(detection(1.0, "alexa"), 1.0) for _ in range(2)]
    clips.finish()
    assert [p.name for p in paths] == ["alexa_000001.00s-2.wav", "alexa_000001.00s-3.wav"]
    assert (tmp_path / "alexa_000001.00s.wav").read_text("utf-8") == "mine"
    assert all(soundfile.info(p).frames == 2 * RATE for p in paths)


def test_a_full_disk_is_said_and_the_listening_goes_on(tmp_path, monkeypatch, capsys):
    clips = ClipWriter(tmp_path)
    clips.start(RATE)
    clips.add(ramp(0, RATE))
    path = clips.plan(detection(0.5), 0.5)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    clips.finish()
    assert capsys.readouterr().err == f"error: cannot save {path}: No space left on device\n"
    assert list(tmp_path.iterdir()) == []


def test_a_clip_that_ctrl_c_interrupts_is_written_in_the_end(tmp_path, monkeypatch):
    clips = ClipWriter(tmp_path)
    clips.start(RATE)
    clips.add(ramp(0, RATE))
    path = clips.plan(detection(0.5), 0.5)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            clips.finish()
    assert list(tmp_path.iterdir()) == []
    clips.finish()
    assert soundfile.info(path).frames == RATE


def python(code: str) -> str:
    """A command line that runs ``code``."""
    return f"'{sys.executable}' -c '{code}'"


def test_a_program_gets_the_detection_and_no_shell_sees_it(tmp_path, capfd):
    out = tmp_path / "out"
    code = (
        'import os, sys; open(sys.argv[1], "w").write('
        'repr((sys.argv[2:], os.environ["WAKEWORD_KEYWORD"], os.environ["WAKEWORD_END_S"])))'
        '; print("to stderr")'
    )
    word = "$(touch pwned); 'x' \"y\" {score}"
    action = Action(f"{python(code)} {out} 'is {{keyword}}' '{{end_s}}' '{{other}} {{}}'")
    action.start(detection(2.0, word))
    action.finish(wait_s=20)
    arguments, keyword, end_s = eval(out.read_text("utf-8"))
    assert keyword == word
    assert arguments == [f"is {word}", "2.00", "{other} {}"]
    assert end_s == "2.00"
    assert not Path("pwned").exists()
    assert capfd.readouterr().out == "", "data only on stdout; the program's output is none"


def test_a_program_that_fails_is_reported(capsys):
    action = Action(python("raise SystemExit(3)"))
    action.start(detection(1.0, "alexa"))
    action.finish(wait_s=20)
    assert "for 'alexa' ended with code 3" in capsys.readouterr().err


def test_a_program_that_cannot_be_run_is_reported(tmp_path, capsys):
    action = Action(f"{tmp_path}/{{keyword}}")
    action.start(detection(1.0, "alexa"))
    assert "error: --exec: cannot run" in capsys.readouterr().err


def test_programs_are_not_waited_for_and_their_number_is_bounded(capsys):
    action = Action(python("import time; time.sleep(30)"))
    started = time.monotonic()
    for _ in range(MAX_RUNNING + 1):
        action.start(detection(1.0, "alexa"))
    assert time.monotonic() - started < 5
    assert f"not run for 'alexa', {MAX_RUNNING} still run" in capsys.readouterr().err
    running = [program for program, _ in action._running]
    action.finish(wait_s=0.1)
    assert f"note: --exec: {MAX_RUNNING} still running" in capsys.readouterr().err
    for program in running:
        program.kill()
        program.wait()


@pytest.mark.parametrize("command", ["", "  ", "'open", "no-such-program-anywhere x"])
def test_an_impossible_command_is_refused_at_once(command):
    with pytest.raises(click.BadParameter, match="--exec"):
        Action(command)


@pytest.mark.parametrize(
    ("samples", "dbfs"),
    [
        (np.full(800, 1.0), 0.0),
        (np.sin(np.arange(16_000) * 2 * np.pi / 16), -3.0103),
        (np.full(800, 0.1), -20.0),
        (np.zeros(800), -60.0),
        (np.zeros(0), -60.0),
        (np.full(800, 3.0), 0.0),
    ],
)
def test_level_in_dbfs(samples, dbfs):
    assert level_dbfs(samples.astype(np.float32)) == pytest.approx(dbfs, abs=1e-3)
