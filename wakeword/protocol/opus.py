"""Opus packets (RFC 6716), one a message, through PyAV (extra 'opus')."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from wakeword.audio.pcm import Samples, to_mono_float32
from wakeword.audio.resample import Resampler
from wakeword.errors import MissingExtraError, ProtocolError
from wakeword.protocol.codes import ErrorCode, refusal

DECODER_RATE = 48_000
MAX_PACKET_BYTES = 8_192
"""120 ms at 510 kbit/s, the codec's highest rate, are 7650 bytes."""

MAX_PACKET_MS = 120

_FRAME_US = (10_000, 20_000, 40_000, 60_000) * 3 + (10_000, 20_000) * 2 + (
    2_500, 5_000, 10_000, 20_000,
) * 4  # fmt: skip
"""Duration of a frame by configuration, the first five bits of a packet: RFC 6716, table 2."""


class OpusDecoder:
    """Packets of one stream to mono float32 at the declared rate.

    The codec decodes at 48 kHz, whatever the packets hold; a streaming resampler brings that
    to the declared rate. Channels are mixed.

    Raises
    ------
    MissingExtraError
        PyAV is not installed.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._codec, self._packet, self._error = _codec(channels)
        self._resampler = Resampler(DECODER_RATE, sample_rate)
        self._decoded = 0

    def decode(self, packets: Sequence[bytes]) -> Samples:
        """Decode packets, (n,) float32; an empty one holds nothing.

        Raises
        ------
        ProtocolError
            A packet is too long, of more than 120 ms, or damaged.
        """
        blocks = [self._decode(packet) for packet in packets if packet]
        return self._resampler.process(_joined(blocks))

    def finish(self) -> Samples:
        """What the resampler still holds, (n,) float32."""
        return self._resampler.process(_joined([]), last=True)

    def _decode(self, packet: bytes) -> Samples:
        _check(packet)
        try:
            frames = self._codec.decode(self._packet(packet))
        except self._error as why:
            raise self._damaged(f"{type(why).__name__}") from why
        blocks = [to_mono_float32(f.to_ndarray().T) for f in frames]
        samples = _joined(blocks)
        if len(samples) != round(packet_s(packet) * DECODER_RATE):
            raise self._damaged(f"{len(samples)} samples came out")
        self._decoded += 1
        return samples

    def _damaged(self, why: str) -> ProtocolError:
        return refusal(
            ErrorCode.BAD_AUDIO, f"opus packet {self._decoded} of the stream is damaged: {why}"
        )


def packet_s(packet: bytes) -> float:
    """Seconds of audio that a packet says it holds; of a broken one, of its first frame."""
    if not packet:
        return 0.0
    return _FRAME_US[packet[0] >> 3] * max(1, _frames(packet)) / 1e6


def _frames(packet: bytes) -> int:
    """Frames in a packet, RFC 6716 section 3.2; 0 where it is too short to tell."""
    code = packet[0] & 3
    if code < 3:
        return 1 if code == 0 else 2
    return packet[1] & 63 if len(packet) > 1 else 0


def _check(packet: bytes) -> None:
    if len(packet) > MAX_PACKET_BYTES:
        raise refusal(
            ErrorCode.BAD_AUDIO,
            f"an opus packet of {len(packet)} bytes, but it may have {MAX_PACKET_BYTES}",
            len(packet),
            MAX_PACKET_BYTES,
        )
    duration_ms = packet_s(packet) * 1000
    if _frames(packet) == 0 or duration_ms > MAX_PACKET_MS:
        raise refusal(
            ErrorCode.BAD_AUDIO,
            f"an opus packet of {_frames(packet)} frames, {duration_ms:g} ms, but it must have "
            f"at least one and at most {MAX_PACKET_MS} ms",
            duration_ms,
            MAX_PACKET_MS,
        )


def _joined(blocks: Sequence[Samples]) -> Samples:
    return np.concatenate([*blocks, np.zeros(0, np.float32)])


def _codec(channels: int) -> tuple[Any, Any, type[Exception]]:
    """Decoder, packet type and error type of PyAV."""
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("av", "opus", "decoding opus") from error
    codec = av.CodecContext.create("libopus", "r")
    # The header that a file would begin with (RFC 7845, section 5.1): nothing to skip, no gain.
    codec.extradata = b"OpusHead" + struct.pack("<BBHIhB", 1, channels, 0, DECODER_RATE, 0, 0)
    return codec, av.Packet, av.error.FFmpegError
