"""The search itself: some of what fits is trained, then what lies around the best of it.

Zhang et al. 2017 searched features and network exhaustively, narrowed the space by hand, and
searched again. Here all candidates are counted; of those that differ in widths only the widest is
worth training; and the narrowing is done by the scores.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from wakeword.errors import ConfigError
from wakeword.networks import build
from wakeword.networks.budgets import Budget
from wakeword.networks.candidates import Candidate, Costed, cost_of, refined, widest, within
from wakeword.training.measuring import Stage
from wakeword.training.search.journal import Journal

Scorer = Callable[[Candidate], float]
"""Trains a candidate for a while and gives its accuracy on clips that it was not trained on."""


@dataclass(frozen=True)
class Effort:
    """How many networks are trained.

    tries: of each family at first, drawn from what fits. keep: how many of the best are refined,
    once for each of ``factors``, by which a width is changed up and down.
    """

    tries: int = 6
    keep: int = 2
    factors: tuple[float, ...] = (1.25, 1.12)
    seed: int = 1

    def __post_init__(self) -> None:
        if min(self.tries, self.keep) < 1:
            raise ConfigError(f"tries = {self.tries} and keep = {self.keep} must be at least 1")


def trained(
    fitting: Sequence[Costed], budget: Budget, effort: Effort, scorer: Scorer, journal: Journal,
    stage: Stage,
) -> Mapping[str, Costed]:
    """Train some of what fits and the neighbours of the best; scores are in ``journal``.

    Returns
    -------
    found
        All that were trained, by name. With the same journal nothing is trained twice.
    """  # fmt: skip
    found: dict[str, Costed] = {}

    def score(chosen: Sequence[Costed], what: str) -> None:
        advance = stage(what, len(chosen), "networks")
        for one in chosen:
            name = one.candidate.name
            if name not in journal.scores:
                journal.add(name, scorer(one.candidate))
            found[name] = one
            advance(1)

    score(drawn(fitting, effort), "training what fits")
    for factor in effort.factors:
        best = sorted(found, key=lambda name: -journal.scores[name])[: effort.keep]
        around = [n for name in best for n in refined(found[name].candidate, factor)]
        score(_new(around, budget, found), f"training what is {factor:g} times as wide or narrow")
    return found


def drawn(fitting: Sequence[Costed], effort: Effort) -> list[Costed]:
    """Of each family, ``tries`` of the widest that fit; the same for the same seed."""
    out: list[Costed] = []
    best = widest(fitting)
    for family in dict.fromkeys(one.candidate.space for one in best):
        own = [one for one in best if one.candidate.space == family]
        rng = random.Random(f"{effort.seed} {family}")
        out += own if len(own) <= effort.tries else rng.sample(own, effort.tries)
    return out


def _new(
    around: Sequence[Candidate], budget: Budget, found: Mapping[str, Costed]
) -> list[Costed]:
    """Those within the budget that were not trained yet, each once."""
    out: dict[str, Costed] = {}
    for candidate in around:
        cost = cost_of(candidate, build)
        if candidate.name not in found and cost is not None and within(budget, cost):
            out[candidate.name] = Costed(candidate, cost)
    return list(out.values())
