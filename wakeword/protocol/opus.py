"""Opus packets (RFC 6716), one a message, through PyAV (extra 'opus')."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import AudioError, MissingExtraError, ProtocolError
from wakeword.protocol.codes import ErrorCode, refusal
from wakeword.protocol.start import MAX_OPUS_BYTES, OPUS_CHANNELS

OPUS_RATE = 48_000
"""The codec's decoder gives 48 kHz, whatever the packets hold."""

MAX_PACKET_MS = 120

_FRAME_US = (
    (10_000, 20_000, 40_000, 60_000) * 3 + (10_000, 20_000) * 2 + (2_500, 5_000, 10_000, 20_000) * 4
)
"""Duration of a frame by configuration, the first five bits of a packet: RFC 6716, table 2."""


class OpusDecoder:
    """Packets of one stream to samples at 48 kHz.

    Raises
    ------
    AudioError
        Not one or two channels.
    MissingExtraError
        PyAV is not installed.
    """

    def __init__(self, channels: int) -> None:
        if not 1 <= channels <= OPUS_CHANNELS:
            raise AudioError(f"opus has 1 to {OPUS_CHANNELS} channels, not {channels}")
        self._channels = channels
        self._codec, self._packet, self._error = _codec(channels)
        self._decoded = 0

    def decode(self, packets: Sequence[bytes]) -> NDArray[np.int16]:
        """Decode packets, (n, channels); an empty one holds nothing.

        Raises
        ------
        ProtocolError
            A packet is too long, of more than 120 ms, or damaged.
        """
        blocks = [self._decode(packet) for packet in packets if packet]
        return np.concatenate([*blocks, np.zeros((0, self._channels), np.int16)])

    def _decode(self, packet: bytes) -> NDArray[np.int16]:
        check_packet(packet)
        try:
            frames = self._codec.decode(self._packet(packet))
        except self._error as why:
            raise self._damaged(type(why).__name__) from why
        blocks = [frame.to_ndarray().reshape(-1, self._channels) for frame in frames]
        samples = sum(map(len, blocks))
        if samples != round(packet_s(packet) * OPUS_RATE):
            raise self._damaged(f"{samples} samples came out")
        self._decoded += 1
        return np.concatenate(blocks)

    def _damaged(self, why: str) -> ProtocolError:
        return refusal(
            ErrorCode.BAD_AUDIO, f"opus packet {self._decoded} of the stream is damaged: {why}"
        )


def packet_s(packet: bytes) -> float:
    """Seconds of audio that a packet says it holds; of a broken one, of its first frame."""
    if not packet:
        return 0.0
    return _FRAME_US[packet[0] >> 3] * max(1, _frames(packet)) / 1e6


def check_packet(packet: bytes) -> None:
    """Refuse a packet that is too long or says that it holds too much or nothing.

    Raises
    ------
    ProtocolError
        With the limit.
    """
    if len(packet) > MAX_OPUS_BYTES:
        raise refusal(
            ErrorCode.BAD_AUDIO,
            f"an opus packet of {len(packet)} bytes, but it may have {MAX_OPUS_BYTES}",
            len(packet),
            MAX_OPUS_BYTES,
        )
    frames, duration_ms = _frames(packet), packet_s(packet) * 1000
    if frames == 0 or duration_ms > MAX_PACKET_MS:
        raise refusal(
            ErrorCode.BAD_AUDIO,
            f"an opus packet of {frames} frames and {duration_ms:g} ms, but it must have at least "
            f"one and at most {MAX_PACKET_MS} ms",
            duration_ms,
            MAX_PACKET_MS,
        )


def _frames(packet: bytes) -> int:
    """Frames in a packet, RFC 6716 section 3.2; 0 where it says none or is too short to tell."""
    code = packet[0] & 3
    if code < 3:
        return 1 if code == 0 else 2
    return packet[1] & 63 if len(packet) > 1 else 0


def _codec(channels: int) -> tuple[Any, Any, type[Exception]]:
    """Decoder, packet type and error type of PyAV."""
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("av", "opus", "decoding opus") from error
    codec = av.CodecContext.create("libopus", "r")
    # The header that a file would begin with (RFC 7845, section 5.1): nothing to skip, no gain.
    codec.extradata = b"OpusHead" + struct.pack("<BBHIhB", 1, channels, 0, OPUS_RATE, 0, 0)
    return codec, av.Packet, av.error.FFmpegError
