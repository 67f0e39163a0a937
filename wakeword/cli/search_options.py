"""Options of ``wakeword search``: the budget, and how much is trained."""

from __future__ import annotations

import functools
import math
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wakeword.cli.options import Command, note
from wakeword.errors import ConfigError

if TYPE_CHECKING:
    from wakeword.networks import Budget
    from wakeword.networks.candidates import Costed
    from wakeword.training.measuring import Stage
    from wakeword.training.recipe import Recipe
    from wakeword.training.search.count import Counted
    from wakeword.training.search.table import Row

BEST = "best.toml"


@dataclass(frozen=True)
class BudgetOptions:
    """A budget by name, and limits that replace its own."""

    name: str
    memory_kb: float | None
    operations: float | None

    def budget(self) -> Budget:
        """What these options say."""
        from wakeword.networks import BUDGETS
        from wakeword.networks.budgets import KILOBYTE

        budget = BUDGETS[self.name]
        for option, value in (("--memory-kb", self.memory_kb), ("--operations", self.operations)):
            if value is not None and not math.isfinite(value):
                raise click.BadParameter(f"{value} is not a finite number", param_hint=option)
        if self.memory_kb is not None:
            memory_bytes = max(1, int(self.memory_kb * KILOBYTE))
            budget = replace(budget, name="own", memory_bytes=memory_bytes)
        if self.operations is not None:
            budget = replace(budget, name="own", operations=max(1, int(self.operations * 1e6)))
        return budget


@dataclass(frozen=True)
class TrainingOptions:
    """How many networks are trained, and for how long."""

    rounds: int
    tries: int
    keep: int
    workers: int


def budget_options(command: Command) -> Command:
    """Add ``--budget``, ``--memory-kb`` and ``--operations``; the command gets ``budget``."""

    @functools.wraps(command)
    def with_budget(
        *arguments: Any, budget: str, memory_kb: float | None, operations: float | None,
        **others: Any,
    ) -> Any:  # fmt: skip
        return command(*arguments, budget=BudgetOptions(budget, memory_kb, operations), **others)

    for option in (
        click.option("--operations", type=click.FloatRange(min=0.0, min_open=True),
                     metavar="MILLIONS", help="Another limit of operations an inference."),
        click.option("--memory-kb", type=click.FloatRange(min=0.0, min_open=True), metavar="KB",
                     help="Another limit of memory (1024 bytes each)."),
        click.option("--budget", type=click.Choice(["small", "medium", "large"]), default="small",
                     show_default=True,
                     help="80, 200 or 500 kB and 6, 20 or 80 million operations."),
    ):  # fmt: skip
        with_budget = option(with_budget)
    return with_budget


def training_options(command: Command) -> Command:
    """Add ``--rounds``, ``--tries``, ``--keep``, ``--workers``; the command gets ``training``."""

    @functools.wraps(command)
    def with_training(
        *arguments: Any, rounds: int, tries: int, keep: int, workers: int, **others: Any
    ) -> Any:
        training = TrainingOptions(rounds, tries, keep, workers)
        return command(*arguments, training=training, **others)

    for option in (
        click.option("--workers", type=click.IntRange(0, 256), default=os.cpu_count() or 1,
                     show_default="all cores", help="Processes that make training clips."),
        click.option("--keep", type=click.IntRange(1, 100), default=2, show_default=True,
                     help="Refine so many of the best, twice."),
        click.option("--tries", type=click.IntRange(1, 1000), default=6, show_default=True,
                     help="Networks of each family that are trained first."),
        click.option("--rounds", type=click.IntRange(1, 10_000), default=6, show_default=True,
                     help="Rounds of the recipe that each is trained for."),
    ):  # fmt: skip
        with_training = option(with_training)
    return with_training


def labels_of(recipe: Recipe, labels: int | None) -> int:
    """How many classes the recipe tells apart.

    Raises
    ------
    ConfigError
        ``labels`` says another number.
    """
    own = len(recipe.labels)
    if labels not in (None, own):
        raise ConfigError(f"--labels {labels}, but the recipe has {own}")
    return own


def train_some(
    found: Counted, recipe: Path, folder: Path, training: TrainingOptions, stage: Stage
) -> list[Row]:
    """Train what the options say, best first; writes the best one's recipe into ``folder``."""
    from wakeword.training.search.journal import Journal
    from wakeword.training.search.refine import Effort, trained
    from wakeword.training.search.scoring import TrainedScorer, search_key
    from wakeword.training.search.table import Row, best_first

    effort = Effort(training.tries, training.keep)
    budget = found.budget
    scorer = TrainedScorer(recipe, folder, training.rounds, training.workers, note)
    journal = Journal(folder, search_key(recipe, training.rounds) | {"budget": asdict(budget)})
    tried: dict[str, Costed] = dict(trained(found.fitting, budget, effort, scorer, journal, stage))
    rows = [Row(one, journal.scores[name], training.rounds) for name, one in tried.items()]
    rows.sort(key=best_first)
    path = scorer.recipe_of(rows[0].costed.candidate, folder / BEST)
    note(f"the best one's recipe, for all of its rounds: wakeword train {path}")
    return rows

