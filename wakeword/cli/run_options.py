"""What the commands that train have in common: recipe, folder of the run, what a run says."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wakeword.cli.options import note
from wakeword.errors import ConfigError

if TYPE_CHECKING:
    from wakeword.training.measuring import Stage

recipe_argument = click.argument(
    "recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
run_option = click.option(
    "--run",
    "run_folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Checkpoints and caches. [default: runs/<name of what is made>]",
)
workers_option = click.option(
    "--workers",
    type=click.IntRange(0, 256),
    default=os.cpu_count() or 1,
    show_default="all cores",
    help="Processes that make augmented recordings.",
)
restart_option = click.option(
    "--restart", is_flag=True, help="Start anew although there is a checkpoint."
)


class StageReporter:
    """Stages as bars, notes as lines on stderr."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def note(self, text: str) -> None:
        """Say one thing."""
        note(text)


def folder_of_run(chosen: Path | None, name: str, *, restart: bool) -> Path:
    """The folder of the run; with ``restart``, what it holds is put aside.

    Hours of work are not destroyed on a mistyped flag.

    Raises
    ------
    ConfigError
        There is something where it would be put.
    """
    folder = chosen or Path("runs") / name
    if restart and (folder / "checkpoint.pt").exists():
        aside = folder.with_name(f"{folder.name}.old")
        if aside.exists():
            raise ConfigError(f"{aside} exists already; remove it before --restart")
        shutil.move(folder, aside)
        note(f"the run so far was moved to {aside}")
    return folder
