"""Count what every candidate of a search costs, and keep those that a budget holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from wakeword.errors import ConfigError
from wakeword.networks import build
from wakeword.networks.budgets import Budget
from wakeword.networks.candidates import (
    Candidate,
    Cost,
    Costed,
    candidates,
    cost_of,
    within,
)
from wakeword.training.measuring import Stage


@dataclass(frozen=True)
class Counted:
    """Candidates that fit, in the order of their spaces; how many there are in all."""

    budget: Budget
    fitting: tuple[Costed, ...]
    looked_at: int


def count(spaces: Sequence[str], budget: Budget, labels: int, stage: Stage) -> Counted:
    """Build every candidate of ``spaces`` and count it.

    Raises
    ------
    ConfigError
        There is no such space, or nothing fits: the message says what comes nearest.
    """
    every = [one for space in spaces for one in candidates(space, labels)]
    advance = stage("counting networks", len(every), "networks")
    with one_thread():
        fitting, nearest = _fitting(every, budget, advance)
    if not fitting:
        assert nearest is not None  # some candidate of every space can be built
        raise ConfigError(
            f"nothing fits into {budget.memory_bytes:,} bytes and {budget.operations:,} "
            f"operations: of {len(every)} networks ({', '.join(spaces)}) the nearest takes "
            f"{nearest.memory_bytes:,} bytes and {nearest.operations:,} operations"
        )
    return Counted(budget, tuple(fitting), len(every))


def _fitting(
    every: Sequence[Candidate], budget: Budget, advance: Callable[[float], object]
) -> tuple[list[Costed], Cost | None]:
    """Those that fit, and the least that any takes."""
    fitting: list[Costed] = []
    nearest: Cost | None = None
    for one in every:
        cost = cost_of(one, build)
        advance(1)
        if cost is None:
            continue
        if within(budget, cost):
            fitting.append(Costed(one, cost))
        if nearest is None or _excess(cost, budget) < _excess(nearest, budget):
            nearest = cost
    return fitting, nearest


def _excess(cost: Cost, budget: Budget) -> float:
    """How many times the budget it takes, of what it takes more of."""
    return max(cost.memory_bytes / budget.memory_bytes, cost.operations / budget.operations)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch work in one thread: of networks this small, several only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
