"""``wakeword train``: from a recipe and a manifest of recordings to a complete model."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wakeword.cli.options import note
from wakeword.cli.trial_options import Stages
from wakeword.errors import ConfigError

if TYPE_CHECKING:
    from wakeword.training.measuring import Stage

EPILOG = """\b
Examples:
  wakeword train my-word.toml                        # into models/<name>, run in runs/<name>
  wakeword train my-word.toml --run /big/disk/run1 --out my-models/kitchen
  wakeword train my-word.toml --restart              # forget the checkpoint

\b
Interrupt it at any time and call it again: it goes on from the last checkpoint.
docs/training.md says what a recipe and a manifest hold.
"""


@click.command(epilog=EPILOG)
@click.argument("recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--run",
    "run_folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Checkpoints and caches. [default: runs/<recipe's name>]",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The model. [default: models/<recipe's name>]",
)
@click.option(
    "--workers",
    type=click.IntRange(0, 256),
    default=os.cpu_count() or 1,
    show_default="all cores",
    help="Processes that make augmented recordings.",
)
@click.option("--restart", is_flag=True, help="Start anew although there is a checkpoint.")
def train(
    recipe: Path, run_folder: Path | None, out: Path | None, workers: int, restart: bool
) -> None:
    """Train a model as RECIPE (a TOML file) says, calibrate it, and write it with its card."""
    from wakeword.errors import MissingExtraError

    try:
        from wakeword.training.recipe import read_recipe

        name = read_recipe(recipe).bundle.name  # a wrong recipe need not wait for torch
        from wakeword.training.finish import finish
        from wakeword.training.run import TrainingRun
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "train", "training") from error

    run_folder = run_folder or Path("runs") / name
    out = out or Path("models") / name
    if restart and (run_folder / "checkpoint.pt").exists():
        put_aside(run_folder)
    with Stages() as stage:
        run = TrainingRun(recipe, run_folder, workers, StageReporter(stage))
        run.run()
        bundle = finish(run, out, stage)
    click.echo(bundle.path)
    note(f"model '{bundle.name}' written to {bundle.path}; try: wakeword listen --model {out}")


class StageReporter:
    """Stages as bars, notes as lines on stderr."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def note(self, text: str) -> None:
        """Say one thing."""
        note(text)


def put_aside(folder: Path) -> None:
    """Put the old run aside rather than destroy hours of work on a mistyped flag."""
    aside = folder.with_name(f"{folder.name}.old")
    if aside.exists():
        raise ConfigError(f"{aside} exists already; remove it before --restart")
    shutil.move(folder, aside)
    note(f"the run so far was moved to {aside}")
