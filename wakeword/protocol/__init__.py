"""The streaming protocol: messages, their order, audio on the wire. No sockets, no asyncio."""

from wakeword.errors import ProtocolError
from wakeword.protocol.client_session import ClientSession, ClipAudio
from wakeword.protocol.codes import (
    CLOSE_CODES,
    RETRY_CLOSE_CODES,
    CloseCode,
    ErrorCode,
    WarningCode,
    as_protocol_error,
    refusal,
)
from wakeword.protocol.encodings import Decoder
from wakeword.protocol.messages import (
    AckMessage,
    ClipMessage,
    DetectionMessage,
    ErrorMessage,
    Limits,
    ReadyMessage,
    ReadyModel,
    ReadyWord,
    ScoreMessage,
    ServerMessage,
    SummaryMessage,
    ThresholdSource,
    WarningMessage,
    error_message,
)
from wakeword.protocol.session import Audio, Ended, Phase, ServerSession, Started
from wakeword.protocol.start import (
    PROTOCOL,
    ClientMessage,
    EndMessage,
    StartMessage,
    WireEncoding,
)
from wakeword.protocol.wire import encode_message, parse_client_message, parse_server_message

__all__ = [
    "CLOSE_CODES",
    "PROTOCOL",
    "RETRY_CLOSE_CODES",
    "AckMessage",
    "Audio",
    "ClientMessage",
    "ClientSession",
    "ClipAudio",
    "ClipMessage",
    "CloseCode",
    "Decoder",
    "DetectionMessage",
    "EndMessage",
    "Ended",
    "ErrorCode",
    "ErrorMessage",
    "Limits",
    "Phase",
    "ProtocolError",
    "ReadyMessage",
    "ReadyModel",
    "ReadyWord",
    "ScoreMessage",
    "ServerMessage",
    "ServerSession",
    "StartMessage",
    "Started",
    "SummaryMessage",
    "ThresholdSource",
    "WarningCode",
    "WarningMessage",
    "WireEncoding",
    "as_protocol_error",
    "encode_message",
    "error_message",
    "parse_client_message",
    "parse_server_message",
    "refusal",
]
