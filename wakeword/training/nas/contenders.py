"""Found cells, and cells drawn at random whose network is of about the same size."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from wakeword.errors import ConfigError
from wakeword.networks import build, flops_per_window, total_parameters
from wakeword.networks.nas.cells import Stack
from wakeword.networks.nas.genotype import Genotype, random_genotype
from wakeword.training.recipe import Recipe
from wakeword.training.search.count import one_thread

FOUND = "found"
_MOST_DRAWN = 2000


@dataclass(frozen=True)
class Contender:
    """Cells with a name; ``table`` are the parameters of the network, counted as they stand."""

    name: str
    table: dict[str, Any]
    parameters: int
    flops: int


def contender(name: str, genotype: Genotype, stack: Stack, recipe: Recipe) -> Contender:
    """The network of ``genotype`` for the windows and labels of ``recipe``, counted."""
    table = {
        "genotype": genotype.to_dict(),
        "cells": stack.cells,
        "channels": stack.channels,
        "reductions": list(stack.reductions),
    }
    r = recipe
    model = build("nas", table, r.windows.frames, r.frontend.channels, len(r.labels))
    return Contender(name, table, total_parameters(model), flops_per_window(model))


def drawn_beside(
    found: Contender, genotype: Genotype, kernels: tuple[int, ...], stack: Stack, recipe: Recipe,
    count: int, within: float, seed: int,
) -> list[Contender]:  # fmt: skip
    """``count`` contenders with cells drawn at random from the set of ``genotype``.

    Raises
    ------
    ConfigError
        Too few of those drawn have as many parameters as ``found``, give or take ``within``.
    """
    rng = random.Random(f"{seed} {genotype.operations}")
    out: list[Contender] = []
    with one_thread():
        for _ in range(_MOST_DRAWN):
            if len(out) == count:
                return out
            cells = random_genotype(genotype.operations, kernels, rng=rng)
            one = contender(f"random {len(out) + 1}", cells, stack, recipe)
            if abs(one.parameters / found.parameters - 1.0) <= within:
                out.append(one)
    raise ConfigError(
        f"of {_MOST_DRAWN} random cells only {len(out)} make a network of {found.parameters:,} "
        f"parameters, give or take {100 * within:g} %; allow more"
    )
