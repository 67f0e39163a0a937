"""``wakeword train-aligner``: a network that reads letters, for ``wakeword align``."""

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
)
from wakeword.cli.trial_options import Stages
from wakeword.errors import MissingExtraError, TrainingError

EPILOG = """\b
Examples:
  wakeword train-aligner spanish.toml --out spanish-aligner
  wakeword align recordings.csv --method ctc-path --aligner spanish-aligner

\b
Interrupted, it goes on from the last epoch when it is started again.
"""


@click.command(epilog=EPILOG)
@recipe_argument
@run_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    required=True,
    help="The aligner: aligner.json, letters.onnx and the recipe.",
)
@click.option("--threads", type=click.IntRange(1, 256), default=1, show_default=True,
              help="Cores to train on.")  # fmt: skip
@click.option("--now", is_flag=True, help="Do not train on: export what the last epoch gave.")
@restart_option
def train_aligner(
    recipe: Path, run_folder: Path | None, out: Path, threads: int, now: bool, restart: bool
) -> None:
    """Train a network that reads letters on transcribed speech, as RECIPE (a TOML file) says.

    Only for another language or other letters than those of the aligner that is installed
    (English): that one needs not have heard your word. An hour of transcribed speech is too
    little, ten are enough.
    """
    try:
        from wakeword.training.letters.recipe import read_letters_recipe
        from wakeword.training.letters.run import LettersRun
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "train", "training") from error

    name = read_letters_recipe(recipe).name
    if now and restart:
        raise click.UsageError("--now and --restart exclude each other")
    folder = folder_of_run(run_folder, name, restart=restart)
    with Stages() as stage:
        run = LettersRun(recipe, folder, StageReporter(stage), threads)
        if not now:
            run.run()
        elif not run.resume():
            raise TrainingError(f"{folder} holds no checkpoint: not one epoch is through")
        model = run.save(out)
    click.echo(out)
    made = model.metadata
    note(
        f"aligner '{made.name}': {made.parameters} parameters, {made.epochs} epochs, written to "
        f"{out}; try: wakeword align MANIFEST --method ctc-path --aligner {out}"
    )
