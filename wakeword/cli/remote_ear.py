"""What hears the microphone of ``wakeword stream``: a service, over one stream a microphone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wakeword.audio.microphone import Microphone
from wakeword.audio.pcm import Samples
from wakeword.audio.resample import MODEL_RATE, Resampler
from wakeword.cli.meter import LiveMeter
from wakeword.cli.options import note
from wakeword.cli.remote import Remote, RemoteStream
from wakeword.cli.reporter import Reporter


class RemoteEar:
    """Sends the sound of one microphone after the other; times go on from one to the next.

    Parameters
    ----------
    remote
        With the start of the first stream, at the rate of the models.
    meter
        Shows the level; None: nothing does.
    """

    def __init__(self, remote: Remote, reporter: Reporter, meter: LiveMeter | None = None) -> None:
        self._remote = remote
        self._reporter = reporter
        self._meter = meter
        self._stream: RemoteStream | None = None
        self._samples = 0
        self._unheard_s = 0.0

    def begin(self, microphone: Microphone) -> None:
        """Open a stream; where there was one before, the service may be away meanwhile."""
        again = self._samples > 0
        remote = replace(
            self._remote,
            start=replace(self._remote.start, first_sample=self._samples),
            options=replace(self._remote.options, patient=again),
        )
        self._resampler = Resampler(microphone.sample_rate, MODEL_RATE)
        self._stream = remote.open(self._reporter).__enter__()
        note(f"streaming '{microphone.device.name}' to {self._remote.url}")

    def take(self, samples: Samples) -> None:
        """Send the next samples (n,)."""
        if self._meter and len(samples):
            self._meter.hear(samples)
        self._send(self._resampler.process(samples))

    def end(self) -> None:
        """End the stream when all of it was heard."""
        assert self._stream is not None, "begin() comes first"
        self._send(self._resampler.process(np.zeros(0, np.float32), last=True))
        self._unheard_s += self._stream.finish().unheard_s
        self.close()

    def close(self) -> None:
        """Leave, whatever is under way."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.__exit__(None, None, None)

    def summary(self) -> str:
        """What there was, to say at the end."""
        count = self._reporter.detections
        heard = "1 detection" if count == 1 else f"{count} detections"
        lost = f"; {self._unheard_s:.1f} s were lost" if self._unheard_s else ""
        return f"{heard} in {self._samples / MODEL_RATE:.1f} s of sound{lost}"

    def _send(self, samples: Samples) -> None:
        assert self._stream is not None, "begin() comes first"
        self._samples += len(samples)
        self._stream.take(samples)
