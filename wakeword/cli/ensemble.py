"""``wakeword ensemble``: several models of the same words as one that misses less."""

from __future__ import annotations

from pathlib import Path

import click

from wakeword.cli.options import note
from wakeword.cli.trial_options import Stages, TrialOptions, trial_options
from wakeword.errors import MissingExtraError
from wakeword.runtime import find_bundle

EPILOG = """\b
Examples:
  wakeword ensemble runs/first-model runs/second-model --name kitchen-accurate \\
      --manifest recordings.csv --out models/kitchen-accurate

\b
Train the members apart, with other seeds or recipes: what all have in common, their mean has too.
It costs as much as all of them together; a large one that is only --asked costs little where
nobody speaks.
"""


@click.command(epilog=EPILOG)
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@trial_options
@click.option("--asked", metavar="MODEL", multiple=True,
              help="One more member, heard only where the others are in doubt; repeatable.")
@click.option("--asked-from", type=float, default=0.1, show_default=True, metavar="POSTERIOR",
              help="In doubt is where their mean gives some word as much.")
@click.option("--asked-share", type=float, metavar="SHARE",
              help="Of those --asked in what is said. [default: a model counts as any other]")
@click.option("--name", required=True, help="What the new model is called.")
@click.option("--version", default="1.0.0", show_default=True, help="Its version.")
@click.option("--description", default="", help="One line. [default: which models it is made of]")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The new model. [default: models/NAME]",
)
def ensemble(
    models: tuple[str, ...],
    asked: tuple[str, ...],
    asked_from: float,
    asked_share: float | None,
    trial: TrialOptions,
    name: str,
    version: str,
    description: str,
    out: Path | None,
) -> None:
    """Join models (names or folders) into one whose posteriors are the mean of theirs.

    They must hear the same words through the same front end; only PCEN's delta and r may differ,
    and whether they hear that or log-mel.
    The new model is calibrated and measured on recordings that none of them was trained on, and
    gets a card of its own.
    """
    try:
        from wakeword.training.ensemble import EnsembleName, join
        from wakeword.training.finish import write_measured
        from wakeword.training.second_look import Asked
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "ensemble", "training") from error

    called = EnsembleName(name, version, description)
    second = Asked(tuple(map(find_bundle, asked)), asked_from, asked_share) if asked else None
    joined = join([find_bundle(model) for model in models], called, second)
    _, trials = trial.open(joined)
    with Stages() as stage:
        written = write_measured(joined, trials, out or Path("models") / name, stage)
    click.echo(written.path)
    note(f"model '{name}' written to {written.path}; try: wakeword listen --model {written.path}")
