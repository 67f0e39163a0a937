"""The microphone: real captures through PulseAudio, and every way in which there is none."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from virtual_microphone import VirtualMicrophone

from wakeword.audio.devices import InputDevice, find_device
from wakeword.audio.resample import resample
from wakeword.audio.wav import write_wav
from wakeword.errors import DeviceError, SampleRateError

DEVICES = [
    InputDevice(0, "HDA Intel: ALC257 (hw:0,0)", "ALSA", 2, 44_100, False),
    InputDevice(3, "USB Microphone", "ALSA", 1, 48_000, False),
    InputDevice(4, "USB Microphone (rear)", "ALSA", 1, 16_000, True),
    InputDevice(7, "Toy", "ALSA", 1, 2_000, False),
]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [(None, 4), (3, 3), ("3", 3), ("usb microphone", 3), ("REAR", 4), ("alc257", 0),
     ("USB Microphone, ALSA", 3)],
)  # fmt: skip
def test_a_device_is_found_by_number_name_or_part_of_it(wanted, index):
    assert find_device(wanted, DEVICES).index == index


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("kinect", r"no microphone called 'kinect'; there are: 0: HDA.*; 3: USB Microphone; 4: "),
        (9, "no microphone called '9'; there are: 0: HDA"),
        ("usb", r"'usb' fits several microphones, give a number: 3: USB.*; 4: USB"),
        ("", "no microphone called ''"),
    ],
)
def test_a_device_that_is_not_there_is_answered_with_those_that_are(wanted, message):
    with pytest.raises(DeviceError, match=message):
        find_device(wanted, DEVICES)


def test_no_input_no_default_and_impossible_rates_are_said():
    with pytest.raises(DeviceError, match="no microphone found"):
        find_device(None, [])
    with pytest.raises(DeviceError, match="no default microphone is set; choose one of: 0: HDA"):
        find_device(None, DEVICES[:2])
    with pytest.raises(SampleRateError, match="microphone 'Toy': the sample rate is 2000 Hz"):
        find_device("toy", DEVICES)


def run_python(code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own: PortAudio reads its configuration once per process."""
    return subprocess.run([sys.executable, "-c", code], env={**os.environ, **environment},
                          capture_output=True, text=True, timeout=60)  # fmt: skip


OPEN = """
from wakeword.audio.microphone import Microphone
from wakeword.errors import WakewordError
try:
    with Microphone({device}) as microphone:
        print("opened", microphone.device.name)
except WakewordError as error:
    print(type(error).__name__, error)
"""


NO_DEVICE = """\
pcm.!default { type hw card 99 }
ctl.!default { type hw card 99 }
"""


def test_a_machine_without_any_sound_device_is_told_so(tmp_path):
    (tmp_path / "asound.conf").write_text(NO_DEVICE, "utf-8")
    done = run_python(OPEN.format(device=""), {"ALSA_CONFIG_PATH": str(tmp_path / "asound.conf")})
    if "PortAudio library" in done.stdout:
        pytest.skip("PortAudio is not installed")
    if "opened" in done.stdout:
        pytest.skip("this machine has a device that PortAudio finds without ALSA's configuration")
    assert done.stdout == "DeviceError no microphone found: no audio device can record\n"


def test_without_the_portaudio_library_the_message_says_what_to_install(tmp_path):
    """As on a fresh Linux: sounddevice is there and looks for a library that is not."""
    code = "import ctypes.util; ctypes.util.find_library = lambda name: None\n" + OPEN.format(
        device=""
    )
    done = run_python(code, {})
    if sys.platform != "linux":
        pytest.skip("elsewhere sounddevice brings PortAudio with it")
    assert done.stdout.startswith("DeviceError the PortAudio library cannot be loaded")
    assert "apt install libportaudio2" in done.stdout


def test_without_sounddevice_the_message_says_what_to_install():
    code = "import sys; sys.modules['sounddevice'] = None\n" + OPEN.format(device="")
    done = run_python(code, {})
    assert done.stdout.startswith("MissingExtraError listening to a microphone needs")
    assert "pip install 'wakeword[mic]'" in done.stdout


CAPTURE = """
import sys, time
import numpy as np
from wakeword.audio.microphone import Microphone
parts = []
with Microphone(buffer_s={buffer_s}) as microphone:
    while not parts:
        if len(samples := microphone.read()):
            parts.append(samples)
    print("ready", flush=True)
    time.sleep({sleep_s})
    end = time.monotonic() + {seconds}
    while time.monotonic() < end:
        parts.append(microphone.read(timeout_s=0.2, min_samples=512))
    np.save(sys.argv[1], np.concatenate(parts))
    print(microphone.sample_rate, microphone.dropped_samples, microphone.overflows)
"""


@contextmanager
def started(code: str, sound: VirtualMicrophone, *arguments: object):
    """A Python process that hears ``sound``; it does not outlive the test."""
    with subprocess.Popen([sys.executable, "-u", "-c", code, *map(str, arguments)], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, **sound.environment}) as child:  # fmt: skip
        try:
            yield child
        finally:
            child.kill()


