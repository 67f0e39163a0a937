"""Tables of a TOML or JSON file to frozen dataclasses, strictly."""

from __future__ import annotations

import math
import reprlib
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from wakeword.errors import ConfigError, WakewordError

T = TypeVar("T")


def from_table(
    cls: type[T],
    table: object,
    where: str,
    error: type[WakewordError] = ConfigError,
    ready: Mapping[str, object] | None = None,
) -> T:
    """Build the dataclass ``cls`` from ``table``; its ``__post_init__`` checks the values.

    Nested dataclasses are nested tables, tuples are lists, an integer will do for a float.
    ``ready`` holds fields that the caller has built from their part of the table.

    Raises
    ------
    error
        An unknown or missing key or a value of another type; says where, what, and what is known.
    """
    if not isinstance(table, dict):
        raise error(f"{where} must be a table, not {reprlib.repr(table)}")
    assert is_dataclass(cls)
    hints = type_hints(cls)
    known = [f.name for f in fields(cls)]
    unknown = [str(k) for k in table if k not in known]
    if unknown:
        first = reprlib.repr(unknown[0])
        raise error(f"{where}: unknown key {first}; the keys are {', '.join(known)}")
    ready = ready or {}
    values = {
        k: ready[k] if k in ready else _convert(hints[k], v, f"{where}.{k}", error)
        for k, v in table.items()
    }
    try:
        return cls(**values)
    except TypeError as missing:
        raise error(
            f"{where}: {str(missing).removeprefix(f'{cls.__name__}.__init__() ')}"
        ) from None
    except WakewordError as bad:
        raise error(f"{where}: {bad}") from bad


@cache
def type_hints(cls: type[Any]) -> Mapping[str, Any]:
    """Types of the fields of a dataclass, looked up once."""
    return get_type_hints(cls)


def _convert(hint: Any, value: object, where: str, error: type[WakewordError]) -> object:
    if is_dataclass(hint) and isinstance(hint, type):
        return from_table(hint, value, where, error)
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return None if value is None else _convert(_member(hint, value), value, where, error)
    if origin is Literal:
        if value not in get_args(hint):
            allowed = ", ".join(map(str, get_args(hint)))
            raise error(f"{where} = {reprlib.repr(value)} is not one of {allowed}")
        return value
    if origin is tuple:
        return _tuple(hint, value, where, error)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 2**63 else math.inf
    if origin in (dict, Mapping) and isinstance(value, dict):
        return _mapping(get_args(hint)[1], value, where, error)
    if origin in (dict, Mapping):
        hint = dict
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise error(f"{where} = {reprlib.repr(value)} is not a {hint.__name__}")
    if isinstance(value, float) and not math.isfinite(value):
        raise error(f"{where} = {value!r} is not a finite number")
    return value


def _member(hint: Any, value: object) -> Any:
    """The type in a union that ``value`` is meant to have: a table is not meant as a number."""
    members = [a for a in get_args(hint) if a is not type(None)]
    shaped = [m for m in members if _is_table(m) == isinstance(value, dict)] or members
    return next((m for m in shaped if isinstance(m, type) and type(value) is m), shaped[0])


def _is_table(hint: Any) -> bool:
    return is_dataclass(hint) or get_origin(hint) in (dict, Mapping)


def _mapping(
    hint: Any, value: Mapping[str, object], where: str, error: type[WakewordError]
) -> dict[str, object]:
    if hint is Any:
        return dict(value)
    return {
        key: _convert(hint, item, f"{where}.{reprlib.repr(key)[1:-1]}", error)
        for key, item in value.items()
    }


def _tuple(hint: Any, value: object, where: str, error: type[WakewordError]) -> tuple[object, ...]:
    items = get_args(hint)
    if not isinstance(value, (list, tuple)):
        raise error(f"{where} = {reprlib.repr(value)} is not a list")
    if items[-1] is Ellipsis:
        items = (items[0],) * len(value)
    if len(items) != len(value):
        raise error(f"{where} = {reprlib.repr(value)} must have {len(items)} values")
    return tuple(_convert(h, v, where, error) for h, v in zip(items, value, strict=True))
