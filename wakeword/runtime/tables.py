"""Strict reading of tables (parsed JSON or TOML) into frozen dataclasses."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from wakeword.errors import BundleError, WakewordError

T = TypeVar("T")


def from_table(
    cls: type[T],
    table: Any,
    where: str,
    ready: Mapping[str, Any] | None = None,
    error: type[WakewordError] = BundleError,
) -> T:
    """Build dataclass ``cls`` from ``table``, refusing all that is not exactly expected.

    Scalars must have the declared type (an int may stand for a float, a bool never for a
    number) and be finite.

    Parameters
    ----------
    where
        Path of the table inside its file, for messages: ``metadata.json: model``.
    ready
        Fields that the caller has built from their own sub-tables.

    Raises
    ------
    error
        Not a table, an unknown or missing key, a wrong type, a NaN or an infinity.
    """
    ready = ready or {}
    known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]
    for key in require_table(table, where, error):
        if key not in known:
            raise error(f"{where}: unknown key '{key}'; there are: {', '.join(known)}")
    hints = get_type_hints(cls)
    values = dict(ready)
    for name, field in known.items():
        if name in ready:
            continue
        if name in table:
            values[name] = _scalar(hints[name], table[name], f"{where}.{name}", error)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise error(f"{where}: key '{name}' is missing")
    return cls(**values)


def require(ok: bool, name: str, value: object, limit: str) -> None:
    """Raise BundleError unless ``ok``: the one way in which metadata refuses a value."""
    if not ok:
        raise BundleError(f"metadata.json: {name} = {value!r}, but it must be {limit}")


def require_table(
    value: Any, where: str, error: type[WakewordError] = BundleError
) -> dict[str, Any]:
    """Return ``value`` if it is a table with string keys."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise error(f"{where} must be a table, not {_shown(value)}")
    return value


def require_list(value: Any, where: str, error: type[WakewordError] = BundleError) -> list[Any]:
    """Return ``value`` if it is a list."""
    if not isinstance(value, list):
        raise error(f"{where} must be a list, not {_shown(value)}")
    return value


def require_finite(value: Any, where: str, error: type[WakewordError] = BundleError) -> Any:
    """Return ``value``, any nest of plain JSON values, if no number in it is NaN or infinite."""
    if isinstance(value, dict):
        for key, item in require_table(value, where, error).items():
            require_finite(item, f"{where}.{key}", error)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            require_finite(item, f"{where}[{index}]", error)
    elif isinstance(value, float) and not math.isfinite(value):
        raise error(f"{where} = {value}, but numbers must be finite")
    elif not isinstance(value, (str, int, float, bool, types.NoneType)):
        raise error(f"{where} must be a plain value, not {_shown(value)}")
    return value


def _scalar(hint: Any, value: Any, where: str, error: type[WakewordError]) -> Any:
    allowed = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    if value is None and types.NoneType in allowed:
        return None
    wanted = next((t for t in allowed if t in (int, float, str, bool)), None)
    if wanted is None:  # a nested structure: its own __post_init__ checks it
        return value
    fits = isinstance(value, (int, float) if wanted is float else wanted)
    if not fits or (isinstance(value, bool) and wanted is not bool):
        raise error(f"{where} = {_shown(value)}, but it must be of type {wanted.__name__}")
    if wanted in (int, float) and abs(value) > 2**63:
        raise error(f"{where} = {_shown(value)}, but numbers must be finite and below 2**63")
    if wanted is float:
        return _finite(float(value), where, error)
    return value


def _finite(value: float, where: str, error: type[WakewordError]) -> float:
    if not math.isfinite(value):
        raise error(f"{where} = {value}, but numbers must be finite")
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
