"""Options of ``wakeword nas``: which cells are looked at, and for how long."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from wakeword.cli.options import Command

if TYPE_CHECKING:
    from wakeword.networks.nas.supernet import Space
    from wakeword.training.nas.schedule import Schedule


@dataclass(frozen=True)
class NasOptions:
    """What the options say."""

    operations: str
    kernel: tuple[str, ...]
    cells: int
    channels: int
    epochs: int
    scenes: int | None
    batch: int
    learning_rate: float
    architecture_rate: float
    second_order: bool
    seed: int
    workers: int

    def space(self) -> Space:
        """Which cells are looked at."""
        from wakeword.networks.nas.cells import Stack
        from wakeword.networks.nas.supernet import Space

        kernels = tuple(sorted({int(k) for k in self.kernel}))
        return Space(self.operations, kernels, Stack(self.cells, self.channels))

    def schedule(self) -> Schedule:
        """How long, and how fast."""
        from wakeword.training.nas.schedule import Schedule

        return Schedule(
            epochs=self.epochs,
            scenes_per_epoch=self.scenes or 0,
            batch=self.batch,
            learning_rate=self.learning_rate,
            final_learning_rate=min(Schedule.final_learning_rate, self.learning_rate),
            architecture_rate=self.architecture_rate,
            second_order=self.second_order,
            seed=self.seed,
        )


def nas_options(command: Command) -> Command:
    """Add the options; the command gets them as one keyword argument ``options``."""

    @functools.wraps(command)
    def with_options(*arguments: Any, **given: Any) -> Any:
        own = {name: given.pop(name) for name in NasOptions.__dataclass_fields__}
        return command(*arguments, options=NasOptions(**own), **given)

    rate = click.FloatRange(0.0, 1.0, min_open=True)
    for option in (
        click.option("--workers", type=click.IntRange(0, 256), default=os.cpu_count() or 1,
                     show_default="all cores", help="Processes that make training clips."),
        click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True,
                     help="Of the first weights and of the batches."),
        click.option("--second-order", is_flag=True,
                     help="Look one step of the weights ahead: several times slower."),
        click.option("--architecture-rate", type=rate, default=3e-4, show_default=True,
                     help="Learning rate of the architecture, by Adam."),
        click.option("--learning-rate", type=rate, default=0.025, show_default=True,
                     help="First learning rate of the weights, by SGD."),
        click.option("--batch", type=click.IntRange(2, 4096), default=16, show_default=True,
                     help="Windows of a step, of each half."),
        click.option("--scenes", type=click.IntRange(1, 10_000_000), metavar="N",
                     help="Clips or scenes of an epoch, of each half. [default: as many as a round "
                          "of the recipe]"),
        click.option("--epochs", type=click.IntRange(1, 10_000), default=50, show_default=True,
                     help="How long to search."),
        click.option("--channels", type=click.IntRange(1, 1024), default=16, show_default=True,
                     help="Channels of the first cell."),
        click.option("--cells", type=click.IntRange(1, 60), default=6, show_default=True,
                     help="Cells of the network searched in; every third reduces."),
        click.option("--kernel", multiple=True, type=click.Choice(["3", "5"]),
                     default=["3", "5"], show_default=True,
                     help="Size of the convolutions; repeatable."),
        click.option("--operations", type=click.Choice(["nas1", "nas2"]), default="nas1",
                     show_default=True, help="Separable convolutions, or regular ones."),
    ):  # fmt: skip
        with_options = option(with_options)
    return with_options
