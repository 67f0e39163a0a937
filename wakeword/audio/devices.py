"""Which microphones there are, through PortAudio (sounddevice, extra 'mic')."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wakeword.audio.patience import OPENING
from wakeword.audio.resample import check_rate
from wakeword.errors import DeviceError, MissingExtraError, SampleRateError


@dataclass(frozen=True)
class InputDevice:
    """A device that can record.

    index: PortAudio's number, valid until devices come or go.
    sample_rate: native rate in Hz.
    """

    index: int
    name: str
    host_api: str
    channels: int
    sample_rate: int
    is_default: bool


def portaudio() -> Any:
    """Import sounddevice, which starts PortAudio.

    Raises
    ------
    MissingExtraError
        sounddevice is not installed.
    DeviceError
        The PortAudio library is missing or does not start.
    """
    try:
        import sounddevice
    except ImportError as error:
        raise MissingExtraError("sounddevice", "mic", "listening to a microphone") from error
    except OSError as error:
        raise DeviceError(
            f"the PortAudio library cannot be loaded ({error}); on Debian and Ubuntu: "
            "apt install libportaudio2, on Fedora: dnf install portaudio"
        ) from error
    except Exception as error:
        # sounddevice has no exception of its own to name before it is imported.
        raise DeviceError(f"PortAudio does not start: {error}") from error
    return sounddevice


def list_devices(refresh: bool = False) -> list[InputDevice]:
    """All devices that can record.

    Parameters
    ----------
    refresh
        Restart PortAudio first: it looks for devices only when it starts. No stream may be
        open, because restarting ends them all.
    """
    return OPENING.call(lambda: _query(portaudio(), refresh))


def find_device(wanted: str | int | None, devices: Sequence[InputDevice]) -> InputDevice:
    """Choose a device.

    Parameters
    ----------
    wanted
        Its number, its name or a part of the name (in any case), or None for the default.

    Raises
    ------
    DeviceError
        There is no input at all, none of this name, or several; the message says which exist.
    SampleRateError
        The device reports an impossible rate.
    """
    if not devices:
        raise DeviceError("no microphone found: no audio device can record")
    chosen = _matches(wanted, devices)
    names = "; ".join(f"{d.index}: {d.name}" for d in chosen or devices)
    if not chosen:
        raise DeviceError(
            f"no microphone called '{wanted}'; there are: {names}"
            if wanted is not None
            else f"no default microphone is set; choose one of: {names}"
        )
    if len(chosen) > 1:
        raise DeviceError(f"'{wanted}' fits several microphones, give a number: {names}")
    try:
        check_rate(chosen[0].sample_rate)
    except SampleRateError as error:
        raise SampleRateError(f"microphone '{chosen[0].name}': {error}") from error
    return chosen[0]


def _matches(wanted: str | int | None, devices: Sequence[InputDevice]) -> list[InputDevice]:
    if wanted is None:
        return [d for d in devices if d.is_default]
    text = str(wanted).strip().lower()
    if text.isdecimal():
        return [d for d in devices if d.index == int(text)]
    exact = [d for d in devices if text in (d.name.lower(), f"{d.name}, {d.host_api}".lower())]
    return exact or [d for d in devices if text and text in f"{d.name}, {d.host_api}".lower()]


def _query(sounddevice: Any, refresh: bool) -> list[InputDevice]:
    try:
        if refresh:
            sounddevice._terminate()
            sounddevice._initialize()
        apis = [api["name"] for api in sounddevice.query_hostapis()]
        default = sounddevice.default.device[0]
        devices = list(enumerate(sounddevice.query_devices()))
    except sounddevice.PortAudioError as error:
        raise DeviceError(f"PortAudio does not work: {error}") from error
    return [
        InputDevice(
            index,
            device["name"],
            apis[device["hostapi"]],
            device["max_input_channels"],
            round(device["default_samplerate"]),
            index == default,
        )
        for index, device in devices
        if device["max_input_channels"] > 0
    ]
