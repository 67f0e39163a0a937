"""``wakeword stream`` against the real service, through real sockets."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from cutting_proxy import CuttingProxy
from inprocess import Done, run
from live_server import LiveServer, live_server
from processes import cli_command, cli_environment
from streaming import bursts

from wakeword.audio.wav import write_wav

SOUND = bursts(14.0)


@pytest.fixture(scope="module")
def server(tmp_path_factory, tiny_bundle: Path) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("state"), models=(str(tiny_bundle),)) as server:
        yield server


@pytest.fixture(scope="module")
def recording(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sounds") / "words.wav"
    write_wav(path, (SOUND / 2**15).astype(np.float32), 16_000)
    return path


def url(address: str) -> tuple[str, str]:
    return "--url", f"ws://{address}"


def times(done: Done) -> list[tuple[str, int, int]]:
    return [(r["keyword"], r["start_sample"], r["end_sample"]) for r in done.records]


def test_files_are_heard_as_detect_hears_them(capsys, server, recording, tiny_bundle, tmp_path):
    """At another rate, in another format, and two at once."""
    other = tmp_path / "other.flac"
    soundfile.write(other, np.repeat(SOUND, 3), 48_000)
    wanted = run(capsys, "detect", recording, other, "--model", tiny_bundle, "--json")
    done = run(capsys, "stream", *url(server.address), recording, other, "--json")
    assert done.code == 0, done.err
    assert len(wanted.records) >= 10
    for own, local in zip(done.records, wanted.records, strict=True):
        assert own.pop("id")
        assert own["score"] == pytest.approx(local["score"], abs=2e-6)
        assert {**own, "score": 0} == {**local, "score": 0}


def test_plain_lines_scores_clips_and_the_summary(capsys, server, recording, tmp_path):
    clips = tmp_path / "new" / "clips"
    done = run(capsys, "stream", *url(server.address), recording, "--scores", "--save-clips", clips,
               "--model", "low tone", "--threshold", "0.7", "--name", "kitchen")  # fmt: skip
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    scores = [line for line in lines if "low tone=" in line]
    assert len(scores) >= 140 and "high tone" not in done.out
    found = [line for line in lines if line not in scores]
    pattern = rf"{re.escape(str(recording))} +\d+\.\d\d  low tone  \d\.\d{{3}}  0\.700"
    assert found and all(re.fullmatch(pattern, line) for line in found)
    assert f"note: {len(found)} detections in 14.0 s of audio" in done.err
    saved = sorted(clips.iterdir())
    assert len(saved) == len(found)
    for path in saved:
        samples, rate = soundfile.read(path)
        assert rate == 16_000 and 0.5 <= len(samples) / rate <= 5 and np.abs(samples).max() > 0.1


def test_raw_pcm_from_a_pipe_through_a_network_that_breaks(server, recording, tiny_bundle, capsys):
    wanted = run(capsys, "detect", recording, "--model", tiny_bundle, "--json")
    with CuttingProxy(int(server.address.rpartition(":")[2]),
                      lambda n: (200_000, 10**6) if n == 0 else None) as proxy:  # fmt: skip
        done = subprocess.run(
            cli_command("stream", "--url", proxy.url, "-", "--rate", "16000", "--json"),
            input=SOUND.tobytes(), capture_output=True, env=cli_environment(), timeout=60,
        )  # fmt: skip
    notes = done.stderr.decode()
    assert done.returncode == 0, notes
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(r["keyword"], r["start_sample"], r["end_sample"]) for r in records] == times(wanted)
    assert {r["file"] for r in records} == {"-"}, "as detect has it"
    assert "note: the connection broke; trying again in" in notes
    assert "note: connected again" in notes and "lost" not in notes


def test_a_file_in_real_time(capsys, server, tmp_path):
    short = tmp_path / "short.wav"
    write_wav(short, np.zeros(16_000, np.float32), 16_000)
    began_s = time.monotonic()
    done = run(capsys, "stream", *url(server.address), short, "--real-time")
    assert done.code == 0, done.err
    assert time.monotonic() - began_s >= 1.0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--model", "nobody"], "error: unknown model 'nobody'"),
        (["--threshold", "2"], "error: threshold = 2.0, but it must be between 0 and 1"),
        (["--threshold", "0.5", "--false-alarms-per-hour", "1"], "error: false_alarms_per_hour"),
        (["--key", "wrong"], None),
        (["--keep", "0"], "error: keep_s = 0, but it must be at least 0.001"),
        (["--url", "localhost"], "error: 'localhost' is no address of a service"),
        (["--device", "x"], "error: --device and --duration are about the microphone"),
        (["--name", "x" * 65], "error: name = "),
        (["--save-clips", "{recording}"], "File exists"),
    ],
)
def test_what_is_refused(capsys, server, recording, arguments, says):
    arguments = [a.format(recording=recording) for a in arguments]
    done = run(capsys, "stream", *url(server.address), recording, *arguments)
    if says is None:
        assert done.code == 0, "while there is no key, this machine needs none"
        return
    assert (done.code, done.out) == (2, "")
    assert says in done.err and "Traceback" not in done.err


def test_a_file_that_cannot_be_read_does_not_stop_the_others(capsys, server, recording, tmp_path):
    done = run(capsys, "stream", *url(server.address), tmp_path / "none.wav", recording, "--json")
    assert done.code == 2
    assert len(done.records) >= 5
    assert "error: cannot read" in done.err


def test_options_of_files_without_a_file(capsys, server):
    for option in (["--rate", "16000"], ["--real-time"]):
        done = run(capsys, "stream", *url(server.address), *option)
        assert done.code == 2 and "are about files" in done.err


def test_a_service_that_is_not_there(capsys, recording):
    done = run(capsys, "stream", "--url", "ws://127.0.0.1:1", recording)
    assert (done.code, done.out) == (1, "")
    assert "error: cannot reach ws://127.0.0.1:1/v1/stream: Connection refused" in done.err


def test_a_service_that_stays_away(capsys, server, recording):
    port = int(server.address.rpartition(":")[2])
    with CuttingProxy(port, lambda _: (90_000, 10**6)) as proxy:
        done = run(capsys, "stream", "--url", proxy.url, recording, "--give-up", "0")
    assert done.code == 1
    assert re.search(r"error: the connection to \S+ is lost for good: the connection broke",
                     done.err)  # fmt: skip


def test_ctrl_c_ends_a_stream_from_a_silent_pipe_cleanly(server):
    process = subprocess.Popen(
        cli_command("stream", *url(server.address), "-", "--rate", "16000"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=cli_environment(),
    )  # fmt: skip
    assert process.stdin
    process.stdin.write(SOUND[: 16_000 * 4].tobytes())
    process.stdin.flush()
    assert process.stdout and process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    with process:
        assert b"Traceback" not in process.stderr.read()


def test_whoever_reads_the_output_may_leave(server, recording):
    read, write = os.pipe()
    process = subprocess.Popen(
        cli_command("stream", *url(server.address), recording, recording, "--scores", "--json"),
        stdout=write, stderr=subprocess.PIPE, env=cli_environment(),
    )  # fmt: skip
    os.close(write)
    os.read(read, 100)
    os.close(read)
    _, notes = process.communicate(timeout=30)
    assert process.returncode == 1
    assert b"Traceback" not in notes


def test_an_empty_pipe_is_refused(server):
    done = subprocess.run(
        cli_command("stream", *url(server.address), "-", "--rate", "16000"),
        stdin=subprocess.DEVNULL, capture_output=True, env=cli_environment(), timeout=30,
    )  # fmt: skip
    assert done.returncode == 2
    assert b"error: standard input: is empty" in done.stderr
