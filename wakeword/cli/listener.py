"""The loop behind ``wakeword listen``: microphone, spotter, and what each detection sets off."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import click
import numpy as np

from wakeword.audio.microphone import Microphone
from wakeword.audio.pcm import Samples
from wakeword.cli.actions import Action
from wakeword.cli.clips import ClipWriter
from wakeword.cli.detect import detection_record
from wakeword.cli.meter import LiveMeter
from wakeword.cli.options import note
from wakeword.errors import DeviceError, DeviceLostError
from wakeword.runtime import Detection, Spotter

RETRY_S = 1.0
"""How often a vanished microphone is looked for."""

_CHUNK_S = 0.05
_SAY_LOSS_EVERY_S = 5.0


class Listener:
    """Hears words from one microphone after the other, and reports them.

    Times count the sound that was heard since the beginning. Where a microphone vanished, its
    stream ends; the next one is a new stream, so that no word is made of two halves, and its
    times go on from there.

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
        microphone.open()
        while True:
            try:
                self._hear(microphone, deadline_s)
                return
            except DeviceLostError as lost:
                note(f"{lost}; waiting for it")
            finally:
                microphone.close()
            # A number may mean another device once some have come and gone; a name does not.
            name = None if wanted is None else microphone.device.name
            found = _wait_for(name, deadline_s)
            if found is None:
                return
            microphone = found

    def finish(self) -> None:
        """End what is still under way and say what there was."""
        if self._clips:
            self._clips.finish()
        if self._action:
            self._action.finish()
        heard = "1 detection" if self._detections == 1 else f"{self._detections} detections"
        seconds = self._before_s + self._stream_samples / self._rate
        note(f"{heard} in {seconds:.1f} s of sound{self._losses.summary()}")

    def _hear(self, microphone: Microphone, deadline_s: float | None) -> None:
        self._rate = microphone.sample_rate
        self._spotter.reset(sample_rate=self._rate, channels=1)
        if self._clips:
            self._clips.start(self._rate)
        self._losses.start()
        note(f"listening to '{microphone.device.name}' at {self._rate} Hz")
        try:
            while not _is_over(deadline_s):
                self._take(microphone.read(0.5, round(_CHUNK_S * self._rate)))
                self._losses.count(microphone)
                if self._action:
                    self._action.reap()
        except DeviceLostError:
            self._end_stream()
            raise
        self._end_stream()

    def _end_stream(self) -> None:
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
        if self._as_json:
            record = detection_record(detection)
            if clip:
                record["clip"] = str(clip)
            click.echo(json.dumps(record, ensure_ascii=False))
        else:
            click.echo(
                f"{detection.end_s:8.2f}  {detection.keyword}  {detection.score:.3f}  "
                f"{detection.threshold:.3f}"
            )
        if self._action:
            self._action.start(detection)


class Losses:
    """Counts input that was lost, over all microphones, and says so now and then."""

    def __init__(self) -> None:
        self._dropped_s = 0.0
        self._overflows = 0
        self._unsaid = False
        self._said_at_s = 0.0
        self.start()

    def start(self) -> None:
        """The next microphone begins to count from zero."""
        self._seen = (0, 0)

    def count(self, microphone: Microphone) -> None:
        """Take over what ``microphone`` has counted."""
        now = (microphone.dropped_samples, microphone.overflows)
        self._unsaid = self._unsaid or now != self._seen
        self._dropped_s += (now[0] - self._seen[0]) / microphone.sample_rate
        self._overflows += now[1] - self._seen[1]
        self._seen = now
        if self._unsaid and time.monotonic() - self._said_at_s >= _SAY_LOSS_EVERY_S:
            self._unsaid, self._said_at_s = False, time.monotonic()
            note(f"this machine is too slow or was asleep{self.summary()}")

    def summary(self) -> str:
        """What was lost until now, to end a sentence with; empty where nothing was."""
        parts = []
        if self._dropped_s:
            parts.append(f"; {self._dropped_s:.2f} s of input were dropped")
        if self._overflows:
            times = "once" if self._overflows == 1 else f"{self._overflows} times"
            parts.append(f"; the device lost input {times}")
        return "".join(parts)


def _wait_for(name: str | None, deadline_s: float | None) -> Microphone | None:
    while not _is_over(deadline_s):
        try:
            microphone = Microphone(name, refresh=True)
            microphone.open()
        except DeviceError:
            time.sleep(RETRY_S)
        else:
            return microphone
    return None


def _is_over(deadline_s: float | None) -> bool:
    return deadline_s is not None and time.monotonic() >= deadline_s
