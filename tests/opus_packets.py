"""Opus packets to test with: from PyAV's encoder, and out of Ogg files that libsndfile wrote."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import soundfile
from numpy.typing import NDArray


def encode(samples: NDArray[np.int16], rate: int, frame_ms: float = 20.0) -> list[bytes]:
    """Packets of ``frame_ms`` for samples (n, channels)."""
    layout = "mono" if samples.shape[1] == 1 else "stereo"
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate, layout, "s16"
    encoder.options = {"frame_duration": f"{frame_ms:g}", "b": "128000"}
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
    frame.sample_rate = rate
    fifo = av.AudioFifo()
    fifo.write(frame)
    packets: list[bytes] = []
    while (part := fifo.read(round(rate * frame_ms / 1000))) is not None:
        packets += [bytes(packet) for packet in encoder.encode(part)]
    return packets


def from_ogg(path: Path) -> list[bytes]:
    """The packets of an Ogg file, without its headers."""
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(audio=0) if p.size]


def write_ogg(path: Path, samples: NDArray[np.int16], rate: int) -> NDArray[np.float32]:
    """Write an Ogg Opus file with libsndfile; what libsndfile decodes from it, (n, channels)."""
    soundfile.write(path, samples, rate, format="OGG", subtype="OPUS")
    decoded: NDArray[np.float32] = soundfile.read(path, dtype="float32", always_2d=True)[0]
    return decoded


def tone(rate: int, seconds: float, channels: int = 1) -> NDArray[np.int16]:
    """A sweep (n, channels), another one in each channel, at a third of full scale."""
    t = np.arange(round(rate * seconds)) / rate
    sweeps = [np.sin(2 * np.pi * (200 + 300 * c + 400 * t) * t) for c in range(channels)]
    return np.asarray(np.stack(sweeps, axis=1) * 2**15 / 3, np.int16)
