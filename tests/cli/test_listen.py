"""``wakeword listen`` and ``wakeword devices`` as processes that hear a virtual microphone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bundles import with_bursts
from processes import RunCli, cli_command, cli_environment, read_terminal
from virtual_microphone import VirtualMicrophone

from wakeword.audio.files import read_audio
from wakeword.audio.wav import write_wav

LOW, HIGH = "low tone", "high tone"


@pytest.fixture(scope="module")
def bursts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both words of the tiny bundle, 1.2 s apart, with silence around them."""
    path = tmp_path_factory.mktemp("sounds") / "bursts.wav"
    write_wav(path, with_bursts(5.0, [(2.5, LOW), (3.7, HIGH)], 48_000), 48_000)
    return path


class Listening:
    """A running ``wakeword listen`` with what it has said so far."""

    def __init__(self, folder: Path, sound: VirtualMicrophone, arguments: Sequence[str | Path]):
        self._out, self._notes = folder / "stdout", folder / "stderr"
        with self._out.open("wb") as out, self._notes.open("wb") as notes:
            self.process = subprocess.Popen(
                cli_command("listen", *arguments),
                stdout=out,
                stderr=notes,
                env=cli_environment(sound.environment),
            )

    @property
    def lines(self) -> list[str]:
        return self._out.read_text("utf-8").splitlines()

    @property
    def records(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.lines]

    @property
    def notes(self) -> str:
        return self._notes.read_text("utf-8")

    def wait_for(self, note: str, times: int = 1) -> None:
        """Wait until stderr says ``note``."""
        deadline = time.monotonic() + 30
        while self.notes.count(note) < times:
            assert self.process.poll() is None and time.monotonic() < deadline, self.notes
            time.sleep(0.02)

    def wait_for_lines(self, count: int) -> None:
        """Wait until stdout has ``count`` lines."""
        deadline = time.monotonic() + 30
        while len(self.lines) < count:
            assert self.process.poll() is None and time.monotonic() < deadline, self.notes
            time.sleep(0.02)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)


@contextmanager
def listening(
    folder: Path, sound: VirtualMicrophone, *arguments: str | Path
) -> Iterator[Listening]:
    """Start to listen; the process does not outlive the block."""
    listener = Listening(folder, sound, arguments)
    try:
        listener.wait_for("note: listening to 'default'")
        yield listener
    finally:
        listener.process.kill()
        listener.process.wait()


@pytest.mark.microphone
def test_words_are_reported_saved_and_acted_on(sound, tiny_bundle, bursts, tmp_path):
    """The whole of it at once: JSON, clips, programs, and a clean end after the duration."""
    clips = tmp_path / "new" / "clips"
    run = 'sh -c "echo \\"$1 $WAKEWORD_KEYWORD {score}\\" >> told" name "{keyword}; it"'
    with listening(tmp_path, sound, "--model", tiny_bundle, "--json", "--duration", "10",
                   "--save-clips", clips, "--exec", run.replace("told", str(tmp_path / "told"))
                   ) as listener:  # fmt: skip
        sound.play(bursts)
        assert listener.process.wait(30) == 0
    low, high = listener.records
    assert (low["keyword"], high["keyword"]) == (LOW, HIGH)
    assert high["end_s"] - low["end_s"] == pytest.approx(1.2, abs=0.21)
    assert 0.6 <= low["score"] <= 1.0
    assert low["threshold"] == 0.6
    assert "2 detections in" in listener.notes
    assert "\x1b" not in listener.notes, "no meter without a terminal"
    told = (tmp_path / "told").read_text("utf-8").splitlines()
    assert sorted(line.rsplit(" ", 1)[0] for line in told) == [
        f"{word}; it {word}" for word in (HIGH, LOW)
    ]
    check_clip(Path(low["clip"]), LOW, 700.0)
    check_clip(Path(high["clip"]), HIGH, 3000.0)
    assert len(list(clips.iterdir())) == 2


def check_clip(path: Path, word: str, tone_hz: float) -> None:
    """Three seconds, with the tone where the detection said it ended: around 2 s."""
    assert path.name.startswith(word.replace(" ", "_"))
    assert soundfile.info(path).duration == pytest.approx(3.0, abs=0.001)
    samples = read_audio(path)
    middle = samples[int(1.4 * 16_000) : int(2.1 * 16_000)]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * 16_000 / len(middle) == pytest.approx(tone_hz, abs=20)


@pytest.mark.microphone
def test_a_vanished_microphone_is_waited_for_and_time_goes_on(sound, tiny_bundle, bursts, tmp_path):
    with listening(tmp_path, sound, "--model", tiny_bundle, "--json") as listener:
        sound.play(bursts)
        listener.wait_for_lines(2)
        sound.stop()
        listener.wait_for("; waiting for it")
        time.sleep(1.5)
        sound.start()
        listener.wait_for("note: listening to 'default'", times=2)
        sound.play(bursts)
        listener.wait_for_lines(4)
        assert listener.end() == 130
    assert [r["keyword"] for r in listener.records] == [LOW, HIGH, LOW, HIGH]
    times = [r["end_s"] for r in listener.records]
    assert times == sorted(times)
    assert all(r["end_s"] - r["start_s"] <= 1.53 for r in listener.records)
    assert "4 detections in" in listener.notes
    assert "Traceback" not in listener.notes


