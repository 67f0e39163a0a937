"""The client's side of a session: reading what comes, and going on after a lost connection."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wakeword.errors import ProtocolError
from wakeword.protocol.codes import ErrorCode, refusal
from wakeword.protocol.messages import (
    AckMessage,
    ClipMessage,
    DetectionMessage,
    ErrorMessage,
    ReadyMessage,
    ServerMessage,
    StartMessage,
)
from wakeword.protocol.wire import parse_server_message

CONTEXT_S = 3
"""Seconds before the last ack that a new connection must hear again: a window (1.5 s), and time
for the front end to forget how it began."""

REPEAT_S = 1.0
"""A word again within so many seconds is the same utterance, heard by two connections."""


@dataclass(frozen=True, slots=True)
class ClipAudio:
    """Audio of a detection, s16le mono."""

    clip: ClipMessage
    data: bytes


class ClientSession:
    """Reads a server's messages, over one connection and those that replace it.

    Parameters
    ----------
    start
        What to ask for; with ``acks``, or :attr:`keep_from_sample` stays where it is.
    """

    def __init__(self, start: StartMessage) -> None:
        self.start = start
        self.ready: ReadyMessage | None = None
        self.acked_samples = start.first_sample
        self._clip: ClipMessage | None = None
        self._heard: dict[tuple[str, str], int] = {}

    @property
    def keep_from_sample(self) -> int:
        """Audio from here on must be kept in case the connection is lost.

        It lies a whole number of seconds after the first sample, so that a new connection scores
        at the same instants as the old one.
        """
        begin, rate = self.start.first_sample, self.start.sample_rate
        seconds = (self.acked_samples - begin) // rate - CONTEXT_S
        return begin + max(0, seconds) * rate

    def reconnect(self, first_sample: int | None = None) -> StartMessage:
        """Begin anew over another connection; what came before stays known.

        Parameters
        ----------
        first_sample
            Where the audio that will be sent again begins, if not all of it was kept.

        Returns
        -------
        start
            To send first; then the audio from ``first_sample``, :attr:`keep_from_sample`.
        """
        first = self.keep_from_sample if first_sample is None else first_sample
        known = self.acked_samples - round(REPEAT_S * self.start.sample_rate)
        self.ready = self._clip = None
        return replace(self.start, first_sample=first, detect_after_sample=max(0, known))

    def receive_text(self, text: str) -> ServerMessage | None:
        """Take a text message.

        Returns
        -------
        message
            None for one to ignore: a detection that an earlier connection has told, or a type
            of message that this version does not know.

        Raises
        ------
        ProtocolError
            It is not a message of this protocol, or not one that may come now.
        """
        message = parse_server_message(text)
        if self._clip is not None and not isinstance(message, ErrorMessage):
            raise _out_of_order("a text message came, but the audio of a clip must follow it")
        if self.ready is None and not isinstance(message, ReadyMessage | ErrorMessage | None):
            raise _out_of_order(f"{message.type} came, but the first message must be ready")
        if isinstance(message, ReadyMessage):
            if self.ready is not None:
                raise _out_of_order("a second ready came")
            self.ready = message
        elif isinstance(message, AckMessage):
            self.acked_samples = max(self.acked_samples, message.samples)
        elif isinstance(message, ClipMessage):
            self._clip = message
        elif isinstance(message, DetectionMessage) and self._is_repeated(message):
            return None
        return message

    def receive_bytes(self, data: bytes) -> ClipAudio:
        """Take a binary message, the audio of the clip that was announced.

        Raises
        ------
        ProtocolError
            None was announced, or it has another length.
        """
        clip, self._clip = self._clip, None
        if clip is None:
            raise _out_of_order("a binary message came, but no clip was announced")
        if len(data) != 2 * clip.samples:
            raise refusal(
                ErrorCode.BAD_AUDIO,
                f"a clip of {len(data)} bytes, but {clip.samples} samples were announced",
                len(data),
                2 * clip.samples,
            )
        return ClipAudio(clip, data)

    def _is_repeated(self, detection: DetectionMessage) -> bool:
        key = detection.model, detection.keyword
        before = self._heard.get(key)
        if before is not None:
            apart = abs(detection.end_sample - before)
            if apart < REPEAT_S * self.start.sample_rate:
                return True
        self._heard[key] = max(detection.end_sample, before or 0)
        return False


def _out_of_order(message: str) -> ProtocolError:
    return refusal(ErrorCode.OUT_OF_ORDER, message)
