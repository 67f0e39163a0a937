"""Files of recipes: one that extends another says only what is different."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

from wakeword.errors import RecipeError
from wakeword.training.genotypes import with_genotype

EXTENDS = "extends"
"""The key, before all tables, that names the file of the recipe that is extended."""

_MOST_FILES = 8
_OWN = ("name", "version")
"""Of ``[bundle]``: what a recipe that extends another does not take from it."""
_PATHS = (
    ("data", "manifest"), ("data", "more_manifests"), ("training", "start"),
    ("training", "teachers"),
)  # fmt: skip


def read_table(path: Path) -> dict[str, Any]:
    """The tables of the recipe in ``path``, with those of the one that it extends.

    Keys of the file stand in the place of the same keys there, lists as a whole; paths are
    relative to the folder of ``path``, whichever file they are from.

    Raises
    ------
    RecipeError
        A file cannot be read, is not TOML, or extends itself.
    """
    return _read(path, ())


def self_contained(path: Path) -> str:
    """The text of the recipe in ``path``, to keep beside what is made of it.

    As it is where it extends nothing: with its comments. Else its first comments, what it extends,
    and all keys of both.

    Raises
    ------
    RecipeError
        As :func:`read_table`.
    """
    text, own = _loaded(path)
    if EXTENDS not in own:
        return text
    table, base = read_table(path), own[EXTENDS]
    comments = takewhile(lambda line: line.startswith("#"), text.splitlines())
    return "\n".join([*comments, f"# Written out: it extends {base}.", "", *toml_lines(table), ""])


def with_folder(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    """``table`` with its relative paths seen from where ``folder`` is relative to."""
    out = dict(table)
    for section, key in _PATHS:
        inside = out.get(section)
        value = inside.get(key) if isinstance(inside, dict) else None
        if isinstance(inside, dict) and value:
            out[section] = {**inside, key: _in(folder, value)}
    return out


def toml_lines(table: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """TOML: plain values, lists and tables, all that a recipe holds."""
    nested = {k: v for k, v in table.items() if isinstance(v, dict)}
    if path:
        yield f"[{path}]"
    for key, value in table.items():
        if key not in nested:
            yield f"{json.dumps(key)} = {json.dumps(value, ensure_ascii=False)}"
    for key, value in nested.items():
        yield ""
        yield from toml_lines(value, f"{path}.{json.dumps(key)}" if path else json.dumps(key))


def _read(path: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    table = with_genotype(_loaded(path)[1], path.parent)
    base = table.pop(EXTENDS, None)
    if base is None:
        return table
    if not isinstance(base, str):
        raise RecipeError(f"recipe {path}: {EXTENDS} = {base!r} is not the path of a recipe")
    files = (*below, path.resolve())
    if (path.parent / base).resolve() in files or len(files) == _MOST_FILES:
        raise RecipeError(
            f"recipe {path}: {EXTENDS} = {base!r} extends itself, or is one of more than "
            f"{_MOST_FILES} recipes that extend each other"
        )
    extended = with_folder(_read(path.parent / base, files), Path(base).parent)
    bundle = extended.get("bundle")
    if isinstance(bundle, dict):
        extended["bundle"] = {k: v for k, v in bundle.items() if k not in _OWN}
    return _merged(extended, table)


def _loaded(path: Path) -> tuple[str, dict[str, Any]]:
    """The text of a file and its own tables."""
    try:
        text = path.read_text("utf-8")
        return text, tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"recipe {path} cannot be read: {error}") from error


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    out = dict(base)
    for key, value in over.items():
        under = out.get(key)
        if isinstance(under, dict) and isinstance(value, dict):
            value = _merged(under, value)
        out[key] = value
    return out


def _in(folder: Path, value: object) -> object:
    if isinstance(value, list):
        return [_in(folder, path) for path in value]
    if not isinstance(value, str):
        return value  # refused where the recipe is checked
    return os.path.normpath(folder / value)
