"""Samples of any usual type to what the library computes with: mono float32, full scale 1."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import AudioError

Samples = NDArray[np.float32]
"""(samples,) float32, mono, full scale 1."""

Encoding = Literal["u8", "s16le", "s24le", "s32le", "f32le", "f64le", "mulaw"]
"""Raw PCM: unsigned, signed or float, bits per sample, little-endian; G.711 mu-law."""

MAX_CHANNELS = 64
"""More columns than this are an array given the wrong way round."""

MAX_PEAK = 16.0
"""Float audio may exceed full scale (decoders overshoot); 24 dB above it is another scale."""

_SCALES = {"i2": 2.0**15, "i4": 2.0**31, "f4": 1.0, "f8": 1.0}
_DTYPES: dict[Encoding, str] = {
    "u8": "u1", "s16le": "<i2", "s24le": "u1", "s32le": "<i4", "f32le": "<f4", "f64le": "<f8",
    "mulaw": "u1",
}  # fmt: skip
BYTES_PER_SAMPLE: dict[Encoding, int] = {
    "u8": 1, "s16le": 2, "s24le": 3, "s32le": 4, "f32le": 4, "f64le": 8,
    "mulaw": 1,
}  # fmt: skip


def to_mono_float32(
    samples: NDArray[Any], channels: int | None = None, *, first_sample: int = 0
) -> Samples:
    """Scale integers to [-1, 1) and mix all channels to one by their mean.

    Parameters
    ----------
    samples (n,) or (n, channels) int16, int32, float32 or float64
        Floats are taken at full scale 1 and not clipped.
    channels
        Declared number of channels; an array with another number is an error.
    first_sample
        Position of ``samples[0]`` in its stream, for messages.

    Returns
    -------
    mono (n,) float32

    Raises
    ------
    AudioError
        Another type or shape; NaN or infinite samples; floats above 16, which are
        integers in disguise.
    """
    if not isinstance(samples, np.ndarray):
        raise AudioError(f"samples must be a numpy array, not {type(samples).__name__}")
    scale = _SCALES.get(f"{samples.dtype.kind}{samples.dtype.itemsize}")
    if scale is None:
        raise AudioError(f"samples must be int16, int32, float32 or float64, not {samples.dtype}")
    _check_shape(samples.shape, channels)
    if samples.dtype.kind == "f":
        _check_floats(samples, first_sample)
    if samples.ndim == 2 and samples.shape[1] == 1:
        samples = samples[:, 0]
    mixed = samples if samples.ndim == 1 else samples.mean(axis=1, dtype=np.float64)
    # Scales are powers of two: to multiply after rounding gives the same bits as to divide before.
    mono = mixed.astype(np.float32, copy=False)
    return mono if scale == 1.0 else mono * np.float32(1.0 / scale)


class PcmDecoder:
    """Bytes of raw PCM to mono float32, for one stream.

    Chunks may end anywhere, also inside a sample: the rest waits for the next chunk.

    Parameters
    ----------
    encoding
        One of ``Encoding``.
    channels
        Number of interleaved channels, 1 to 64.
    """

    def __init__(self, encoding: Encoding, channels: int = 1) -> None:
        if encoding not in get_args(Encoding):
            raise AudioError(
                f"unknown encoding '{encoding}'; there are: {', '.join(get_args(Encoding))}"
            )
        if not 1 <= channels <= MAX_CHANNELS:
            raise AudioError(f"channels = {channels}, but it must be between 1 and {MAX_CHANNELS}")
        self.encoding = encoding
        self.channels = channels
        self.bytes_per_frame = BYTES_PER_SAMPLE[encoding] * channels
        self._rest = b""
        self._decoded = 0

    def decode(self, data: bytes) -> Samples:
        """Return the samples that ``data`` completes, (n,) float32."""
        first = self._decoded
        return to_mono_float32(self.take(data), first_sample=first)

    def take(self, data: bytes) -> NDArray[Any]:
        """Return what ``data`` completes, (n, channels) int16, int32, float32 or float64."""
        buffered = self._rest + data
        whole = len(buffered) - len(buffered) % self.bytes_per_frame
        self._rest = buffered[whole:]
        values = np.frombuffer(buffered[:whole], _DTYPES[self.encoding])
        if self.encoding == "u8":
            values = (values.astype(np.int16) - 128) << 8
        elif self.encoding == "s24le":
            values = _widen_24_bits(values)
        elif self.encoding == "mulaw":
            values = _MULAW[values]
        frames = values.reshape(-1, self.channels)
        self._decoded += len(frames)
        return frames

    def take_whole(self, data: bytes) -> bool:
        """Whether ``data`` is one or more whole frames and nothing waits before it: then it counts
        as decoded, for a caller who reads its bytes as they are."""
        if self._rest or not data or len(data) % self.bytes_per_frame:
            return False
        self._decoded += len(data) // self.bytes_per_frame
        return True

    def finish(self) -> None:
        """Declare the end of the stream: bytes left over mean it was cut or is something else."""
        if self._rest:
            raise AudioError(
                f"the audio ends inside a sample: {len(self._rest)} bytes after sample "
                f"{self._decoded}, but {self.encoding} with {self.channels} channel(s) needs "
                f"{self.bytes_per_frame} bytes each"
            )


def encode_int16(samples: Samples) -> NDArray[np.int16]:
    """Round float samples to 16 bits; what exceeds full scale is clipped."""
    scaled = np.rint(np.asarray(samples, np.float64) * 2.0**15)
    return np.clip(scaled, -(2.0**15), 2.0**15 - 1).astype(np.int16)


def _check_shape(shape: tuple[int, ...], channels: int | None) -> None:
    found = shape[1] if len(shape) == 2 else 1
    if len(shape) not in (1, 2) or not 1 <= found <= MAX_CHANNELS:
        raise AudioError(
            f"samples must have shape (n,) or (n, channels) with 1 to {MAX_CHANNELS} channels, "
            f"not {shape}"
        )
    if channels is not None and found != channels:
        raise AudioError(f"{channels} channels were declared, but the samples have {found}")


def _check_floats(samples: NDArray[Any], first_sample: int) -> None:
    # One reduction finds everything: max of |x| is NaN, infinite or the peak.
    peak = float(np.abs(samples).max(initial=0.0))
    if peak <= MAX_PEAK:
        return
    if np.isfinite(peak):
        raise AudioError(
            f"float samples reach {peak:g}, but full scale is 1: integer samples must be "
            "given with an integer type"
        )
    bad = ~np.isfinite(samples)
    first = first_sample + int(np.nonzero(bad)[0][0])
    raise AudioError(
        f"{int(bad.sum())} NaN or infinite samples, the first at sample {first}; "
        "every sample must be finite"
    )


def _widen_24_bits(data: NDArray[np.uint8]) -> NDArray[np.int32]:
    wide = np.zeros((len(data) // 3, 4), np.uint8)
    wide[:, 1:] = data.reshape(-1, 3)
    return wide.view("<i4")[:, 0]


def _mulaw_table() -> NDArray[np.int16]:
    """int16 of each byte: G.711, table 2a, 14 bits scaled to 16."""
    code = ~np.arange(256, dtype=np.uint8)
    segment, step = (code >> 4) & 7, (code & 15).astype(np.int32)
    magnitude = (((step << 3) + 132) << segment) - 132
    return np.where(code & 128, -magnitude, magnitude).astype(np.int16)


_MULAW = _mulaw_table()
