"""Recipes derived from another one: some keys changed, paths made whole."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wakeword.files import atomic_write
from wakeword.training.recipe import read_recipe

Changes = Mapping[str, Any]
"""Dotted keys of a recipe and their new values: ``{"data.rooms": 0}``."""


def derive(base: Path, changes: Changes, out: Path) -> Path:
    """Write ``base`` with ``changes`` to ``out``; its manifests are the same files as before.

    Raises
    ------
    RecipeError
        What comes out is no recipe: an unknown key, an impossible value.
    """
    table = tomllib.loads(base.read_text("utf-8"))
    data = table["data"]
    data["manifest"] = str((base.parent / data["manifest"]).resolve())
    if "more_manifests" in data:
        data["more_manifests"] = [
            str((base.parent / path).resolve()) for path in data["more_manifests"]
        ]
    for key, value in changes.items():
        *sections, last = key.split(".")
        inside = table
        for section in sections:
            inside = inside.setdefault(section, {})
        inside[last] = value
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(out) as file:
        file.write("\n".join(_lines(table, "")) + "\n")
    read_recipe(out)
    return out


def _lines(table: Mapping[str, Any], path: str) -> Iterator[str]:
    """TOML: plain values, lists and tables, all that a recipe holds."""
    nested = {k: v for k, v in table.items() if isinstance(v, dict)}
    if path:
        yield f"[{path}]"
    for key, value in table.items():
        if key not in nested:
            yield f"{json.dumps(key)} = {json.dumps(value, ensure_ascii=False)}"
    for key, value in nested.items():
        yield ""
        yield from _lines(value, f"{path}.{json.dumps(key)}" if path else json.dumps(key))
