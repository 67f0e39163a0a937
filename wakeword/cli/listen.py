"""``wakeword listen``: hear words from a microphone, as they are said."""

from __future__ import annotations

import math
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import click

from wakeword.audio.microphone import Microphone
from wakeword.cli.actions import Action
from wakeword.cli.capture import exit_on_sigterm
from wakeword.cli.clips import ClipWriter
from wakeword.cli.listener import Listener
from wakeword.cli.meter import LiveMeter
from wakeword.cli.options import ModelOptions, model_options

EPILOG = """\b
Examples:
  wakeword listen
  wakeword listen --device "USB Microphone" --model computer --model jarvis
  wakeword listen --false-alarms-per-hour 0.1 --json > detections.jsonl
  wakeword listen --exec 'notify-send "heard {keyword}"'
  wakeword listen --save-clips clips --duration 3600
"""


@click.command(epilog=EPILOG)
@click.option("--device", "-d", metavar="DEVICE",
              help="Number, name or part of a name, see \"wakeword devices\". "
                   "Without it: the default microphone.")  # fmt: skip
@model_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per detection.")
@click.option("--exec", "command", metavar="CMD",
              help="Run a program on each detection, without a shell. {keyword}, {score}, "
                   "{threshold}, {start_s}, {end_s} and {model} are replaced; WAKEWORD_KEYWORD "
                   "and so on are in its environment.")  # fmt: skip
@click.option("--save-clips", "clips", metavar="DIR", type=click.Path(path_type=Path),
              help="Save the 3 s around each detection as wav.")  # fmt: skip
@click.option("--duration", "duration_s", metavar="SECONDS", type=click.FloatRange(min=0.0),
              help="Stop after this time. Without it: at Ctrl-C.")  # fmt: skip
def listen(
    device: str | None,
    models: ModelOptions,
    as_json: bool,
    command: str | None,
    clips: Path | None,
    duration_s: float | None,
) -> None:
    """Listen to a microphone and report each word.

    A line is: end of the word in seconds, word, score, threshold. Seconds count the sound that
    was heard: a microphone that vanishes is waited for, and that time does not count.
    """
    if duration_s is not None and not math.isfinite(duration_s):
        raise click.BadParameter(f"--duration: {duration_s} is no number of seconds")
    action = Action(command) if command is not None else None
    spotter = models.open_spotter()
    microphone = Microphone(device)
    meter = None
    if sys.stderr.isatty() and not as_json:
        meter = LiveMeter({w: t for s in spotter.streams for w, t in s.thresholds.items()})
    listener = Listener(spotter, as_json, meter, action, ClipWriter(clips) if clips else None)
    deadline_s = None if duration_s is None else time.monotonic() + duration_s
    exit_on_sigterm()
    try:
        with meter or nullcontext():
            listener.run(microphone, device, deadline_s)
    finally:
        listener.finish()
