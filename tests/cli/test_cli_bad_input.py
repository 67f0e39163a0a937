"""What users do wrong, and what their machines do to them, against the real command line.

Each case ends with exit code 2 and one ``error:`` line that says what and why, never with a
traceback, and leaves no new and no changed file.
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bundles import TONES_HZ, with_bursts
from numpy.typing import NDArray
from processes import RunCli, cli_command, cli_environment
from refusals import refused

WORD = next(iter(TONES_HZ))
ON_POSIX = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals and limits")


def write_wav(path: Path, samples: NDArray[np.generic], rate: int = 16_000) -> Path:
    """A 16-bit or, for floats that do not fit, float WAV."""
    whole = np.isfinite(samples).all() if samples.dtype.kind == "f" else True
    soundfile.write(path, samples, rate, subtype="PCM_16" if whole else "FLOAT")
    return path


def damaged_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Path and expected words of each file that cannot be heard."""
    noise = np.random.default_rng(7).uniform(-0.3, 0.3, 48_000).astype(np.float32)
    files = {name: folder / f"{name}.wav" for name in ("empty", "text", "nan", "infinite")}
    files["empty"].write_bytes(b"")
    files["text"].write_text("this is no sound at all\n" * 100, "utf-8")
    for name, value in (("nan", np.nan), ("infinite", np.inf)):
        samples = noise.copy()
        samples[20_000] = value
        write_wav(files[name], samples)
    whole = folder / "whole.flac"
    soundfile.write(whole, noise, 16_000)
    files["truncated"] = folder / "truncated.flac"
    files["truncated"].write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    files["missing"] = folder / "missing.wav"
    says = {
        "empty": "empty|0 bytes|no samples", "text": "not|recogni", "nan": "NaN|infinite|finite",
        "infinite": "NaN|infinite|finite", "truncated": "cut|truncated|damaged|lost|whole",
        "missing": "no such|not exist|not found|No such|missing",
    }
    return {name: (path, says[name]) for name, path in files.items()}


@pytest.mark.parametrize("command", ["detect", "score"])
@pytest.mark.parametrize("kind", ["empty", "text", "nan", "infinite", "truncated", "missing"])
def test_a_file_that_cannot_be_heard_is_refused(
    run_cli: RunCli, tiny_bundle: Path, tmp_path: Path, command: str, kind: str
) -> None:
    path, says = damaged_files(tmp_path)[kind]
    out = tmp_path / "out"
    options: list[str | Path] = ["--out", out] if command == "score" else []
    done = run_cli(command, path, "--model", tiny_bundle, *options)
    refused(done, re.escape(path.name), says)
    assert not out.exists() or not list(out.iterdir())


def test_the_files_before_a_bad_one_are_heard(
    run_cli: RunCli, tiny_bundle: Path, tmp_path: Path
) -> None:
    good = write_wav(tmp_path / "good.wav", with_bursts(3.0, [(1.0, WORD)]))
    bad, _ = damaged_files(tmp_path)["text"]
    done = run_cli("detect", good, bad, "--model", tiny_bundle, "--json")
    assert done.returncode == 2 and "error: " in done.stderr
    assert len(done.stdout.splitlines()) == 1 and WORD in done.stdout


def test_three_samples_hold_no_word(run_cli: RunCli, tiny_bundle: Path, tmp_path: Path) -> None:
    path = write_wav(tmp_path / "three.wav", np.zeros(3, np.float32))
    done = run_cli("detect", path, "--model", tiny_bundle)
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert WORD not in done.stdout


@pytest.mark.parametrize("rate", [8_000, 96_000])
def test_any_rate_is_heard_at_the_right_time(
    run_cli: RunCli, tiny_bundle: Path, tmp_path: Path, rate: int
) -> None:
    path = write_wav(tmp_path / "rate.wav", with_bursts(4.0, [(2.0, WORD)], rate), rate)
    done = run_cli("detect", path, "--model", tiny_bundle, "--json")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    (end_s,) = re.findall(r'"end_s": ([\d.]+)', line)
    assert 2.0 < float(end_s) < 3.0


def test_six_channels_are_mixed(run_cli: RunCli, tiny_bundle: Path, tmp_path: Path) -> None:
    mono = with_bursts(4.0, [(2.0, WORD)])
    path = write_wav(tmp_path / "six.wav", np.repeat(mono[:, None], 6, axis=1))
    done = run_cli("detect", path, "--model", tiny_bundle, "--json")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1, done.stderr


@pytest.mark.parametrize("command", [["detect"], ["score"], ["models", "show"], ["listen"]])
def test_an_unknown_model_is_named_with_those_that_exist(
    run_cli: RunCli, tiny_bundle: Path, tmp_path: Path, command: list[str]
) -> None:
    path = write_wav(tmp_path / "good.wav", np.zeros(16_000, np.float32))
    arguments: dict[str, list[str | Path]] = {
        "detect": [path, "--model", "compuper"],
        "listen": ["--model", "compuper"],
        "models": ["compuper"],
        "score": [path, "--model", "compuper", "--out", tmp_path / "out"],
    }
    environment = {"WAKEWORD_MODELS": str(tiny_bundle.parent)}
    done = run_cli(*command, *arguments[command[0]], env=environment)
    refused(done, "compuper", "tiny")


