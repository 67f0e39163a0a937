"""``wakeword devices``: which microphones ``wakeword listen --device`` can name."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from wakeword.audio.devices import list_devices
from wakeword.errors import DeviceError

EPILOG = """\b
Examples:
  wakeword devices
  wakeword devices --json
  wakeword listen --device "USB Microphone"
"""


@click.command(epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per device.")
def devices(as_json: bool) -> None:
    """List the microphones.

    A line is: number, name, host API, channels, native sample rate; the default one has a star.
    Give the number, the name or a part of the name to "wakeword listen --device".
    """
    found = list_devices()
    if not found:
        raise DeviceError("no microphone found: no audio device can record")
    width = max(len(device.name) for device in found)
    for device in found:
        if as_json:
            click.echo(json.dumps(asdict(device), ensure_ascii=False))
        else:
            click.echo(
                f"{'*' if device.is_default else ' '} {device.index:3}  {device.name:{width}}  "
                f"{device.host_api}  {device.channels} ch  {device.sample_rate} Hz"
            )
