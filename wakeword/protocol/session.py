"""The server's side of a session: what may come when, without sockets and clocks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from wakeword.errors import ProtocolError
from wakeword.protocol.codes import ErrorCode, refusal
from wakeword.protocol.start import MAX_OPUS_BYTES, StartMessage
from wakeword.protocol.wire import parse_client_message

MAX_MESSAGE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Started:
    """The client said what it sends and wants."""

    start: StartMessage


@dataclass(frozen=True, slots=True)
class Audio:
    """Bytes of audio, not yet decoded."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The client has sent all of its audio."""


class Phase(Enum):
    """Where a session stands."""

    WAITING = "waiting for start"
    STREAMING = "streaming"
    ENDED = "ended"
    FAILED = "failed"


class ServerSession:
    """Rules of one connection: first ``start``, then audio, then ``end`` and nothing more.

    Feed it every message as it arrives. What it raises is to be sent as an ``error`` message,
    and the websocket closed with its close code; whatever comes after that is refused as well.
    It keeps no audio, and audio is only counted, not looked at: decoding is
    :class:`wakeword.protocol.Decoder`'s.

    Parameters
    ----------
    max_message_bytes
        Longest binary message; of opus, where one is a packet, at most 8192.
    """

    def __init__(self, max_message_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self.max_message_bytes = max_message_bytes
        self.phase = Phase.WAITING
        self.start: StartMessage | None = None
        self.audio_bytes = 0

    def receive_text(self, text: str) -> Started | Ended:
        """Take a text message.

        Raises
        ------
        ProtocolError
            It is not a message of this protocol, or not one that may come now.
        """
        try:
            return self._text(text)
        except ProtocolError:
            self.phase = Phase.FAILED
            raise

    def receive_bytes(self, data: bytes) -> Audio:
        """Take a binary message; an empty one is allowed and means nothing.

        Raises
        ------
        ProtocolError
            It is too long, or no audio may come now.
        """
        if self.phase is not Phase.STREAMING:
            raise self._out_of_order("audio")
        if len(data) > self.max_message_bytes:
            raise self._too_big(len(data))
        self.audio_bytes += len(data)
        return Audio(data)

    def _text(self, text: str) -> Started | Ended:
        if self.phase in (Phase.ENDED, Phase.FAILED):
            raise self._out_of_order("a text message")
        message = parse_client_message(text)
        if isinstance(message, StartMessage):
            if self.phase is not Phase.WAITING:
                raise self._out_of_order("a second start")
            self.phase, self.start = Phase.STREAMING, message
            if message.encoding == "opus":  # its packets say how long they last, not how big
                self.max_message_bytes = min(self.max_message_bytes, MAX_OPUS_BYTES)
            return Started(message)
        if self.phase is not Phase.STREAMING:
            raise self._out_of_order("end")
        self.phase = Phase.ENDED
        return Ended()

    def _too_big(self, found: int) -> ProtocolError:
        assert self.start is not None
        self.phase, limit = Phase.FAILED, self.max_message_bytes
        message = f"a message of {found} bytes of {self.start.encoding}, but it may have {limit}"
        return refusal(ErrorCode.MESSAGE_TOO_BIG, message, found, limit)

    def _out_of_order(self, what: str) -> ProtocolError:
        expected = {
            Phase.WAITING: "the first message must be start",
            Phase.STREAMING: "only audio and end may follow start",
            Phase.ENDED: "the stream has ended",
            Phase.FAILED: "the session has failed",
        }[self.phase]
        self.phase = Phase.FAILED
        return refusal(ErrorCode.OUT_OF_ORDER, f"{what} came, but {expected}", what, expected)