@pytest.mark.microphone
def test_plain_lines_and_ctrl_c(sound, tiny_bundle, bursts, tmp_path):
    with listening(tmp_path, sound, "-m", f"{tiny_bundle}", "--threshold", "0.7",
                   "--save-clips", tmp_path / "clips") as listener:  # fmt: skip
        sound.play(bursts)
        listener.wait_for_lines(2)
        assert listener.end() == 130
    seconds, low, tone, score, threshold = listener.lines[0].split()
    assert (low, tone, threshold) == (*LOW.split(), "0.700")
    assert float(seconds) > 0
    assert 0.7 <= float(score) <= 1
    assert listener.notes.strip().splitlines()[-1].startswith("note: 2 detections in")
    assert "Traceback" not in listener.notes
    clips = sorted((tmp_path / "clips").iterdir())
    assert [c.suffix for c in clips] == [".wav", ".wav"], "pending clips are saved, no half ones"


@pytest.mark.microphone
def test_a_service_manager_ends_it_cleanly(sound, tiny_bundle, tmp_path):
    with listening(tmp_path, sound, "--model", tiny_bundle) as listener:
        assert listener.end(signal.SIGTERM) == 143
    assert listener.notes.splitlines()[-1].startswith("note: 0 detections in")


SLOW = """
import sys, time
from wakeword.audio.microphone import Microphone
from wakeword.cli.actions import Action
from wakeword.cli.listener import Listener
from wakeword.runtime import Spotter

class Slow(Action):
    def reap(self):
        time.sleep(0.4)

listener = Listener(Spotter(sys.argv[1]), as_json=True, action=Slow("true"))
listener.run(Microphone(buffer_s=0.2), None, time.monotonic() + 5)
listener.finish()
"""


@pytest.mark.microphone
def test_input_that_was_dropped_is_said_at_once_and_in_the_end(sound, tiny_bundle):
    """A machine that takes twice as long as the microphone's buffer lasts."""
    environment = cli_environment(sound.environment)
    done = subprocess.run([sys.executable, "-c", SLOW, tiny_bundle], capture_output=True,
                          env=environment, text=True, timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stderr
    lost = re.findall(r"; ([\d.]+) s of input were dropped", done.stderr)
    assert "note: this machine is too slow or was asleep" in done.stderr
    assert len(lost) == 2, "once during, once in the summary"
    assert 0.5 < float(lost[-1]) < 5


@pytest.mark.microphone
def test_a_terminal_gets_a_live_meter(sound, tiny_bundle, bursts, tmp_path):
    """stderr is a terminal, stdout a file: the line moves on the one, data go to the other."""
    import pty

    leader, follower = pty.openpty()
    out = tmp_path / "out"
    with out.open("wb") as file:
        process = subprocess.Popen(
            cli_command("listen", "--model", tiny_bundle, "--duration", "8"),
            stdout=file,
            stderr=follower,
            env=cli_environment({**sound.environment, "TERM": "xterm-256color"}),
        )
    os.close(follower)
    try:
        time.sleep(1.5)
        sound.play(bursts)
        shown = read_terminal(leader)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(leader)
    assert "dBFS" in shown
    assert "low tone" in shown
    assert "high tone" in shown
    assert "-60.0" in shown, "silence at first"
    assert "█" in shown, "then a tone"
    assert [line.split()[1] for line in out.read_text("utf-8").splitlines()] == ["low", "high"]


@pytest.mark.microphone
def test_devices_lists_the_default_microphone(sound, run_cli: RunCli):
    done = run_cli("devices", env=sound.environment)
    assert done.returncode == 0
    assert done.stdout.split()[:4] == ["*", "0", "default", "ALSA"]
    (record,) = map(
        json.loads, run_cli("devices", "--json", env=sound.environment).stdout.splitlines()
    )
    assert record["is_default"] is True
    assert record["sample_rate"] in (44_100, 48_000)


@pytest.mark.microphone
@pytest.mark.slow
def test_the_shipped_words_are_heard_through_the_microphone(sound, tmp_path, repository, run_cli):
    """The shipped sample, played into the microphone, gives the words that the file gives."""
    sample = repository / "samples" / "words.flac"
    in_file = run_cli("detect", sample, "--json").stdout.splitlines()
    wanted = [json.loads(line)["keyword"] for line in in_file]
    assert wanted
    write_wav(tmp_path / "words.wav", read_audio(sample, 48_000), 48_000)
    with listening(tmp_path, sound, "--json") as listener:
        sound.play(tmp_path / "words.wav")
        time.sleep(1.5)
        listener.end()
    assert [r["keyword"] for r in listener.records] == wanted
