"""What hears the microphone of ``wakeword listen``: spotter, and what each detection sets off."""

from __future__ import annotations

from dataclasses import replace

import click
import numpy as np

from wakeword.audio.microphone import Microphone
from wakeword.audio.pcm import Samples
from wakeword.cli.actions import Action
from wakeword.cli.capture import Losses, capture
from wakeword.cli.clips import ClipWriter
from wakeword.cli.detect import detection_line
from wakeword.cli.meter import LiveMeter
from wakeword.cli.options import note
from wakeword.runtime import Detection, Spotter


class Listener:
    """Hears words from one microphone after the other, and reports them.

    Times count the sound that was heard since the beginning, over all microphones.

    Parameters
    ----------
    as_json
        Print detections as JSON lines.
    meter, action, clips
        What else is done; None is nothing.
    """

    def __init__(
        self,
        spotter: Spotter,
        as_json: bool,
        meter: LiveMeter | None = None,
        action: Action | None = None,
        clips: ClipWriter | None = None,
    ) -> None:
        self._spotter = spotter
        self._as_json = as_json
        self._meter, self._action, self._clips = meter, action, clips
        self._before_s = 0.0
        self._stream_samples = 0
        self._rate = 1
        self._detections = 0
        self._losses = Losses()

    def run(self, microphone: Microphone, wanted: str | None, deadline_s: float | None) -> None:
        """Listen until the deadline (of ``time.monotonic()``; None: for ever).

        Parameters
        ----------
        microphone
            The first one, not yet open.
        wanted
            What the user called it; None is the default device, whichever that becomes.
        """
        capture(microphone, wanted, deadline_s, self, self._losses)

    def finish(self) -> None:
        """End what is still under way and say what there was."""
        if self._clips:
            self._clips.finish()
        if self._action:
            self._action.finish()
        heard = "1 detection" if self._detections == 1 else f"{self._detections} detections"
        seconds = self._before_s + self._stream_samples / self._rate
        note(f"{heard} in {seconds:.1f} s of sound{self._losses.summary()}")

    def begin(self, microphone: Microphone) -> None:
        """A new stream."""
        self._rate = microphone.sample_rate
        self._spotter.reset(sample_rate=self._rate, channels=1)
        if self._clips:
            self._clips.start(self._rate)
        note(f"listening to '{microphone.device.name}' at {self._rate} Hz")

    def take(self, samples: Samples) -> None:
        """Hear the next samples (n,)."""
        self._take(samples)
        if self._action:
            self._action.reap()

    def end(self) -> None:
        """The stream ends; times go on from here."""
        self._take(np.zeros(0, np.float32), last=True)
        if self._clips:
            self._clips.finish()
        self._before_s += self._stream_samples / self._rate
        self._stream_samples = 0

    def _take(self, samples: Samples, last: bool = False) -> None:
        self._stream_samples += len(samples)
        if self._clips:
            self._clips.add(samples)
        if self._meter and len(samples):
            self._meter.hear(samples)
        for result in self._spotter.steps(samples, last):
            if self._meter:
                self._meter.score(result)
            for detection in result.detections:
                self._report(detection)
        if self._clips:
            self._clips.write_due()

    def _report(self, in_stream: Detection) -> None:
        self._detections += 1
        before = round(self._before_s * in_stream.sample_rate)
        detection = replace(
            in_stream,
            start_sample=in_stream.start_sample + before,
            end_sample=in_stream.end_sample + before,
        )
        clip = self._clips.plan(in_stream, detection.end_s) if self._clips else None
        extra = {"clip": str(clip)} if clip else {}
        click.echo(detection_line(detection, self._as_json, after=extra))
        if self._action:
            self._action.start(detection)
