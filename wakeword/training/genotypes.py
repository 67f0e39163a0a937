"""Recipes that name the file of a genotype."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wakeword.errors import ConfigError, RecipeError


def with_genotype(table: dict[str, Any], beside: Path) -> dict[str, Any]:
    """The tables of a recipe in ``beside``, with the cells of the genotype file that it names.

    So whatever is made of the recipe says which cells it has, long after the file has changed.

    Raises
    ------
    RecipeError
        The file cannot be read, or is no genotype.
    """
    network = table.get("network")
    parameters = network.get("parameters") if isinstance(network, dict) else None
    if not isinstance(network, dict) or not isinstance(parameters, dict):
        return table
    path = parameters.get("genotype")
    if not isinstance(path, str):
        return table
    from wakeword.networks.nas.genotype import read_genotype  # needs torch, reading does not

    try:
        genotype = read_genotype(beside / path).to_dict()
    except ConfigError as error:
        raise RecipeError(f"network.parameters.genotype: {error}") from error
    return {**table, "network": {**network, "parameters": {**parameters, "genotype": genotype}}}
