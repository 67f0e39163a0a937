"""``wakeword nas``: which cells make the best network for what a recipe trains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wakeword.cli.nas_options import NasOptions, nas_options
from wakeword.cli.options import echo_table, note
from wakeword.cli.run_options import (
    StageReporter,
    folder_of_run,
    recipe_argument,
    restart_option,
)
from wakeword.cli.trial_options import Stages
from wakeword.errors import MissingExtraError

if TYPE_CHECKING:
    from wakeword.networks.nas.genotype import Genotype

EPILOG = """\b
Examples:
  wakeword nas commands.toml                         # as in the paper, into runs/<name>-nas1
  wakeword nas commands.toml --operations nas2 --second-order
  wakeword nas commands.toml --kernel 3 --channels 8 --epochs 20 --scenes 2048
  wakeword train runs/commands-nas1/found.toml       # the network that was found

\b
Interrupt it at any time and call it again: it goes on from the last epoch.
docs/nas.md says what is searched, and how.
"""


@click.command(epilog=EPILOG)
@recipe_argument
@nas_options
@click.option("--run", "run_folder", type=click.Path(file_okay=False, path_type=Path),
              metavar="DIR", help="Checkpoint and results. [default: runs/<recipe's "
                                  "name>-<operations>]")  # fmt: skip
@restart_option
@click.option("--json", "as_json", is_flag=True, help="Print the genotype as JSON.")
def nas(
    recipe: Path, options: NasOptions, run_folder: Path | None, restart: bool, as_json: bool
) -> None:
    """Search the cells of a network for RECIPE (DARTS), and write them as a genotype.

    Weights are learnt on one half of the training recordings, and on the other which operations
    the cells are made of. The network that RECIPE names is not used, all else is. The folder gets
    genotype.json, the journal search.csv and search.json, pictures of the cells and of the search,
    and found.toml: RECIPE with the network that was found.
    """
    try:
        from wakeword.training.recipe import read_recipe

        name = read_recipe(recipe).bundle.name
        from wakeword.training.nas.run import FOUND_RECIPE, SearchRun
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "train", "nas") from error
    space, schedule = options.space(), options.schedule()
    folder = folder_of_run(run_folder, f"{name}-{options.operations}", restart=restart)
    with Stages() as stage:
        run = SearchRun(recipe, folder, space, schedule, options.workers, StageReporter(stage))
        run.run()
    path = run.write()
    found = run.found()
    if as_json:
        click.echo(json.dumps(found.genotype.to_dict()))
    else:
        echo_table(_rows(found.genotype))
    note(f"of epoch {found.epochs[found.best].epoch}, written to {path}; train it: wakeword train "
         f"{folder / FOUND_RECIPE}")  # fmt: skip


def _rows(genotype: Genotype) -> list[tuple[str, ...]]:
    """One node each: what it adds up."""
    rows: list[tuple[str, ...]] = [("cell", "node", "is the sum of")]
    for name, cell in genotype.cells.items():
        for node, edges in enumerate(cell, 2):
            parts = " and ".join(f"{operation} of {source}" for operation, source in edges)
            rows.append((name, str(node), parts))
    return rows
