"""``wakeword stream`` hears a virtual microphone, also while the service is away."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bundles import with_bursts
from cutting_proxy import CuttingProxy
from live_server import LiveServer, live_server
from processes import cli_command, cli_environment, read_terminal
from virtual_microphone import VirtualMicrophone

from wakeword.audio.wav import write_wav

pytestmark = pytest.mark.microphone
WORDS = ["low tone", "high tone"]


@pytest.fixture(scope="module")
def server(tmp_path_factory, tiny_bundle: Path) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("state"), models=(str(tiny_bundle),)) as server:
        yield server


@pytest.fixture(scope="module")
def sounds(tmp_path_factory) -> Path:
    """Both words, with silence around them."""
    path = tmp_path_factory.mktemp("sounds") / "bursts.wav"
    bursts = [(0.8, "low tone"), (2.0, "high tone")]
    write_wav(path, with_bursts(3.0, bursts, 48_000), 48_000)
    return path


class Streaming:
    """A running ``wakeword stream`` and what it has said so far."""

    def __init__(self, folder: Path, sound: VirtualMicrophone, *arguments: str | Path) -> None:
        self._out, self._notes = folder / "stdout", folder / "stderr"
        with self._out.open("wb") as out, self._notes.open("wb") as notes:
            self.process = subprocess.Popen(
                cli_command("stream", *arguments), stdout=out, stderr=notes,
                env=cli_environment(sound.environment),
            )  # fmt: skip

    @property
    def notes(self) -> str:
        return self._notes.read_text("utf-8")

    @property
    def lines(self) -> list[str]:
        return self._out.read_text("utf-8").splitlines()

    def wait(self, done) -> None:
        """Wait until ``done()``."""
        deadline = time.monotonic() + 30
        while not done():
            assert self.process.poll() is None and time.monotonic() < deadline, self.notes
            time.sleep(0.02)


@contextmanager
def streaming(folder: Path, sound: VirtualMicrophone, *arguments: str | Path):
    """Start to stream; the process does not outlive the block."""
    stream = Streaming(folder, sound, *arguments)
    try:
        stream.wait(lambda: "note: streaming 'default' to ws://" in stream.notes)
        yield stream
    finally:
        stream.process.kill()
        stream.process.wait()


def test_words_clips_and_ctrl_c(sound, server, sounds, tmp_path):
    with streaming(tmp_path, sound, "--url", f"ws://{server.address}",
                   "--save-clips", tmp_path / "clips") as stream:  # fmt: skip
        sound.play(sounds)
        stream.wait(lambda: len(stream.lines) == 2)
        stream.process.send_signal(signal.SIGINT)
        assert stream.process.wait(20) == 130
    for line, word in zip(stream.lines, WORDS, strict=True):
        assert re.fullmatch(rf" *\d+\.\d\d  {word}  \d\.\d{{3}}  0\.600", line)
    assert re.search(r"note: 2 detections in \d+\.\d s of sound$", stream.notes.strip())
    assert "Traceback" not in stream.notes
    assert len(list((tmp_path / "clips").iterdir())) == 2


def test_what_is_said_while_the_service_is_away_is_heard_afterwards(
    sound, server, sounds, tmp_path
):
    away: list[int] = []
    port = int(server.address.rpartition(":")[2])
    with (
        CuttingProxy(port, lambda _: (1, 1) if away else None) as proxy,
        streaming(tmp_path, sound, "--url", proxy.url, "--json") as stream,
    ):
        away.append(1)
        proxy.cut_all()
        stream.wait(lambda: "trying again" in stream.notes)
        sound.play(sounds)
        assert stream.lines == []
        away.clear()
        stream.wait(lambda: len(stream.lines) == 2)
        stream.process.send_signal(signal.SIGTERM)
        assert stream.process.wait(20) == 143
    low, high = map(json.loads, stream.lines)
    assert [low["keyword"], high["keyword"]] == WORDS
    assert high["end_s"] - low["end_s"] == pytest.approx(1.2, abs=0.21)
    assert "note: connected again" in stream.notes and "lost" not in stream.notes


def test_a_duration_ends_with_what_was_said_last(sound, server, tmp_path):
    with streaming(tmp_path, sound, "--url", f"ws://{server.address}",
                   "--duration", "1.5") as stream:  # fmt: skip
        assert stream.process.wait(20) == 0
    assert re.search(r"note: 0 detections in \d\.\d s of sound$", stream.notes.strip())


def test_a_refusal_is_said_before_anything_is_heard(sound, server, tmp_path):
    stream = Streaming(tmp_path, sound, "--url", f"ws://{server.address}", "-m", "nobody")
    assert stream.process.wait(30) == 2
    assert "error: unknown model 'nobody'" in stream.notes


def test_a_terminal_gets_a_live_meter(sound, server, sounds, tmp_path):
    import pty

    leader, follower = pty.openpty()
    process = subprocess.Popen(
        cli_command("stream", "--url", f"ws://{server.address}", "--duration", "6"),
        stdout=subprocess.PIPE, stderr=follower,
        env=cli_environment({**sound.environment, "TERM": "xterm-256color"}),
    )  # fmt: skip
    os.close(follower)
    with process:
        time.sleep(1.5)
        sound.play(sounds)
        shown = read_terminal(leader)
        out = process.stdout.read().decode()
    os.close(leader)
    assert process.returncode == 0
    assert "dBFS" in shown and "low tone" in shown and "█" in shown
    assert [line.split()[1] for line in out.splitlines()] == ["low", "high"]
