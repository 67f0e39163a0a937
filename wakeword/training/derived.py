"""Recipes derived from another one: some keys changed, paths made whole, another network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from wakeword.errors import RecipeError
from wakeword.files import atomic_write
from wakeword.networks import named_network
from wakeword.training.network_defaults import scaled_windows
from wakeword.training.recipe import Recipe, read_recipe
from wakeword.training.recipe_file import read_table, toml_lines, with_folder

Changes = Mapping[str, Any]
"""Dotted keys of a recipe and their new values: ``{"data.rooms": 0}``."""


def derive(base: Path, changes: Changes, out: Path) -> Path:
    """Write ``base`` with ``changes`` to ``out``; its manifests and bundles are the same as before.

    Raises
    ------
    RecipeError
        What comes out is no recipe: an unknown key, an impossible value.
    """
    table = with_folder(read_table(base), base.parent.resolve())
    for key, value in changes.items():
        *sections, last = key.split(".")
        inside = table
        for section in sections:
            inside = inside.setdefault(section, {})
        inside[last] = value
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(out) as file:
        file.write("\n".join(toml_lines(table)) + "\n")
    read_recipe(out)
    return out


def label_of(network: str) -> str:
    """What to call ``network``: its name, or the folder of a recipe such as a search writes."""
    if _is_recipe(network):
        return Path(network).resolve().parent.name
    return named_network(network).name


def of_network(base: Recipe, network: str) -> Changes:
    """Changes that give ``base`` another network and its front end.

    ``network`` is the name of one, with the front end it was published with; or the path of a
    recipe (.toml), ``found.toml`` of ``wakeword nas`` for instance. The band and the length of the
    window in seconds stay those of ``base``; what it says of windows is as long as it was.

    Raises
    ------
    RecipeError
        No network has this name, no recipe this path, or ``base`` is at another rate.
    """
    if _is_recipe(network):
        other = read_recipe(Path(network))
        table, own = asdict(other.network), other.frontend
    else:
        named = named_network(network)
        table, own = {"family": named.name}, named.frontend
    old, rate = base.frontend, own.sample_rate
    if old.sample_rate != rate:
        raise RecipeError(f"{network} is at {rate} Hz, the recipe at {old.sample_rate} Hz")
    frontend = replace(own, f_min_hz=old.f_min_hz, f_max_hz=old.f_max_hz)
    length = old.window_samples + (base.windows.frames - 1) * old.hop_samples
    if base.commands is not None:
        length = round(base.commands.clip_s * rate)
    frames = frontend.frames_after(length)
    return {
        "network": table,
        "frontend": frontend.to_dict(),
        "windows": asdict(scaled_windows(base.windows, old, frontend, frames)),
    }


def _is_recipe(network: str) -> bool:
    return network.endswith(".toml")
