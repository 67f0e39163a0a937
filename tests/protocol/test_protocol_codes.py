"""Errors on the wire: every exception becomes one message that fits JSON and tells no secrets."""

from __future__ import annotations

import math

import pytest

from wakeword.errors import (
    AudioError,
    BundleError,
    ConfigError,
    MissingExtraError,
    UnknownModelError,
)
from wakeword.protocol import (
    CLOSE_CODES,
    ErrorCode,
    as_protocol_error,
    encode_message,
    error_message,
    refusal,
)


@pytest.mark.parametrize(
    "error, code, says",
    [
        (UnknownModelError("unknown model 'x'"), ErrorCode.UNKNOWN_MODEL, "unknown model 'x'"),
        (AudioError("3 NaN samples"), ErrorCode.BAD_AUDIO, "3 NaN samples"),
        (ConfigError("threshold = 2"), ErrorCode.BAD_MESSAGE, "threshold = 2"),
        (MissingExtraError("av", "opus", "opus"), ErrorCode.UNSUPPORTED, "av"),
        (BundleError("/srv/models is damaged"), ErrorCode.INTERNAL, "internal error"),
        (OSError("/etc/shadow"), ErrorCode.INTERNAL, "internal error"),
    ],
)
def test_any_exception_becomes_an_error_message(
    error: Exception, code: ErrorCode, says: str
) -> None:
    told = as_protocol_error(error)
    assert (told.code, told.close_code) == (code, CLOSE_CODES[code])
    assert says in str(told) and as_protocol_error(told) is told
    assert "/" not in str(told) or code is not ErrorCode.INTERNAL


def test_every_error_has_a_close_code_and_any_value_fits_json() -> None:
    assert set(CLOSE_CODES) == set(ErrorCode)
    for value in (math.nan, math.inf, 10**400, True, "x" * 10**6, [1], {"a": b"b"}, object()):
        sent = encode_message(error_message(refusal(ErrorCode.INTERNAL, "text", value)))
        assert len(sent) < 300
