"""The tables of docs/protocol.md, from the message classes and codes: `python3 dev.py docs`.

What a code means is said here; a code without a meaning, or a meaning without a code, is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import protocol_schema

from wakeword.evaluation.tables import markdown
from wakeword.protocol import CLOSE_CODES, RETRY_CLOSE_CODES, CloseCode, ErrorCode, WarningCode

PAGE = protocol_schema.DOCS / "protocol.md"
PART = re.compile(r"(?<=<!-- )(?!end )([a-z ]+)( -->\n).*?(?=<!-- end -->)", re.DOTALL)

CLOSE_MEANINGS: Mapping[CloseCode, str] = {
    CloseCode.NORMAL: "the stream ended as the client asked",
    CloseCode.GOING_AWAY: "one side goes away",
    CloseCode.TOO_BIG: "a message was longer than the limit",
    CloseCode.RESTARTING: "the server restarts",
    CloseCode.TRY_AGAIN_LATER: "the server is overloaded",
    CloseCode.BAD_MESSAGE: "a message, or the audio, breaks the rules",
    CloseCode.UNAUTHORIZED: "no key, or a wrong one",
    CloseCode.FORBIDDEN: "the key may not stream, or the web page's origin is not allowed",
    CloseCode.UNKNOWN_MODEL: "no such model or word",
    CloseCode.TIMED_OUT: "no `start` in time, no audio for too long, or messages were not read",
    CloseCode.TOO_MANY_STREAMS: "the key has as many streams as it may have",
    CloseCode.INTERNAL: "a fault of the server",
}
ERROR_MEANINGS: Mapping[ErrorCode, str] = {
    ErrorCode.BAD_MESSAGE: "not JSON, or a field is missing, unknown or wrong",
    ErrorCode.BAD_AUDIO: "audio that cannot be: NaN, a damaged packet, an end inside a sample",
    ErrorCode.OUT_OF_ORDER: "a message that may not come now",
    ErrorCode.UNSUPPORTED: "another version of the protocol, or opus where it is not installed",
    ErrorCode.MESSAGE_TOO_BIG: "a message longer than the limit",
    ErrorCode.UNKNOWN_MODEL: "no such model or word",
    ErrorCode.UNAUTHORIZED: "no key, or one that is wrong or was removed; too many wrong ones",
    ErrorCode.FORBIDDEN: "the key may not stream, or the origin is not allowed",
    ErrorCode.START_TIMEOUT: "no `start` in time",
    ErrorCode.IDLE: "no audio for `idle_s`",
    ErrorCode.NOT_READING: "the client does not read its messages",
    ErrorCode.TOO_MANY_STREAMS: "the key has as many streams as it may have",
    ErrorCode.OVERLOADED: "no room for another stream",
    ErrorCode.RESTARTING: "the server is shutting down",
    ErrorCode.INTERNAL: "a fault of the server",
}
WARNING_MEANINGS: Mapping[WarningCode, tuple[str, str]] = {
    WarningCode.CLIPPING: (
        "samples at full scale: the microphone is too loud",
        "`clipped_percent` of the samples of a second",
    ),
    WarningCode.SILENCE: (
        "not a sound for long (below -70 dB of full scale): a muted or wrong microphone",
        "`silent_s` without a break",
    ),
    WarningCode.FASTER_THAN_REAL_TIME: (
        "audio comes faster than time passes, as from a file: live streams are scored before it; "
        "if it is live, its rate is declared wrongly",
        "`audio_s_per_s`: seconds of audio per second",
    ),
    WarningCode.SLOWER_THAN_REAL_TIME: (
        "audio comes slower than time passes: some was lost before it was sent, the network is too "
        "slow, or the rate is declared wrongly",
        "`audio_s_per_s`: seconds of audio per second",
    ),
    WarningCode.LAG: (
        "the server is behind with this stream", "`lag_ms`; `limit_ms` that it went beyond",
    ),
    WarningCode.THRESHOLD_CHANGED: (
        "the owner changed the threshold of `word` in `model`", "`threshold` now, and `before`",
    ),
}  # fmt: skip
"""What it is about, and its values."""


def write() -> None:
    """Bring the page and both files beside it up to date."""
    PAGE.write_text(page(), "utf-8")
    for file, document in protocol_schema.documents().items():
        file.write_text(document, "utf-8")


def page() -> str:
    """docs/protocol.md with the tables as they are now."""
    parts = {
        "client messages": _messages(protocol_schema.CLIENT),
        "server messages": _messages(protocol_schema.SERVER),
        "close codes": _close_codes(),
        "error codes": _error_codes(),
        "warning codes": _warning_codes(),
    }
    return PART.sub(lambda m: f"{m[1]}{m[2]}\n{parts[m[1]]}\n", PAGE.read_text("utf-8"))


def _messages(classes: tuple[type[Any], ...]) -> str:
    return "\n".join(text for cls in classes for text in _message(cls.__name__))


def _message(name: str, heading: str = "###") -> Iterator[str]:
    """A heading, a table of fields and an example; the parts of a message behind it."""
    definitions = protocol_schema.schema()["$defs"]
    found = definitions[name]
    title = found["properties"].get("type", {}).get("const", name)
    yield f"{heading} {title}\n\n{found['description']}\n"
    required = found.get("required", ())
    rows = [
        [f"`{field}`", _type(about), _default(about, field in required),
         about.get("description") or definitions[_type(about)]["description"]]
        for field, about in found["properties"].items()
        if field != "type"
    ]  # fmt: skip
    if rows:
        yield markdown(["field", "type", "default", "meaning"], rows) + "\n"
    for example in found.get("examples", ()):
        yield f"```json\n{json.dumps(example, ensure_ascii=False)}\n```\n"
    for part in (cls.__name__ for cls in protocol_schema.PARTS):
        if f"#/$defs/{part}" in json.dumps(found["properties"]):
            yield from _message(part, heading + "#")


def _type(schema: Mapping[str, Any]) -> str:
    """The type of a field in words."""
    if "anyOf" in schema:
        return " or ".join(_type(s) for s in schema["anyOf"] if s != {"type": "null"})
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}"
    if schema["type"] == "object":
        return f"object, each value a {_type(schema['additionalProperties'])}"
    name = str(schema["type"])
    return {"integer": "whole number", "boolean": "true or false"}.get(name, name)


def _default(schema: Mapping[str, Any], required: bool) -> str:
    if required:
        return "required"
    value = schema.get("default", {})
    return "" if value is None else f"`{json.dumps(value)}`"


def _close_codes() -> str:
    _complete(CLOSE_MEANINGS, CloseCode)
    rows = [
        [str(code.value), meaning, "yes" if code in RETRY_CLOSE_CODES else "no"]
        for code, meaning in CLOSE_MEANINGS.items()
    ]
    return markdown(["code", "meaning", "try again"], rows)


def _error_codes() -> str:
    _complete(ERROR_MEANINGS, ErrorCode)
    rows = [
        [f"`{code}`", meaning, str(CLOSE_CODES[code].value)]
        for code, meaning in ERROR_MEANINGS.items()
    ]
    return markdown(["code", "meaning", "close code"], rows)


def _warning_codes() -> str:
    _complete(WARNING_MEANINGS, WarningCode)
    rows = [[f"`{code}`", *meaning] for code, meaning in WARNING_MEANINGS.items()]
    return markdown(["code", "meaning", "values"], rows)


def _complete(meanings: Mapping[Any, Any], codes: type[Enum]) -> None:
    if set(meanings) != set(codes):
        raise SystemExit(f"error: {set(meanings) ^ set(codes)} on one side only")
