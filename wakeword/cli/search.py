"""``wakeword search``: which networks fit into a budget, and which of them hear best."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wakeword.cli.options import echo_table, note
from wakeword.cli.search_options import (
    BudgetOptions,
    TrainingOptions,
    budget_options,
    labels_of,
    train_some,
    training_options,
)
from wakeword.cli.trial_options import Stages
from wakeword.errors import MissingExtraError

if TYPE_CHECKING:
    from wakeword.training.search.table import Row

EPILOG = """\b
Examples:
  wakeword search --budget small                        # all families, into searches/small
  wakeword search --budget medium --family ds-cnn --family gru
  wakeword search --memory-kb 64 --json
  wakeword search commands.toml --budget small --rounds 6 --out searches/commands

\b
docs/networks.md says what is counted, and how.
"""
SHOWN = 20


@click.command(epilog=EPILOG)
@click.argument("recipe", required=False,
                type=click.Path(exists=True, dir_okay=False, path_type=Path))  # fmt: skip
@budget_options
@click.option("--family", "families", multiple=True, metavar="FAMILY",
              help="Look at this family only; repeatable. [default: all]")
@click.option("--labels", type=click.IntRange(2, 1000),
              help="Outputs, background among them. [default: the recipe's, or 12]")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Table, picture, runs. [default: searches/<budget>]")
@training_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per network.")
def search(
    recipe: Path | None, budget: BudgetOptions, families: tuple[str, ...], labels: int | None,
    out: Path | None, training: TrainingOptions, as_json: bool,
) -> None:  # fmt: skip
    """Find the networks that fit into a budget, and with a RECIPE which of them hear best.

    All combinations of features and network that a family's table has are built and counted. Of
    networks that differ in nothing but their widths the widest that fits is listed; the table has
    all of them.

    With RECIPE, that of a command set, some of those are trained for a few rounds, then what lies
    around the best of them, and all are listed by the share of dev clips that they hear right.
    Interrupt it at any time and call it again: it goes on.
    """
    try:
        from wakeword.networks.candidates import widest
        from wakeword.networks.spaces import SPACES
        from wakeword.training.search.count import count
        from wakeword.training.search.scoring import searchable
        from wakeword.training.search.table import Row, write_tables
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "train", "search") from error
    limits = budget.budget()
    folder = out or Path("searches") / limits.name
    if recipe is not None:
        labels = labels_of(searchable(recipe), labels)
    with Stages() as stage:
        found = count(families or tuple(SPACES), limits, labels or 12, stage)
        tried = [] if recipe is None else train_some(found, recipe, folder, training, stage)
    names = {row.costed.candidate.name for row in tried}
    rows = [*tried, *(Row(one) for one in found.fitting if one.candidate.name not in names)]
    write_tables(folder, rows, limits, found.looked_at)
    best = tried or [Row(one) for one in widest(found.fitting)]
    _show(best, as_json)
    note(f"{len(found.fitting)} of {found.looked_at} networks fit, "
         f"{len(widest(found.fitting))} but for their widths, {len(tried)} were trained; table and "
         f"picture are in {folder}")  # fmt: skip


def _show(rows: Sequence[Row], as_json: bool) -> None:
    from wakeword.networks.budgets import KILOBYTE
    from wakeword.training.search.table import best_first

    ordered = sorted(rows, key=best_first)
    if as_json:
        for row in ordered:
            click.echo(json.dumps(row.to_dict(), ensure_ascii=False))
        return
    table = [("network", "8-bit kB", "MFLOP", "parameters", "dev clips right")]
    for row in ordered[:SHOWN]:
        cost, right = row.costed.cost, row.accuracy
        table.append(
            (row.costed.candidate.name, f"{cost.memory_bytes / KILOBYTE:.1f}",
             f"{cost.operations / 1e6:.2f}", f"{cost.parameters:,}",
             "-" if right is None else f"{100 * right:.2f} %")
        )  # fmt: skip
    echo_table(table)
    if len(rows) > SHOWN:
        note(f"the first {SHOWN}; --json prints all {len(rows)}")

