"""How metadata refuse a value: always the value and the limit."""

from __future__ import annotations

import math
from typing import Any

from wakeword.errors import BundleError


def require(ok: bool, name: str, value: object, limit: str) -> None:
    """Raise BundleError unless ``ok``."""
    if not ok:
        raise BundleError(f"{name} = {value!r}, but it must be {limit}")


def require_table(value: Any, where: str) -> dict[str, Any]:
    """Return ``value`` if it is a table."""
    if not isinstance(value, dict):
        raise BundleError(f"{where} must be a table, not a {type(value).__name__}")
    return value


def require_list(value: Any, where: str) -> list[Any]:
    """Return ``value`` if it is a list."""
    if not isinstance(value, list):
        raise BundleError(f"{where} must be a list, not a {type(value).__name__}")
    return value


def require_plain(value: Any, where: str) -> None:
    """Refuse anything but tables, lists, strings, numbers, true, false and null."""
    if isinstance(value, dict):
        for key, item in value.items():
            require_plain(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            require_plain(item, f"{where}[{index}]")
    elif isinstance(value, float):
        require(math.isfinite(value), where, value, "finite")
    else:
        require(isinstance(value, str | int | None), where, value, "a plain value")
