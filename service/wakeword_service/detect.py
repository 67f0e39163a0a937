"""One recording through the loaded models, beside the streams."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from wakeword.audio.files import open_audio
from wakeword.errors import AudioError
from wakeword.runtime import Detection, Engine, Stream

MAX_S = 3600.0
"""Longest recording; ``wakeword detect`` takes any length."""


class TooLong(AudioError):
    """A recording is longer than is scored in one request."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the recording is at least {seconds:.0f} s long, but the limit is {MAX_S:g} s"
        )
        self.value, self.limit = round(seconds, 3), MAX_S


def detect_file(
    path: Path, chosen: Sequence[tuple[Engine, dict[str, float]]]
) -> tuple[float, list[Detection]]:
    """Seconds and detections of a recording, in the order of time.

    Parameters
    ----------
    chosen
        Engines, each with the threshold of every word that it is to hear.

    Raises
    ------
    AudioError
        It cannot be read, or is longer than :data:`MAX_S`.
    """
    seconds, found = 0.0, []
    with open_audio(path) as audio:
        rate = audio.info.sample_rate
        streams = [
            engine.open_stream(rate, 1, thresholds, words=tuple(thresholds))
            for engine, thresholds in chosen
        ]
        if (audio.info.duration_s or 0.0) > MAX_S:
            raise TooLong(audio.info.duration_s or 0.0)
        with closing(audio.blocks()) as blocks:
            for block in blocks:
                seconds += len(block) / rate
                if seconds > MAX_S:
                    raise TooLong(seconds)
                for stream in streams:
                    stream.accept(block)
                    found += _step(stream)
    for stream in streams:
        stream.finish()
        found += _step(stream)
    return seconds, sorted(found, key=lambda d: d.end_s)


def _step(stream: Stream) -> list[Detection]:
    return [d for result in stream.engine.step([stream]) for d in result.detections]
