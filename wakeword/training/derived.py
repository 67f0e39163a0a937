"""Recipes derived from another one: some keys changed, paths made whole, another network."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from wakeword.errors import RecipeError
from wakeword.files import atomic_write
from wakeword.networks import named_network
from wakeword.training.genotypes import with_genotype
from wakeword.training.network_defaults import scaled_windows
from wakeword.training.recipe import Recipe, read_recipe

Changes = Mapping[str, Any]
"""Dotted keys of a recipe and their new values: ``{"data.rooms": 0}``."""

_PATHS = (
    ("data", "manifest"), ("data", "more_manifests"), ("training", "start"),
    ("training", "teachers"),
)  # fmt: skip


def derive(base: Path, changes: Changes, out: Path) -> Path:
    """Write ``base`` with ``changes`` to ``out``; its manifests and bundles are the same as before.

    Raises
    ------
    RecipeError
        What comes out is no recipe: an unknown key, an impossible value.
    """
    table = with_genotype(tomllib.loads(base.read_text("utf-8")), base.parent)
    for section, key in _PATHS:
        inside = table.get(section, {})
        if inside.get(key):
            inside[key] = _absolute(inside[key], base.parent)
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


def of_network(base: Recipe, name: str) -> Changes:
    """Changes that give ``base`` the network ``name`` with the front end it was published with.

    The band and the length of the window in seconds stay those of ``base``; what it says of
    windows is as long as it was.

    Raises
    ------
    RecipeError
        No network has this name, or ``base`` is at another rate than the networks.
    """
    named = named_network(name)
    old, rate = base.frontend, named.frontend.sample_rate
    if old.sample_rate != rate:
        raise RecipeError(f"{name} is at {rate} Hz, the recipe at {old.sample_rate} Hz")
    frontend = replace(named.frontend, f_min_hz=old.f_min_hz, f_max_hz=old.f_max_hz)
    length = old.window_samples + (base.windows.frames - 1) * old.hop_samples
    if base.commands is not None:
        length = round(base.commands.clip_s * rate)
    frames = frontend.frames_after(length)
    return {
        "network": {"family": name},
        "frontend": frontend.to_dict(),
        "windows": asdict(scaled_windows(base.windows, old, frontend, frames)),
    }


def _absolute(value: str | list[str], folder: Path) -> str | list[str]:
    if isinstance(value, str):
        return str((folder / value).resolve())
    return [str((folder / path).resolve()) for path in value]


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