@pytest.mark.parametrize("threshold", ["0", "1", "-0.5", "nan", "loud"])
def test_an_impossible_threshold_is_refused(
    run_cli: RunCli, tiny_bundle: Path, tmp_path: Path, threshold: str
) -> None:
    path = write_wav(tmp_path / "good.wav", np.zeros(16_000, np.float32))
    done = run_cli("detect", path, "--model", tiny_bundle, f"--threshold={threshold}")
    refused(done, re.escape(threshold))


def test_a_damaged_bundle_is_refused(run_cli: RunCli, tiny_bundle: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for part in tiny_bundle.iterdir():
        (broken / part.name).write_bytes(part.read_bytes())
    model = bytearray((broken / "model.onnx").read_bytes())
    model[len(model) // 2] ^= 0xFF
    (broken / "model.onnx").write_bytes(model)
    path = write_wav(tmp_path / "good.wav", np.zeros(16_000, np.float32))
    refused(run_cli("detect", path, "--model", broken), "sha256|checksum")


def test_raw_input_without_a_rate_is_refused(run_cli: RunCli, tiny_bundle: Path) -> None:
    silence = bytes(32_000)
    refused(run_cli("detect", "-", "--model", tiny_bundle, stdin=silence), "rate")


def test_a_header_that_promises_more_than_there_is_is_refused(
    run_cli: RunCli, tiny_bundle: Path, tmp_path: Path
) -> None:
    path = write_wav(tmp_path / "cut.wav", np.zeros(16_000, np.float32))
    path.write_bytes(path.read_bytes()[:-8_000])
    done = run_cli("detect", path, "--model", tiny_bundle)
    refused(done, re.escape(path.name))


@pytest.mark.parametrize(
    "arguments", [["detect"], ["detect", "--nonsense"], ["nonsense"], ["score"], ["models", "show"]]
)
def test_wrong_usage_is_one_error_with_code_2(run_cli: RunCli, arguments: list[str]) -> None:
    done = run_cli(*arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert "Traceback" not in done.stderr and "error" in done.stderr.lower()


@ON_POSIX
def test_a_full_disk_leaves_what_was_there(tiny_bundle: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk: writing fails in the same place."""
    import resource

    path = write_wav(tmp_path / "minute.wav", np.zeros(16_000 * 120, np.float32))
    out = tmp_path / "out"
    out.mkdir()
    (out / "minute.csv").write_text("from an earlier run\n", "utf-8")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = subprocess.run(
        cli_command("score", path, "--model", tiny_bundle, "--out", out),
        preexec_fn=limit, capture_output=True, text=True, env=cli_environment(), timeout=120,
    )
    refused(done, "minute")
    assert [p.name for p in out.iterdir()] == ["minute.csv"]
    assert (out / "minute.csv").read_text("utf-8") == "from an earlier run\n"


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="mounting a tiny disk needs root"
)
def test_a_disk_that_is_really_full_is_said(tiny_bundle: Path, tmp_path: Path) -> None:
    path = write_wav(tmp_path / "minutes.wav", np.zeros(16_000 * 600, np.float32))
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("this machine does not let its root mount a tmpfs")
    try:
        done = subprocess.run(
            cli_command("score", path, "--model", tiny_bundle, "--out", disk),
            capture_output=True, text=True, env=cli_environment(), timeout=120,
        )
        refused(done, "(?i)no space left")
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_cannot_be_written_is_an_error(tiny_bundle: Path, tmp_path: Path) -> None:
    path = write_wav(tmp_path / "good.wav", with_bursts(3.0, [(1.0, WORD)]))
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            cli_command("detect", path, "--model", tiny_bundle, "--json"),
            stdout=full, stderr=subprocess.PIPE, env=cli_environment(), timeout=120,
        )
    assert done.returncode == 2 and b"Traceback" not in done.stderr and b"error: " in done.stderr


@ON_POSIX
def test_a_closed_pipe_ends_quietly(tiny_bundle: Path, tmp_path: Path) -> None:
    """``wakeword detect ... | head -0``: no traceback, whatever the exit code."""
    path = write_wav(tmp_path / "good.wav", with_bursts(3.0, [(1.0, WORD)]))
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        cli_command("detect", path, "--model", tiny_bundle, "--json"),
        stdout=writer, stderr=subprocess.PIPE, env=cli_environment(), timeout=120,
    )
    os.close(writer)
    assert b"Traceback" not in done.stderr and b"Exception ignored" not in done.stderr


def test_a_wav_on_standard_input_must_be_whole(run_cli: RunCli, tiny_bundle: Path) -> None:
    header = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36, b"WAVE", b"fmt ", 16, 1, 1, 16_000,
                         32_000, 2, 16)  # the data chunk is missing
    refused(run_cli("detect", "-", "--model", tiny_bundle, stdin=header), "(?i)data|cut|wav|header")
