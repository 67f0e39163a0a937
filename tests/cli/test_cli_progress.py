"""Progress goes to stderr only, as a bar on a terminal and as lines elsewhere."""

import os
import subprocess
from pathlib import Path

import pytest
from bundles import with_bursts
from inprocess import run, write_audio
from processes import cli_command, cli_environment

from wakeword.cli import progress as progress_module
from wakeword.cli.progress import progress

Capture = pytest.CaptureFixture[str]


def test_lines_come_now_and_then(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    with progress("a.wav", 100.0) as advance:
        for now[0] in range(25):
            advance(2.0)
    with progress("stdin", None) as advance:
        now[0] += 10
        advance(3.0)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "a.wav: 22 of 100 s\na.wav: 42 of 100 s\nstdin: 3 s\n"


def test_quick_work_says_nothing(capsys: Capture) -> None:
    with progress("a.wav", 1.0) as advance:
        advance(1.0)
    assert capsys.readouterr() == ("", "")


def test_the_recordings_of_a_command_advance_it(
    capsys: Capture, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_module, "LINE_EVERY_S", 0.0)
    path = write_audio(tmp_path / "a.wav", with_bursts(3.0, [(1.0, "low tone")]))
    done = run(capsys, "detect", path, "-m", tiny_bundle)
    assert f"{path}: 3 of 3 s\n" in done.err and "low tone" in done.out


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo terminal")
def test_a_bar_on_a_terminal_leaves_data_alone(tiny_bundle: Path, tmp_path: Path) -> None:
    """stderr is a terminal, stdout a pipe: all JSON lines arrive, and nothing else there."""
    path = write_audio(tmp_path / "a.wav", with_bursts(60.0, [(1.0, "low tone")]))
    master, slave = os.openpty()
    try:
        done = subprocess.run(
            cli_command("detect", path, path, "-m", tiny_bundle, "--json"),
            stdout=subprocess.PIPE,
            stderr=slave,
            env=cli_environment({"TERM": "xterm"}),
            timeout=60,
        )
        drawn = os.read(master, 65_536).decode()
    finally:
        os.close(slave)
        os.close(master)
    assert done.returncode == 0
    assert [line[:8] for line in done.stdout.splitlines()] == [b'{"file":'] * 2
    assert "60" in drawn and "\x1b[" in drawn
