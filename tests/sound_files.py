"""Sound files of every kind, for tests that read them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

FORMATS = {
    "wav": {"format": "WAV", "subtype": "PCM_16"},
    "flac": {"format": "FLAC", "subtype": "PCM_16"},
    "ogg": {"format": "OGG", "subtype": "VORBIS"},
    "opus": {"format": "OGG", "subtype": "OPUS"},
    "mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III"},
    "aiff": {"format": "AIFF", "subtype": "PCM_16"},
}
LOSSLESS = {"wav", "flac", "aiff"}


def chirp(rate: int, seconds: float = 2.0) -> np.ndarray:
    t = np.arange(int(rate * seconds)) / rate
    return (0.4 * np.sin(2 * np.pi * (200 * t + 300 * t**2))).astype(np.float32)


def write(path: Path, samples: np.ndarray, rate: int, kind: str, **more: object) -> Path:
    soundfile.write(path, samples, rate, **{**FORMATS[kind], **more})
    return path
