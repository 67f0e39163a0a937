"""What a search finds: for each node of a cell, which operations over which nodes it adds up.

A cell has seven nodes (Mo et al. 2020, Section 3.1): 0 and 1 are the outputs of the two cells
before it, 2 to 5 are sums of operations over earlier nodes, 6 is those four, concatenated.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wakeword.errors import ConfigError
from wakeword.files import read_json, write_json
from wakeword.networks.nas.operations import KERNELS, ZERO, operation_names
from wakeword.tables import from_table

INPUTS, NODES = 2, 4
"""Nodes of a cell that come from outside, and those between them and the output."""
EDGES_KEPT = 2
"""Edges into a node that are left of a search, the strongest (Liu et al. 2019, Section 2.4)."""
SCHEMA_VERSION = 1
_MAX_BYTES = 64 * 1024

Edge = tuple[str, int]
"""An operation, and the node that it is applied to."""
Cell = tuple[tuple[Edge, ...], ...]
"""The edges into node 2, those into node 3, and so on."""


@dataclass(frozen=True)
class Genotype:
    """The normal and the reduction cell; ``operations`` is the set that they are made from."""

    operations: str
    normal: Cell
    reduction: Cell

    def __post_init__(self) -> None:
        known = [name for name in operation_names(self.operations) if name != ZERO]
        for name, cell in self.cells.items():
            if len(cell) != NODES:
                raise ConfigError(f"{name}: {len(cell)} nodes, but a cell has {NODES}")
            for node, edges in enumerate(cell, INPUTS):
                _check_node(f"{name}, node {node}", node, edges, known)

    @property
    def cells(self) -> dict[str, Cell]:
        """Both, by name."""
        return {"normal": self.normal, "reduction": self.reduction}

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, as recipes and files have them."""
        cells = {k: [[list(e) for e in node] for node in c] for k, c in self.cells.items()}
        return {"operations": self.operations, **cells}


@dataclass(frozen=True)
class _File:
    """A genotype file."""

    schema_version: int
    genotype: Genotype

    def __post_init__(self) -> None:
        if self.schema_version != SCHEMA_VERSION:
            raise ConfigError(
                f"schema_version = {self.schema_version}, but this version of wakeword reads "
                f"{SCHEMA_VERSION}"
            )


def read_genotype(path: Path) -> Genotype:
    """Read and check a genotype file.

    Raises
    ------
    ConfigError
        It cannot be read, or is none: an unknown operation, a wrong number of nodes, an edge from
        a node that is not before.
    """
    table = read_json(path, _MAX_BYTES, ConfigError)
    version = table.get("schema_version") if isinstance(table, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise ConfigError(
            f"genotype {path}: schema_version = {version} is newer than {SCHEMA_VERSION}, which "
            "this version of wakeword reads"
        )
    return from_table(_File, table, f"genotype {path}").genotype


def write_genotype(path: Path, genotype: Genotype) -> None:
    """Write a genotype file."""
    write_json(path, {"schema_version": SCHEMA_VERSION, "genotype": genotype.to_dict()})


def random_genotype(
    operations: str, kernels: tuple[int, ...] = KERNELS, *, rng: random.Random
) -> Genotype:
    """Cells drawn from all that a search can find, each as likely as any other."""
    names = [name for name in operation_names(operations, kernels) if name != ZERO]

    def cell() -> Cell:
        return tuple(
            tuple((rng.choice(names), k) for k in sorted(rng.sample(range(node), EDGES_KEPT)))
            for node in range(INPUTS, INPUTS + NODES)
        )

    return Genotype(operations, cell(), cell())


def _check_node(where: str, node: int, edges: tuple[Edge, ...], known: list[str]) -> None:
    if not 1 <= len(edges) <= node:
        raise ConfigError(f"{where}: {len(edges)} edges, but there must be 1 to {node}")
    for operation, source in edges:
        if operation not in known:
            raise ConfigError(
                f"{where}: unknown operation '{operation[:40]}'; there are: {', '.join(known)}"
            )
        if not 0 <= source < node:
            raise ConfigError(
                f"{where}: an edge from node {source}, but it must be from 0 to {node - 1}"
            )
    if len({source for _, source in edges}) < len(edges):
        raise ConfigError(f"{where}: two edges from the same node")
