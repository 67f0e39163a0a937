"""Audio of one stream from bytes to arrays."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from wakeword.audio.pcm import PcmDecoder
from wakeword.audio.resample import check_rate
from wakeword.errors import AudioError
from wakeword.protocol.codes import ErrorCode, refusal
from wakeword.protocol.opus import OPUS_RATE, OpusDecoder, packet_s
from wakeword.protocol.start import WireEncoding


class Decoder:
    """Decodes the binary messages of one stream, in order.

    PCM may be cut anywhere: what a message leaves of a sample waits for the next one. Of opus a
    message is one packet. What comes out is for ``Stream.accept`` of a stream with
    :attr:`sample_rate` and :attr:`channels`; floats are not checked here, because that does.

    Parameters
    ----------
    encoding, sample_rate, channels
        As in ``start``.

    Raises
    ------
    AudioError, SampleRateError
        An impossible encoding, rate or number of channels.
    MissingExtraError
        opus, and PyAV (extra ``opus``) is not installed.
    """

    def __init__(self, encoding: WireEncoding, sample_rate: int, channels: int = 1) -> None:
        self.encoding = encoding
        self.sample_rate = check_rate(sample_rate)
        """Of what comes out, Hz: the declared one, but of opus always 48000."""
        self.channels = channels
        self._opus: OpusDecoder | None = None
        if encoding == "opus":
            self._opus = OpusDecoder(channels)
            self.sample_rate = OPUS_RATE
        else:
            self._pcm = PcmDecoder(encoding, channels)
            self._bytes_per_s = self._pcm.bytes_per_frame * sample_rate

    def duration_s(self, message: bytes) -> float:
        """Seconds of audio in a message, without decoding it: for flow control.

        A broken opus packet counts as its shortest duration; decoding it will fail.
        """
        return packet_s(message) if self._opus else len(message) / self._bytes_per_s

    def decode(self, *messages: bytes) -> NDArray[Any]:
        """Decode the next messages.

        Returns
        -------
        samples (n, channels) int16 or float32

        Raises
        ------
        ProtocolError
            An opus packet that is damaged, too long, or of more than 120 ms.
        """
        if self._opus is not None:
            return self._opus.decode(messages)
        return self._pcm.take(messages[0] if len(messages) == 1 else b"".join(messages))

    def take_plain(self, data: bytes) -> bool:
        """Whether ``data`` is one or more whole samples of 16-bit mono PCM and nothing waits
        before it: then it counts as decoded, and its bytes are the samples."""
        return self.encoding == "s16le" and self.channels == 1 and self._pcm.take_whole(data)

    def finish(self) -> None:
        """Declare the end of the stream.

        Raises
        ------
        ProtocolError
            The audio ends inside a sample: it was cut, or is something else.
        """
        if self._opus is not None:
            return
        try:
            self._pcm.finish()
        except AudioError as why:
            raise refusal(ErrorCode.BAD_AUDIO, str(why)) from why
