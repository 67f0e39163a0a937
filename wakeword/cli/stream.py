"""``wakeword stream``: let a service hear the words."""

from __future__ import annotations

import math
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import click

from wakeword.audio.files import AudioReader, RawFormat
from wakeword.audio.microphone import Microphone
from wakeword.audio.pcm import Samples
from wakeword.audio.resample import MODEL_RATE
from wakeword.cli.capture import Losses, capture, exit_on_sigterm
from wakeword.cli.clips import ClipFolder
from wakeword.cli.meter import LiveMeter
from wakeword.cli.options import note, raw_options, threshold_options
from wakeword.cli.recordings import for_each_recording
from wakeword.cli.remote import Remote
from wakeword.cli.remote_ear import RemoteEar
from wakeword.cli.reporter import Reporter
from wakeword.client import PROTOCOL, ClientOptions, StartMessage, stream_url

DEFAULT_URL = "ws://127.0.0.1:8765"
_PACE_S = 0.1
_MAX_NAME_CHARS = 64

EPILOG = """\b
Examples:
  wakeword stream --url ws://hub.local:8765 --model computer
  wakeword stream --device "USB Microphone" --json > detections.jsonl
  wakeword stream recording.mp3 meeting.flac
  arecord -q -f S16_LE -r 16000 | wakeword stream - --rate 16000
  WAKEWORD_KEY=ww_... wakeword stream --url wss://wake.example.org
"""


class _Report(NamedTuple):
    as_json: bool
    scores: bool
    clips: Path | None


@click.command(epilog=EPILOG)
@click.argument("files", nargs=-1, metavar="[FILE...]")
@click.option("--url", metavar="URL", default=DEFAULT_URL, show_default=True,
              envvar="WAKEWORD_URL", show_envvar=True, help="The service.")  # fmt: skip
@click.option("--key", metavar="KEY", envvar="WAKEWORD_KEY", show_envvar=True,
              help="API key, where the service wants one. In the environment nobody reads it off "
                   "the list of processes.")  # fmt: skip
@click.option("--device", "-d", metavar="DEVICE",
              help="Number, name or part of a name, see \"wakeword devices\". "
                   "Without it: the default microphone.")  # fmt: skip
@click.option("--model", "-m", "models", multiple=True, metavar="MODEL",
              help="Model, word or MODEL:WORD of the service; repeatable. "
                   "Without it: all its words.")  # fmt: skip
@threshold_options
@raw_options
@click.option("--name", metavar="NAME", help="What the stream is called in the service's lists. "
              "[default: name of this computer]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per detection.")
@click.option("--scores", is_flag=True, help="Print the score of every word every 100 ms, too.")
@click.option("--save-clips", "clips", metavar="DIR", type=click.Path(path_type=Path),
              help="Save the sound of each detection as wav.")  # fmt: skip
@click.option("--real-time", is_flag=True,
              help="Send files as slowly as they sound, not as fast as they are taken.")
@click.option("--duration", "duration_s", metavar="SECONDS", type=click.FloatRange(min=0.0),
              help="Stop listening to the microphone after this time. Without it: at "
                   "Ctrl-C.")  # fmt: skip
@click.option("--keep", "keep_s", metavar="SECONDS", type=float, default=60.0, show_default=True,
              help="Sound that is kept while the service is away.")  # fmt: skip
@click.option("--give-up", "give_up_s", metavar="SECONDS", type=float, default=300.0,
              show_default=True, help="How long a service may be away.")  # fmt: skip
