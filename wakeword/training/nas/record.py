"""What a search found, epoch by epoch: genotype file, journal as CSV and JSON, pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from wakeword.files import atomic_write, write_csv, write_json
from wakeword.networks.nas.genotype import INPUTS, NODES, Genotype, write_genotype
from wakeword.networks.nas.supernet import Space, Weights
from wakeword.training.nas.bilevel import Epoch
from wakeword.training.nas.pictures import draw_cells, draw_search

GENOTYPE, TABLE, RECORD = "genotype.json", "search.csv", "search.json"
CELLS_PICTURE, SEARCH_PICTURE = "cells.png", "search.png"


@dataclass(frozen=True)
class Found:
    """The epochs of a search, the shares of all operations and the genotype after each."""

    space: Space
    epochs: tuple[Epoch, ...]
    shares: tuple[Weights, ...]
    genotypes: tuple[Genotype, ...]

    @property
    def best(self) -> int:
        """Index of the epoch with most held windows right (Mo et al. 2020, Section 3.1)."""
        return max(range(len(self.epochs)), key=lambda k: (self.epochs[k].held_right, k))

    @property
    def genotype(self) -> Genotype:
        """The cells of that epoch."""
        return self.genotypes[self.best]

    @cached_property
    def entropies(self) -> list[tuple[float, float]]:
        """Mean entropy in nats of an edge, normal and reduction: low when it has decided."""
        return [(_entropy(w.normal), _entropy(w.reduction)) for w in self.shares]

    def rows(self) -> list[dict[str, Any]]:
        """One epoch each, plain."""
        return [
            {**vars(epoch), "normal_entropy": normal, "reduction_entropy": reduction}
            for epoch, (normal, reduction) in zip(self.epochs, self.entropies, strict=True)
        ]


def write_search(folder: Path, found: Found) -> Path:
    """Write all of it into ``folder``; gives the path of the genotype file."""
    write_genotype(folder / GENOTYPE, found.genotype)
    write_csv(folder / TABLE, found.rows())
    names = found.space.names
    epochs = [
        {**row, "genotype": genotype.to_dict(),
         "shares": {cell: list(_edges(names, shares)) for cell, shares in w._asdict().items()}}
        for row, genotype, w in zip(found.rows(), found.genotypes, found.shares, strict=True)
    ]  # fmt: skip
    best = found.epochs[found.best].epoch
    write_json(folder / RECORD, {"best_epoch": best, "operations": names, "epochs": epochs})
    for name, picture in (
        (CELLS_PICTURE, draw_cells(found.genotype)),
        (SEARCH_PICTURE, draw_search(found.rows())),
    ):
        with atomic_write(folder / name, "wb") as file:
            file.write(picture)
    return folder / GENOTYPE


def _edges(names: tuple[str, ...], shares: Tensor) -> Iterator[dict[str, Any]]:
    ends = [(k, node) for node in range(INPUTS, INPUTS + NODES) for k in range(node)]
    for (source, node), row in zip(ends, shares.tolist(), strict=True):
        plain = {name: round(share, 5) for name, share in zip(names, row, strict=True)}
        yield {"source": source, "node": node, **plain}


def _entropy(shares: Tensor) -> float:
    return float(-(shares * shares.clamp_min(1e-12).log()).sum(1).mean())
