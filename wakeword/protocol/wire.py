"""Messages to JSON text and back."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, cast, get_args, get_origin

from wakeword.errors import ProtocolError
from wakeword.files import parse_json
from wakeword.protocol.codes import ErrorCode, refusal
from wakeword.protocol.messages import ServerMessage
from wakeword.protocol.start import ClientMessage
from wakeword.tables import from_table, type_hints

MAX_TEXT_CHARS = 65_536
"""Longest JSON message; the longest sensible ``start`` is a quarter of it."""

MAX_BRACKETS = 4_096
"""Opening brackets in one message, hence its depth too."""

_CLIENT = {m.__dataclass_fields__["type"].default: m for m in get_args(ClientMessage)}
_SERVER = {m.__dataclass_fields__["type"].default: m for m in get_args(ServerMessage)}


def encode_message(message: ClientMessage | ServerMessage) -> str:
    """JSON of a message, ASCII only; what is None is left out."""
    return _ENCODER.encode(message)


def parse_client_message(text: str) -> ClientMessage:
    """Read a message of a client, strictly: every key must be known.

    Raises
    ------
    ProtocolError
        It is too long, not JSON, of an unknown type, or a field is missing, unknown or wrong.
    """
    table = _table(text)
    cls = _CLIENT.get(_type_of(table))
    if cls is None:
        raise _unknown_type(table, tuple(_CLIENT))
    return cast(ClientMessage, _build(cls, table))


def parse_server_message(text: str) -> ServerMessage | None:
    """Read a message of a server; what this version does not know is ignored.

    Returns
    -------
    message
        None where its type is unknown: a newer server has more of them.

    Raises
    ------
    ProtocolError
        It is too long, not JSON, or a field is missing or wrong.
    """
    table = _table(text)
    cls = _SERVER.get(_type_of(table))
    return None if cls is None else cast(ServerMessage, _build(cls, _known(cls, table)))


def _table(text: str) -> dict[str, Any]:
    if len(text) > MAX_TEXT_CHARS:
        raise refusal(
            ErrorCode.MESSAGE_TOO_BIG,
            f"a text message of {len(text)} characters, but it may have {MAX_TEXT_CHARS}",
            len(text),
            MAX_TEXT_CHARS,
        )
    if text.count("[") + text.count("{") > MAX_BRACKETS:
        raise refusal(
            ErrorCode.BAD_MESSAGE,
            f"more than {MAX_BRACKETS} brackets in one message",
            limit=MAX_BRACKETS,
        )
    try:
        table = parse_json(text)
    except ValueError as why:
        # Without the text itself, which may hold the key.
        raise refusal(ErrorCode.BAD_MESSAGE, f"a text message is not valid JSON: {why}") from None
    if not isinstance(table, dict):
        raise refusal(
            ErrorCode.BAD_MESSAGE,
            f"a message must be a JSON object, not {reprlib.repr(table)}",
            table,
        )
    return table


def _type_of(table: Mapping[str, Any]) -> str:
    kind = table.get("type")
    return kind if isinstance(kind, str) else ""


def _unknown_type(table: Mapping[str, Any], known: tuple[str, ...]) -> ProtocolError:
    kind = table.get("type")
    return refusal(
        ErrorCode.BAD_MESSAGE,
        f"a message of type {reprlib.repr(kind)}, but a client's messages are {', '.join(known)}",
        kind,
        ", ".join(known),
    )


def _build(cls: type[Any], table: dict[str, Any]) -> object:
    try:
        return from_table(cls, table, str(table["type"]), ProtocolError)
    except ProtocolError as why:
        if isinstance(why.__cause__, ProtocolError):
            raise why.__cause__ from None  # it knows the value and the limit
        raise


def _known(hint: Any, value: Any) -> Any:
    """``value`` without the keys that ``hint``, a dataclass or tuples of them, does not have."""
    if isinstance(hint, type) and is_dataclass(hint) and isinstance(value, dict):
        hints = type_hints(hint)
        return {key: _known(hints[key], item) for key, item in value.items() if key in hints}
    if get_origin(hint) is tuple and isinstance(value, list):
        return [_known(get_args(hint)[0], item) for item in value]
    return value


def _fields(value: Any) -> dict[str, Any]:
    """What json cannot write by itself: messages, their parts, and mappings of other kinds."""
    if isinstance(value, Mapping):
        return dict(value)
    if not is_dataclass(value):
        raise TypeError(f"a message cannot hold {value!r}")
    pairs = ((f.name, getattr(value, f.name)) for f in fields(value))
    return {name: item for name, item in pairs if item is not None}


_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_fields)
