"""A real microphone without hardware: a private PulseAudio whose null sink is recorded.

What is played into the sink arrives at the default input. Everything lives in one folder:
the socket, PulseAudio's state, and the ALSA configuration that leads PortAudio to it.
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ASOUND = """\
pcm.!default { type pulse }
ctl.!default { type pulse }
"""


def require_virtual_microphone() -> None:
    """Skip the test where the parts of the sound system are missing."""
    missing = [name for name in ("pulseaudio", "paplay", "pactl") if shutil.which(name) is None]
    if ctypes.util.find_library("portaudio") is None:
        missing.append("libportaudio2")
    if not list(Path("/usr/lib").glob("**/libasound_module_pcm_pulse.so")):
        missing.append("libasound2-plugins")
    if missing:
        pytest.skip(f"no virtual microphone without: {', '.join(missing)}")


class VirtualMicrophone:
    """PulseAudio on a socket of its own, with one null sink; start and stop it at will."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server: subprocess.Popen[bytes] | None = None
        (folder / "asound.conf").write_text(ASOUND, "utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead a process (PortAudio, pactl, paplay) to this server only."""
        return {
            "HOME": str(self.folder),
            "XDG_RUNTIME_DIR": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "PULSE_SERVER": f"unix:{self.folder / 'pulse.sock'}",
            "ALSA_CONFIG_PATH": str(self.folder / "asound.conf"),
        }

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        assert self._server is not None, "not started"
        return self._server.pid

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._server = subprocess.Popen(
            ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
             "-L", f"module-native-protocol-unix auth-anonymous=1 socket={self.folder}/pulse.sock",
             "-L", "module-null-sink sink_name=speaker rate=48000"],
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 20
        while self._run("pactl", "info").returncode != 0:
            if self._server.poll() is not None or time.monotonic() > deadline:
                self.stop()
                pytest.skip("PulseAudio does not start on this machine")
            time.sleep(0.05)

    def stop(self) -> None:
        """End the server: for its clients the microphone has vanished."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait(10)
            self._server = None

    def play(self, path: Path) -> None:
        """Play a sound file into the microphone and wait until it was played."""
        done = self._run("paplay", "--device=speaker", str(path))
        assert done.returncode == 0, done.stderr

    def _run(self, *command: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, timeout=60
        )