def stream(
    files: tuple[str, ...],
    url: str,
    device: str | None,
    duration_s: float | None,
    raw: RawFormat | None,
    real_time: bool,
    **asked: Any,
) -> int:
    """Let a service hear a microphone, or FILE..., and report each word.

    Files are wav, flac, ogg, opus, mp3, at any rate; "-" is wav or raw PCM on standard input. A
    line is as of "wakeword listen" and "wakeword detect". When the connection breaks, the sound
    is kept and the service looked for again.

    Exit codes: 1 when the service cannot be reached or stays away, 2 when it refuses.
    """
    if duration_s is not None and not math.isfinite(duration_s):
        raise click.BadParameter(f"--duration: {duration_s} is no number of seconds")
    if files and (device is not None or duration_s is not None):
        raise click.UsageError("--device and --duration are about the microphone, not about files")
    if not files and (raw is not None or real_time):
        raise click.UsageError(
            "--rate, --encoding, --channels and --real-time are about files; '-' is standard input"
        )
    report = _Report(asked["as_json"], asked["scores"], asked["clips"])
    options = ClientOptions(
        live=not files, keep_s=asked["keep_s"], give_up_s=asked["give_up_s"]
    )
    remote = Remote(stream_url(url), _start(asked, report, files), options)
    exit_on_sigterm()
    if files:
        return _send_files(files, raw, remote, report, real_time)
    _send_microphone(device, duration_s, remote, report)
    return 0


def _start(asked: dict[str, Any], report: _Report, files: tuple[str, ...]) -> StartMessage:
    name = asked["name"]
    if name is None:
        name = "".join(filter(str.isprintable, platform.node()))[:_MAX_NAME_CHARS]
    return StartMessage(
        protocol=PROTOCOL,
        sample_rate=MODEL_RATE,
        # A file is heard exactly as "wakeword detect" hears it; a microphone has no more bits.
        encoding="f32le" if files else "s16le",
        models=asked["models"],
        threshold=asked["threshold"],
        false_alarms_per_hour=asked["false_alarms_per_hour"],
        scores=report.scores,
        clips=report.clips is not None,
        name=name,
        key=asked["key"],
    )


def _send_files(
    files: tuple[str, ...], raw: RawFormat | None, remote: Remote, report: _Report, real_time: bool
) -> int:
    clips = ClipFolder(report.clips) if report.clips else None
    reporter = Reporter(MODEL_RATE, report.as_json, report.scores, clips)
    seconds = 0.0

    def send(name: str, _: AudioReader, blocks: Iterator[Samples]) -> None:
        nonlocal seconds
        reporter.name = name
        with remote.open(reporter) as stream:
            for block in _paced(blocks) if real_time else blocks:
                stream.take(block)
            seconds += stream.finish().seconds

    code = for_each_recording(files, raw, MODEL_RATE, send)
    if not report.as_json:
        count = reporter.detections
        heard = "1 detection" if count == 1 else f"{count} detections"
        note(f"{heard} in {seconds:.1f} s of audio")
    return code


def _send_microphone(
    device: str | None, duration_s: float | None, remote: Remote, report: _Report
) -> None:
    clips = ClipFolder(report.clips) if report.clips else None
    microphone = Microphone(device)
    meter = None
    if sys.stderr.isatty() and not report.as_json and not report.scores:
        meter = LiveMeter({})
        remote = remote.with_scores()
    reporter = Reporter(MODEL_RATE, report.as_json, report.scores, clips, meter)
    ear, losses = RemoteEar(remote, reporter, meter), Losses()
    deadline_s = None if duration_s is None else time.monotonic() + duration_s
    try:
        with meter or nullcontext():
            capture(microphone, device, deadline_s, ear, losses)
    finally:
        ear.close()
        note(f"{ear.summary()}{losses.summary()}")


def _paced(blocks: Iterator[Samples]) -> Iterator[Samples]:
    """The blocks in short pieces, each when its last sample would have been heard."""
    began_s, given, piece = time.monotonic(), 0, round(_PACE_S * MODEL_RATE)
    for block in blocks:
        for at in range(0, len(block), piece):
            part = block[at : at + piece]
            given += len(part)
            time.sleep(max(0.0, began_s + given / MODEL_RATE - time.monotonic()))
            yield part
