"""What ``wakeword listen`` and ``wakeword devices`` refuse, before any sound is heard."""

from __future__ import annotations

import re

import pytest
from refusals import refused

NO_DEVICE = "pcm.!default { type hw card 99 }\nctl.!default { type hw card 99 }\n"


@pytest.mark.microphone
def test_an_unknown_device_is_answered_with_those_that_exist(sound, run_cli, tiny_bundle):
    done = run_cli("listen", "-m", tiny_bundle, "--device", "kinect", env=sound.environment)
    assert done.returncode == 2
    assert done.stderr == "error: no microphone called 'kinect'; there are: 0: default\n"


@pytest.mark.parametrize("command", [["listen"], ["devices"]])
def test_a_machine_without_microphones_is_told_so(run_cli, tiny_bundle, tmp_path, command):
    (tmp_path / "asound.conf").write_text(NO_DEVICE, "utf-8")
    environment = {
        "ALSA_CONFIG_PATH": str(tmp_path / "asound.conf"),
        "WAKEWORD_MODELS": str(tiny_bundle.parent),
    }
    if command == ["listen"]:
        command = ["listen", "--duration", "1", "--model", "tiny"]
    done = run_cli(*command, env=environment)
    # Only ALSA's devices can be hidden so, and without PortAudio none are looked for.
    if done.returncode == 0 or "PortAudio library" in done.stderr:
        pytest.skip("needs PortAudio, and ALSA as its only way to devices")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "error: no microphone found: no audio device can record\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--exec", ""], "--exec: the command is empty"),
        (["--exec", "echo 'open"], "--exec: No closing quotation: echo 'open"),
        (["--exec", "no-such-program {keyword}"], "--exec: there is no program 'no-such-program'"),
        (["--threshold", "0.5", "--false-alarms-per-hour", "1"], "not both"),
        (["--duration", "-1"], "-1"),
        (["--duration", "nan"], "nan"),
        (["--threads", "0"], "0"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_opened(
    run_cli, tiny_bundle, arguments, message
):
    done = run_cli("listen", "--model", tiny_bundle, *arguments)
    refused(done, "(?m)^error: .*" + re.escape(message))


@pytest.mark.microphone
def test_a_file_in_the_place_of_the_clip_folder_is_refused(sound, run_cli, tiny_bundle, tmp_path):
    (tmp_path / "clips").write_text("mine", "utf-8")
    done = run_cli("listen", "--model", tiny_bundle, "--save-clips", tmp_path / "clips",
                   env=sound.environment)  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == f"error: {tmp_path / 'clips'}: File exists\n"
    assert (tmp_path / "clips").read_text("utf-8") == "mine"
