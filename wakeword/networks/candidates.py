"""Candidates of a search: all of a space, what each costs, those that a budget holds."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wakeword.errors import ConfigError, RecipeError
from wakeword.frontend import FrontendConfig
from wakeword.networks.base import Network
from wakeword.networks.budgets import Budget
from wakeword.networks.counting import flops_per_window, total_parameters
from wakeword.networks.memory import memory
from wakeword.networks.spaces import SPACES, Space

SAMPLE_RATE = 16_000
Build = Callable[[str, Mapping[str, Any], int, int, int], Network]


@dataclass(frozen=True)
class Candidate:
    """A network of a space with its front end, and how many labels it tells apart."""

    space: str
    parameters: Mapping[str, Any]
    coefficients: int
    hop_ms: int
    labels: int

    @property
    def name(self) -> str:
        """One line that says all of it, and tells two candidates apart."""
        widths = ", ".join(f"{k} {_plain(v)}" for k, v in self.parameters.items())
        return f"{self.space} ({widths}; {self.coefficients} MFCC every {self.hop_ms} ms)"

    @property
    def family(self) -> str:
        """What ``wakeword.networks.build`` knows it by."""
        return SPACES[self.space].family

    @property
    def table(self) -> dict[str, Any]:
        """All parameters of the family that are not its defaults."""
        return {**SPACES[self.space].fixed, **self.parameters}

    @property
    def frontend(self) -> FrontendConfig:
        """MFCC of 40 mel channels."""
        window = SPACES[self.space].window_ms * SAMPLE_RATE // 1000
        return FrontendConfig(
            kind="mfcc",
            window_samples=window,
            hop_samples=self.hop_ms * SAMPLE_RATE // 1000,
            fft_size=512 if window <= 512 else 1024,
            n_mfcc=self.coefficients,
        )

    @property
    def frames(self) -> int:
        """Whole frames in one second."""
        return self.frontend.frames_after(SAMPLE_RATE)


@dataclass(frozen=True)
class Cost:
    """What a candidate takes: bytes at 8 bits a number, operations of one window."""

    memory_bytes: int
    operations: int
    parameters: int


@dataclass(frozen=True)
class Costed:
    """A candidate and what it takes."""

    candidate: Candidate
    cost: Cost


def candidates(space: str, labels: int) -> Iterator[Candidate]:
    """Every combination of a space, in a fixed order.

    Raises
    ------
    ConfigError
        There is no such space.
    """
    if space not in SPACES:
        raise ConfigError(f"unknown family '{space}'; a search knows: {', '.join(SPACES)}")
    grid, heard = SPACES[space].grid, SPACES[space]
    for values in itertools.product(*grid.values()):
        for coefficients, hop in itertools.product(heard.coefficients, heard.hops_ms):
            yield Candidate(space, dict(zip(grid, values, strict=True)), coefficients, hop, labels)


def cost_of(candidate: Candidate, build: Build) -> Cost | None:
    """Build it and count; None where its parts do not fit into each other."""
    c = candidate
    try:
        model = build(c.family, c.table, c.frames, c.frontend.channels, c.labels)
    except RecipeError:
        return None
    return Cost(memory(model).total, flops_per_window(model), total_parameters(model))


def widest(fitting: Iterable[Costed]) -> list[Costed]:
    """Of those that differ in widths only, the one that takes most memory."""
    best: dict[str, Costed] = {}
    for one in fitting:
        c, widths = one.candidate, SPACES[one.candidate.space].widths
        shape = {k: v for k, v in c.parameters.items() if k not in widths}
        depth = [len(v) for k, v in c.parameters.items() if k in widths and isinstance(v, list)]
        key = json.dumps([c.space, shape, depth, c.coefficients, c.hop_ms])
        if key not in best or one.cost.memory_bytes > best[key].cost.memory_bytes:
            best[key] = one
    return list(best.values())


def refined(candidate: Candidate, factor: float) -> list[Candidate]:
    """Its neighbours: each width by itself a ``factor`` wider, and as much narrower."""
    space: Space = SPACES[candidate.space]
    out: list[Candidate] = []
    for key, by in itertools.product(space.widths, (factor, 1.0 / factor)):
        value = _scaled(candidate.parameters[key], by)
        if value != candidate.parameters[key]:
            parameters = {**candidate.parameters, key: value}
            out.append(
                Candidate(candidate.space, parameters, candidate.coefficients, candidate.hop_ms,
                          candidate.labels)
            )  # fmt: skip
    return out


def within(budget: Budget, cost: Cost) -> bool:
    """Whether a budget holds a candidate of this cost."""
    return budget.holds(cost.memory_bytes, cost.operations)


def _scaled(value: Any, by: float) -> Any:
    if isinstance(value, list):
        return [_scaled(v, by) for v in value]
    return round(value * by, 3) if isinstance(value, float) else max(1, round(value * by))


def _plain(value: Any) -> str:
    return json.dumps(value).replace(" ", "")
