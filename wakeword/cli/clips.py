"""``--save-clips``: the sound around each detection, as wav files."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wakeword.audio.pcm import Samples
from wakeword.audio.wav import write_wav
from wakeword.cli.options import say_error
from wakeword.runtime import Detection

BEFORE_S, AFTER_S = 2.0, 1.0
"""A clip holds this much before and after the end of the detection."""

_SLACK_S = 1.0


@dataclass(frozen=True)
class _Pending:
    path: Path
    start_sample: int
    end_sample: int


class ClipFolder:
    """Names for clips in one folder, none of them twice; no existing file is overwritten.

    Parameters
    ----------
    folder
        Made if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._reserved: set[Path] = set()

    def reserve(self, keyword: str, at_s: float) -> Path:
        """Where the clip of a word that was heard ``at_s`` seconds after the beginning will be."""
        stem = f"{keyword.replace(' ', '_')}_{at_s:09.2f}s"
        path, number = self._folder / f"{stem}.wav", 1
        while path in self._reserved or path.exists():
            number += 1
            path = self._folder / f"{stem}-{number}.wav"
        self._reserved.add(path)
        return path

    def write(self, path: Path, samples: Samples, sample_rate: int) -> None:
        """Write the clip (n,) of a reserved path; that it cannot be written is only said."""
        try:
            write_wav(path, samples, sample_rate)
        except OSError as error:
            say_error(f"cannot save {path}: {error.strerror or error}")
        self._reserved.discard(path)


class ClipWriter:
    """Remembers the last seconds of a stream and writes 3 s around each detection.

    Clips have the rate of the microphone. One is written when its last second has been heard,
    or shorter, when the stream ends before. An existing file is never overwritten; a clip that
    cannot be written is reported and does not end the listening.

    Parameters
    ----------
    folder
        Made if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = ClipFolder(folder)
        self.start(1)

    def start(self, sample_rate: int) -> None:
        """Begin a stream at ``sample_rate`` Hz; what is pending must have been finished."""
        self._rate = sample_rate
        self._blocks: deque[Samples] = deque()
        self._first = 0  # position of the first remembered sample in its stream
        self._heard = 0
        self._pending: list[_Pending] = []

    def add(self, samples: Samples) -> None:
        """Remember the next samples (n,); before the detections in them are reported."""
        self._forget()
        if len(samples):
            self._blocks.append(samples)
            self._heard += len(samples)

    def plan(self, detection: Detection, name_s: float) -> Path:
        """Plan the clip of a detection and return where it will be.

        Parameters
        ----------
        detection
            With times of the present stream.
        name_s
            Time since listening began, for the name.
        """
        path = self._folder.reserve(detection.keyword, name_s)
        start = round((detection.end_s - BEFORE_S) * self._rate)
        end = start + round((BEFORE_S + AFTER_S) * self._rate)
        self._pending.append(_Pending(path, max(0, start), end))
        return path

    def write_due(self) -> None:
        """Write the clips whose end has been heard."""
        self._write([clip for clip in self._pending if clip.end_sample <= self._heard])

    def finish(self) -> None:
        """Write what is pending with what there is: the stream ends here."""
        self._write(list(self._pending))

    def _write(self, clips: list[_Pending]) -> None:
        for clip in clips:
            remembered = np.concatenate([np.zeros(0, np.float32), *self._blocks])
            start, end = (max(0, n - self._first) for n in (clip.start_sample, clip.end_sample))
            self._folder.write(clip.path, remembered[start:end], self._rate)
            # Only now: what Ctrl-C interrupts is written by finish().
            self._pending.remove(clip)

    def _forget(self) -> None:
        oldest = self._heard - round((BEFORE_S + _SLACK_S) * self._rate)
        needed = min([oldest, *(clip.start_sample for clip in self._pending)])
        while self._blocks and self._first + len(self._blocks[0]) <= needed:
            self._first += len(self._blocks.popleft())
