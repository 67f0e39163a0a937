"""Audio of one stream from bytes to arrays."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from wakeword.audio.pcm import PcmDecoder
from wakeword.errors import AudioError
from wakeword.protocol.codes import ErrorCode, refusal
from wakeword.protocol.opus import OpusDecoder, packet_s
from wakeword.protocol.start import WireEncoding


class Decoder:
    """Decodes the binary messages of one stream, in order.

    PCM may be cut anywhere: what a message leaves of a sample waits for the next one. Of opus a
    message is one packet. What comes out has the declared rate and goes to ``Stream.accept``
    of a stream with :attr:`channels`; floats are not checked here, because that does.

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
        self._opus: OpusDecoder | None = None
        self.channels = channels
        """Columns of what comes out: as declared, but opus is mixed to one."""
        if encoding == "opus":
            self._opus = OpusDecoder(sample_rate, channels)
            self.channels = 1
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
        samples (n, channels) int16 or float32, or (n,) float32

        Raises
        ------
        ProtocolError
            A damaged opus packet, or one of more than 120 ms.
        """
        if self._opus is None:
            return self._pcm.take(messages[0] if len(messages) == 1 else b"".join(messages))
        return self._opus.decode(messages)

    def finish(self) -> NDArray[Any]:
        """What is left at the end of the stream, of the same shape as from :meth:`decode`.

        Raises
        ------
        ProtocolError
            The audio ends inside a sample: it was cut, or is something else.
        """
        if self._opus is not None:
            return self._opus.finish()
        try:
            self._pcm.finish()
        except AudioError as why:
            raise refusal(ErrorCode.BAD_AUDIO, str(why)) from why
        return self._pcm.take(b"")
