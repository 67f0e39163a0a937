"""Ctrl-C against the real command line at any time: exit code 130, no traceback, no half file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from processes import cli_command, cli_environment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")


@pytest.fixture(scope="module")
def hours_of_silence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A FLAC that is small on disk and long to hear."""
    path = tmp_path_factory.mktemp("long") / "long.flac"
    with soundfile.SoundFile(path, "w", 16_000, 1, "PCM_16", format="FLAC") as out:
        block = np.zeros(16_000 * 60, np.int16)
        for _ in range(60 * 6):
            out.write(block)
    return path


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """Press Ctrl-C and assert a clean end."""
    assert process.poll() is None, "it ended before it could be interrupted"
    process.send_signal(signal.SIGINT)
    _, notes = process.communicate(timeout=30)
    assert process.returncode == 130 and b"Traceback" not in notes, notes.decode()


def test_ctrl_c_in_the_middle_of_a_long_file_leaves_no_half_file(
    tiny_bundle: Path, hours_of_silence: Path, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        cli_command("score", hours_of_silence, "--model", tiny_bundle, "--out", tmp_path),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=cli_environment(),
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.iterdir()) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.5)
    interrupt(process)
    assert list(tmp_path.iterdir()) == []


def wait_until_loaded(process: subprocess.Popen[bytes], library: str) -> None:
    """Wait until the process has opened a native library (elsewhere than on Linux: a while)."""
    if sys.platform != "linux":
        time.sleep(2.0)
        return
    maps = Path(f"/proc/{process.pid}/maps")
    while process.poll() is None and library not in maps.read_text("utf-8"):
        time.sleep(0.001)


@pytest.mark.parametrize("library", ["_multiarray_umath", "onnxruntime_pybind11_state"])
@pytest.mark.parametrize("delay_s", [0.0, 0.2, 1.0])
def test_ctrl_c_is_130_at_any_time(
    tiny_bundle: Path, hours_of_silence: Path, library: str, delay_s: float
) -> None:
    """While numpy and onnxruntime are being loaded, shortly after, and in the middle of it."""
    process = subprocess.Popen(
        cli_command("detect", hours_of_silence, "--model", tiny_bundle),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=cli_environment(),
    )
    wait_until_loaded(process, library)
    time.sleep(delay_s)
    interrupt(process)


def test_ctrl_c_is_130_where_python_runs_text(tmp_path: Path) -> None:
    """While a dataclass is made, say: Python takes the Ctrl-C for unhandled, under ``-m``."""
    lines = ("from wakeword.cli import main",
             "main.run = lambda arguments: exec('raise KeyboardInterrupt')",
             "main.main()")
    (tmp_path / "interrupted.py").write_text("\n".join(lines), "utf-8")
    done = subprocess.run([sys.executable, "-m", "interrupted"], cwd=tmp_path,
                          capture_output=True, env=cli_environment(), timeout=60)
    assert done.returncode == 130 and done.stderr == b""
