"""``wakeword detect``: which words are heard in recordings, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import click

from wakeword.audio.files import AudioReader, RawFormat
from wakeword.audio.pcm import Samples
from wakeword.cli.options import ModelOptions, model_options, note, raw_options
from wakeword.cli.recordings import for_each_recording
from wakeword.runtime import Detection

EPILOG = """\b
Examples:
  wakeword detect recording.mp3 meeting.flac
  wakeword detect recording.wav --model computer --false-alarms-per-hour 0.1
  wakeword detect recordings/*.ogg --json > detections.jsonl
  wakeword detect - --rate 48000 --channels 2 --encoding s16le < raw.pcm
"""


@click.command(epilog=EPILOG)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@model_options
@raw_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per detection.")
def detect(
    files: tuple[str, ...],
    models: ModelOptions,
    raw: RawFormat | None,
    as_json: bool,
) -> int:
    """Print every word that is heard in FILE...: wav, flac, ogg, opus, mp3, at any rate.

    "-" is wav or raw PCM on standard input. A line is: file, end of the word in seconds, word,
    score, threshold.
    """
    spotter = models.open_spotter()
    rate = spotter.model_rate
    found, seconds = 0, 0.0

    def hear(name: str, audio: AudioReader, blocks: Iterator[Samples]) -> None:
        nonlocal found, seconds
        spotter.reset(sample_rate=rate, channels=1)
        for block in blocks:
            seconds += len(block) / rate
            found += _print(name, spotter.feed(block), as_json)
        found += _print(name, spotter.finish(), as_json)

    code = for_each_recording(files, raw, rate, hear)
    if not as_json:
        heard = "1 detection" if found == 1 else f"{found} detections"
        note(f"{heard} in {seconds:.1f} s of audio")
    return code


def detection_record(detection: Detection) -> dict[str, Any]:
    """A detection as JSON knows it, everywhere."""
    return {
        "keyword": detection.keyword,
        "score": round(detection.score, 6),
        "threshold": round(detection.threshold, 6),
        "start_s": detection.start_s,
        "end_s": detection.end_s,
        "start_sample": detection.start_sample,
        "end_sample": detection.end_sample,
        "sample_rate": detection.sample_rate,
        "model": detection.model,
    }


def detection_line(
    d: Detection,
    as_json: bool,
    name: str | None = None,
    after: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """The line that is printed for a detection.

    Parameters
    ----------
    name
        Of the recording, where there may be several.
    after
        More for the JSON object.
    """
    if as_json:
        before = {} if name is None else {"file": name}
        return json.dumps({**before, **detection_record(d), **after}, ensure_ascii=False)
    before_text = "" if name is None else f"{name}  "
    return f"{before_text}{d.end_s:8.2f}  {d.keyword}  {d.score:.3f}  {d.threshold:.3f}"


def _print(name: str, detections: list[Detection], as_json: bool) -> int:
    for detection in detections:
        click.echo(detection_line(detection, as_json, name))
    return len(detections)