def record(sound: VirtualMicrophone, out: Path, play: Path | None = None, **settings: float):
    """Record to ``out``; returns sample rate, dropped samples and overflows."""
    code = CAPTURE.format(**{"sleep_s": 0, "buffer_s": 10, **settings})
    with started(code, sound, out) as child:
        assert child.stdout.readline() == "ready\n", child.stderr.read()
        if play:
            sound.play(play)
        report, notes = child.communicate(timeout=30)
    assert child.returncode == 0, notes
    return tuple(map(int, report.split()))


@pytest.mark.microphone
def test_what_is_played_is_captured(sound, tmp_path):
    # Noise up to 2 kHz: the sound server's own resampler shifts by parts of a sample.
    rng = np.random.default_rng(0)
    played = resample(rng.uniform(-0.5, 0.5, 6_000).astype(np.float32), 4_000, 48_000)
    write_wav(tmp_path / "noise.wav", played, 48_000)
    rate, dropped, overflows = record(
        sound, tmp_path / "heard.npy", tmp_path / "noise.wav", seconds=4
    )
    assert (dropped, overflows) == (0, 0)
    heard = resample(np.load(tmp_path / "heard.npy"), rate)
    assert len(heard) > 16_000 * 3.5
    source = resample(played, 48_000)
    size = 2 ** int(np.ceil(np.log2(len(heard) + len(source))))
    product = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(source, size))
    lag = int(np.argmax(np.fft.irfft(product)[: len(heard)]))
    part = heard[lag : lag + len(source)]
    assert np.corrcoef(part, source[: len(part)])[0, 1] > 0.95
    assert np.abs(part).max() == pytest.approx(np.abs(source).max(), rel=0.1)


@pytest.mark.microphone
def test_samples_that_nobody_read_are_dropped_and_counted(sound, tmp_path):
    rate, dropped, _ = record(sound, tmp_path / "heard.npy", seconds=1, sleep_s=2, buffer_s=0.5)
    assert dropped == pytest.approx(1.5 * rate, rel=0.3)


LOST = """
import time
from wakeword.audio.microphone import Microphone
from wakeword.errors import DeviceError, DeviceLostError
def hear(microphone):
    while not len(microphone.read()):
        pass
    print("heard", flush=True)
    while True:
        microphone.read()
try:
    with Microphone() as microphone:
        hear(microphone)
except DeviceLostError as error:
    print(error, flush=True)
while True:
    time.sleep(0.1)
    try:
        with Microphone(refresh=True) as microphone:
            while not len(microphone.read()):
                pass
            print("heard again", flush=True)
            break
    except DeviceError as error:
        print("waiting:", error, flush=True)
"""


@pytest.mark.microphone
def test_a_vanished_microphone_is_noticed_and_can_be_opened_again(sound):
    with started(LOST, sound) as child:
        assert next(child.stdout) == "heard\n"
        sound.stop()
        # PortAudio ends the stream at once or, on a busy machine, after our own patience.
        lost = r"microphone 'default' (has vanished: its stream ended|delivers nothing: .*)\n"
        assert re.fullmatch(lost, next(child.stdout))
        assert next(child.stdout).startswith("waiting: ")
        sound.start()
        assert [line for line in child.stdout if "waiting" not in line] == ["heard again\n"]
        assert child.wait(30) == 0


REFUSED = """
from wakeword.audio.microphone import Microphone
from wakeword.errors import DeviceError
microphone = Microphone()
print("found", flush=True)
input()
try:
    with microphone:
        print("opened")
except DeviceError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.microphone
def test_a_microphone_that_does_not_open_is_said_to_be_busy_perhaps(sound):
    with started(REFUSED, sound) as child:
        assert next(child.stdout) == "found\n"
        sound.stop()
        said, _ = child.communicate("\n", timeout=30)
    assert said.startswith("DeviceError microphone 'default' cannot be opened; another program")


@pytest.mark.microphone
@pytest.mark.slow
def test_a_sound_server_that_hangs_counts_as_vanished_and_does_not_hang_us(sound):
    with started(LOST, sound) as child:
        assert next(child.stdout) == "heard\n"
        os.kill(sound.pid, signal.SIGSTOP)
        continued = threading.Timer(15.0, os.kill, (sound.pid, signal.SIGCONT))
        continued.start()
        assert "delivers nothing: no samples for 2." in next(child.stdout)
        assert next(child.stdout).startswith("waiting: the audio system hangs: opening")
        assert continued.is_alive(), "we were told before the server went on"
        continued.join()
        assert [line for line in child.stdout if "waiting" not in line] == ["heard again\n"]
        assert child.wait(30) == 0


@pytest.mark.microphone
def test_devices_are_listed(sound):
    code = (
        "import json, dataclasses; from wakeword.audio.devices import list_devices\n"
        "print(json.dumps([dataclasses.asdict(d) for d in list_devices()]))"
    )
    (device,) = json.loads(run_python(code, sound.environment).stdout)
    assert device["name"] == "default"
    assert device["is_default"]
    assert device["host_api"] == "ALSA"
    assert device["sample_rate"] in (44_100, 48_000)
