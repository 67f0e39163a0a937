"""Why a connection ends, and what a warning is about: for programs, beside the text for people."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from enum import IntEnum, StrEnum

from wakeword.errors import (
    AudioError,
    ConfigError,
    EngineLostError,
    MissingExtraError,
    ProtocolError,
    UnknownModelError,
)

_LARGEST = 2**53
"""Whole numbers beyond it are not exact in every JSON parser."""


class CloseCode(IntEnum):
    """Close codes of the websocket: those below 4000 are RFC 6455's and IANA's."""

    NORMAL = 1000
    GOING_AWAY = 1001
    TOO_BIG = 1009
    RESTARTING = 1012
    TRY_AGAIN_LATER = 1013
    BAD_MESSAGE = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    UNKNOWN_MODEL = 4404
    TIMED_OUT = 4408
    TOO_MANY_STREAMS = 4429
    INTERNAL = 4500


class ErrorCode(StrEnum):
    """``code`` of an ``error`` message."""

    BAD_MESSAGE = "bad_message"
    BAD_AUDIO = "bad_audio"
    OUT_OF_ORDER = "out_of_order"
    UNSUPPORTED = "unsupported"
    MESSAGE_TOO_BIG = "message_too_big"
    UNKNOWN_MODEL = "unknown_model"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    START_TIMEOUT = "start_timeout"
    IDLE = "idle"
    NOT_READING = "not_reading"
    TOO_MANY_STREAMS = "too_many_streams"
    OVERLOADED = "overloaded"
    RESTARTING = "restarting"
    INTERNAL = "internal"


class WarningCode(StrEnum):
    """``code`` of a ``warning`` message."""

    CLIPPING = "clipping"
    SILENCE = "silence"
    FASTER_THAN_REAL_TIME = "faster_than_real_time"
    SLOWER_THAN_REAL_TIME = "slower_than_real_time"
    LAG = "lag"
    THRESHOLD_CHANGED = "threshold_changed"


CLOSE_CODES: Mapping[ErrorCode, CloseCode] = {
    ErrorCode.BAD_MESSAGE: CloseCode.BAD_MESSAGE,
    ErrorCode.BAD_AUDIO: CloseCode.BAD_MESSAGE,
    ErrorCode.OUT_OF_ORDER: CloseCode.BAD_MESSAGE,
    ErrorCode.UNSUPPORTED: CloseCode.BAD_MESSAGE,
    ErrorCode.MESSAGE_TOO_BIG: CloseCode.TOO_BIG,
    ErrorCode.UNKNOWN_MODEL: CloseCode.UNKNOWN_MODEL,
    ErrorCode.UNAUTHORIZED: CloseCode.UNAUTHORIZED,
    ErrorCode.FORBIDDEN: CloseCode.FORBIDDEN,
    ErrorCode.START_TIMEOUT: CloseCode.TIMED_OUT,
    ErrorCode.IDLE: CloseCode.TIMED_OUT,
    ErrorCode.NOT_READING: CloseCode.TIMED_OUT,
    ErrorCode.TOO_MANY_STREAMS: CloseCode.TOO_MANY_STREAMS,
    ErrorCode.OVERLOADED: CloseCode.TRY_AGAIN_LATER,
    ErrorCode.RESTARTING: CloseCode.RESTARTING,
    ErrorCode.INTERNAL: CloseCode.INTERNAL,
}
"""How the websocket is closed after each error."""

RETRY_CLOSE_CODES = frozenset(
    {
        CloseCode.GOING_AWAY,
        CloseCode.RESTARTING,
        CloseCode.TRY_AGAIN_LATER,
        CloseCode.TIMED_OUT,
        CloseCode.TOO_MANY_STREAMS,
        CloseCode.INTERNAL,
    }
)
"""After these, and after a loss without a close frame, the same start may succeed later."""


def refusal(
    code: ErrorCode, message: str, value: object = None, limit: float | str | None = None
) -> ProtocolError:
    """The error for ``code``, with its close code; ``value`` of any type is made to fit JSON."""
    return ProtocolError(message, code, CLOSE_CODES[code], _plain(value), limit)


def as_protocol_error(error: Exception) -> ProtocolError:
    """What the other side is told about any exception.

    Errors about what the other side sent keep their text, which names the value and the limit.
    Anything else is a fault of ours, and its text stays inside: it may name files, or worse.
    """
    if isinstance(error, ProtocolError):
        return error
    for kind, code in (
        (UnknownModelError, ErrorCode.UNKNOWN_MODEL),
        (AudioError, ErrorCode.BAD_AUDIO),
        (ConfigError, ErrorCode.BAD_MESSAGE),
        (MissingExtraError, ErrorCode.UNSUPPORTED),
        (EngineLostError, ErrorCode.RESTARTING),
    ):
        if isinstance(error, kind):
            return refusal(code, str(error))
    return refusal(ErrorCode.INTERNAL, "internal error")


def _plain(value: object) -> float | str | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return value
    return reprlib.repr(value)
