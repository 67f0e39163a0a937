"""``wakeword train``: from a recipe and a manifest of recordings to a complete model."""

from __future__ import annotations

from pathlib import Path

import click

from wakeword.cli.options import note
from wakeword.cli.run_options import (
    StageReporter,
    folder_of_run,
    recipe_argument,
    restart_option,
    run_option,
    workers_option,
)
from wakeword.cli.trial_options import Stages

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
@recipe_argument
@run_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The model. [default: models/<recipe's name>]",
)
@workers_option
@restart_option
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

    out = out or Path("models") / name
    folder = folder_of_run(run_folder, name, restart=restart)
    with Stages() as stage:
        run = TrainingRun(recipe, folder, workers, StageReporter(stage))
        run.run()
        bundle = finish(run, out, stage)
    click.echo(bundle.path)
    note(f"model '{bundle.name}' written to {bundle.path}; try: wakeword listen --model {out}")
