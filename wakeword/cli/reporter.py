"""What ``wakeword stream`` says about the events of a stream."""

from __future__ import annotations

import json
from pathlib import Path

import click

from wakeword.audio.pcm import to_mono_float32
from wakeword.cli.clips import ClipFolder
from wakeword.cli.detect import detection_line
from wakeword.cli.meter import LiveMeter
from wakeword.cli.options import note
from wakeword.client import (
    BacklogFull,
    Clip,
    DetectionMessage,
    Disconnected,
    Event,
    ReadyMessage,
    Resumed,
    ScoreMessage,
    WarningMessage,
)
from wakeword.runtime import Detection


class Reporter:
    """Prints detections and scores on stdout, all else on stderr, and saves clips.

    Parameters
    ----------
    sample_rate
        Of the streams.
    as_json
        Print JSON lines.
    scores
        Print scores too.
    clips
        Where clips are saved; None: nowhere.
    meter
        Gets the scores; None: there is none.
    """

    def __init__(
        self,
        sample_rate: int,
        as_json: bool,
        scores: bool = False,
        clips: ClipFolder | None = None,
        meter: LiveMeter | None = None,
    ) -> None:
        self._rate = sample_rate
        self._as_json = as_json
        self._scores = scores
        self._clips = clips
        self._meter = meter
        self._paths: dict[str, Path] = {}
        self.name: str | None = None
        """Of the recording that is streamed now."""
        self.detections = 0

    def __call__(self, event: Event) -> None:
        """Report one event."""
        if isinstance(event, DetectionMessage):
            self._detection(event)
        elif isinstance(event, ScoreMessage):
            self._score(event)
        elif isinstance(event, Clip):
            self._clip(event)
        elif isinstance(event, ReadyMessage):
            self._ready(event)
        elif isinstance(event, WarningMessage):
            note(f"the service warns: {event.message}")
        else:
            note(_about_connection(event))

    def _detection(self, message: DetectionMessage) -> None:
        self.detections += 1
        detection = Detection(
            keyword=message.keyword,
            score=message.score,
            threshold=message.threshold,
            start_sample=message.start_sample,
            end_sample=message.end_sample,
            sample_rate=self._rate,
            model=message.model,
        )
        more = {"id": message.id}
        if self._clips:
            path = self._clips.reserve(message.keyword, message.end_s)
            self._paths[message.id] = path
            more["clip"] = str(path)
        click.echo(detection_line(detection, self._as_json, self.name, more))

    def _score(self, message: ScoreMessage) -> None:
        if self._meter:
            self._meter.show(message.scores)
        if not self._scores:
            return
        if self._as_json:
            named = {} if self.name is None else {"file": self.name}
            record = {
                **named,
                "scores": {word: round(score, 6) for word, score in message.scores.items()},
                "end_s": message.end_s,
                "end_sample": message.end_sample,
                "sample_rate": self._rate,
                "model": message.model,
            }
            click.echo(json.dumps(record, ensure_ascii=False))
        else:
            named_text = "" if self.name is None else f"{self.name}  "
            scores = "  ".join(f"{word}={score:.3f}" for word, score in message.scores.items())
            click.echo(f"{named_text}{message.end_s:8.2f}  {scores}")

    def _clip(self, clip: Clip) -> None:
        path = self._paths.pop(clip.detection_id, None)
        if self._clips and path:
            self._clips.write(path, to_mono_float32(clip.samples), clip.sample_rate)

    def _ready(self, ready: ReadyMessage) -> None:
        if self._meter:
            self._meter.expect({w.word: w.threshold for m in ready.models for w in m.words})


def _about_connection(event: Disconnected | Resumed | BacklogFull) -> str:
    if isinstance(event, Disconnected):
        return f"{event.reason}; trying again in {event.retry_in_s:.1f} s"
    if isinstance(event, Resumed):
        lost = f"; {event.unheard_s:.1f} s before it are lost" if event.unheard_s else ""
        return f"connected again; {event.resent_s:.1f} s of sound were kept{lost}"
    if event.connected:
        return (
            f"the service acknowledges nothing: should the connection break, sound older than "
            f"{event.keep_s:g} s could not be sent again"
        )
    return f"the service has been away for more than {event.keep_s:g} s: older sound is lost"
