"""The wav container: a header reader that needs no seeking, and a 16 bit writer.

Reading is our own, because wav comes through pipes with lengths that mean "unknown", and a file
that was cut must not pass as a short one; libsndfile corrects such lengths silently.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, replace
from typing import BinaryIO

from wakeword.audio.pcm import BYTES_PER_SAMPLE, Encoding, Samples, encode_int16
from wakeword.audio.resample import check_rate
from wakeword.errors import AudioError
from wakeword.files import atomic_write

UNKNOWN_FROM = 0x7FFF_0000
"""Data lengths from here on, and 0, are what ffmpeg, sox and arecord write into pipes."""

_MAX_FORMAT_BYTES = 4096
_PCM, _FLOAT, _EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
_ENCODINGS: dict[tuple[int, int], Encoding] = {
    (_PCM, 8): "u8", (_PCM, 16): "s16le", (_PCM, 24): "s24le", (_PCM, 32): "s32le",
    (_FLOAT, 32): "f32le", (_FLOAT, 64): "f64le",
}  # fmt: skip


@dataclass(frozen=True)
class WavHeader:
    """What stands before the samples.

    encoding: ``None`` where the samples are compressed (mu-law, ADPCM, ...).
    data_bytes: length of the samples, whole frames; ``None`` where the header does not know.
    """

    sample_rate: int
    channels: int
    encoding: Encoding | None
    format_tag: int
    data_bytes: int | None = None


def read_wav_header(file: BinaryIO) -> WavHeader:
    """Read from behind ``RIFF....WAVE`` up to the first sample, without seeking.

    Raises
    ------
    AudioError
        The header is cut, contradicts itself, or has no ``fmt`` chunk before the samples.
    """
    header: WavHeader | None = None
    while True:
        name, size = struct.unpack("<4sI", _exactly(file, 8))
        if name == b"data":
            break
        if name == b"fmt ":
            header = _parse_format(_exactly(file, min(size, _MAX_FORMAT_BYTES)))
            size -= min(size, _MAX_FORMAT_BYTES)
        _skip(file, size + size % 2)
    if header is None:
        raise AudioError("the wav header has no 'fmt ' chunk before the samples")
    if size == 0 or size >= UNKNOWN_FROM or header.encoding is None:
        return header
    frame_bytes = header.channels * BYTES_PER_SAMPLE[header.encoding]
    return replace(header, data_bytes=size - size % frame_bytes)


def write_wav(path: str | os.PathLike[str], samples: Samples, sample_rate: int) -> None:
    """Write mono 16 bit wav, whole or not at all.

    Parameters
    ----------
    samples (n,) float32
        What exceeds full scale is clipped.
    sample_rate
        In Hz.

    Raises
    ------
    SampleRateError
        An impossible rate.
    AudioError
        Not mono, or more than a wav file can hold (2 GB).
    OSError
        The file cannot be written, for example because the disk is full.
    """
    check_rate(sample_rate)
    if samples.ndim != 1:
        raise AudioError(f"samples of a wav file must have shape (n,), not {samples.shape}")
    data = encode_int16(samples).astype("<i2").tobytes()
    if len(data) >= UNKNOWN_FROM:
        raise AudioError(f"{len(samples)} samples are too many for a wav file")
    form = struct.pack("<HHIIHH", _PCM, 1, sample_rate, 2 * sample_rate, 2, 16)
    riff = struct.pack("<4sI4s", b"RIFF", 20 + len(form) + len(data), b"WAVE")
    with atomic_write(path, "wb") as out:
        out.write(riff + struct.pack("<4sI", b"fmt ", len(form)) + form)
        out.write(struct.pack("<4sI", b"data", len(data)) + data)


def _parse_format(body: bytes) -> WavHeader:
    if len(body) < 16:
        raise AudioError(f"the wav header's 'fmt ' chunk has {len(body)} bytes, fewer than 16")
    tag, channels, rate, _, block_bytes, bits = struct.unpack("<HHIIHH", body[:16])
    if tag == _EXTENSIBLE and len(body) >= 26:
        tag = struct.unpack("<H", body[24:26])[0]
    encoding = _ENCODINGS.get((tag, bits))
    if encoding and block_bytes != channels * BYTES_PER_SAMPLE[encoding]:
        raise AudioError(
            f"the wav header contradicts itself: {channels} channels of {bits} bits are not "
            f"{block_bytes} bytes"
        )
    return WavHeader(rate, channels, encoding, tag)


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise AudioError("the wav header is cut short")
    return data


def _skip(file: BinaryIO, count: int) -> None:
    while count:
        count -= len(_exactly(file, min(count, 65_536)))
