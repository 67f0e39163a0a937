"""``wakeword search``: which networks fit into a budget of memory and operations."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wakeword.cli.options import echo_table, note
from wakeword.cli.trial_options import Stages
from wakeword.errors import MissingExtraError

if TYPE_CHECKING:
    from wakeword.networks import Budget
    from wakeword.training.search.table import Row

EPILOG = """\b
Examples:
  wakeword search --budget small                        # all families, into searches/small
  wakeword search --budget medium --family ds-cnn --family gru
  wakeword search --budget small --memory-kb 64 --json

\b
docs/networks.md says what is counted, and how.
"""
SHOWN = 20


@click.command(epilog=EPILOG)
@click.option("--budget", "name", type=click.Choice(["small", "medium", "large"]), default="small",
              show_default=True, help="80, 200 or 500 kB and 6, 20 or 80 million operations.")
@click.option("--memory-kb", type=click.FloatRange(min=0.0, min_open=True), metavar="KB",
              help="Another limit of memory (1024 bytes each).")
@click.option("--operations", type=click.FloatRange(min=0.0, min_open=True), metavar="MILLIONS",
              help="Another limit of operations an inference.")
@click.option("--family", "families", multiple=True, metavar="FAMILY",
              help="Look at this family only; repeatable. [default: all]")
@click.option("--labels", type=click.IntRange(2, 1000), default=12, show_default=True,
              help="Outputs, background among them.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Table and picture. [default: searches/<budget>]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per network.")
def search(
    name: str, memory_kb: float | None, operations: float | None, families: tuple[str, ...],
    labels: int, out: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """List the networks that fit into a budget, and draw memory over operations.

    All combinations of features and network that a family's table has are built and counted. Of
    networks that differ in nothing but their widths the widest that fits is listed; the table has
    all of them.
    """
    try:
        from wakeword.networks.candidates import widest
        from wakeword.networks.spaces import SPACES
        from wakeword.training.search.count import count
        from wakeword.training.search.table import Row, write_tables
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "train", "search") from error
    budget = _budget(name, memory_kb, operations)
    with Stages() as stage:
        found = count(families or tuple(SPACES), budget, labels, stage)
    folder = out or Path("searches") / budget.name
    write_tables(folder, [Row(one) for one in found.fitting], budget, found.looked_at)
    best = [Row(one) for one in widest(found.fitting)]
    best.sort(key=lambda row: -row.costed.cost.memory_bytes)
    _show(best, as_json)
    note(f"{len(found.fitting)} of {found.looked_at} networks fit, {len(best)} but for their "
         f"widths; table and picture are in {folder}")  # fmt: skip


def _budget(name: str, memory_kb: float | None, operations: float | None) -> Budget:
    from wakeword.networks import BUDGETS
    from wakeword.networks.budgets import KILOBYTE

    budget = BUDGETS[name]
    for option, value in (("--memory-kb", memory_kb), ("--operations", operations)):
        if value is not None and not math.isfinite(value):
            raise click.BadParameter(f"{value} is not a finite number", param_hint=option)
    if memory_kb is not None:
        budget = replace(budget, name="own", memory_bytes=max(1, int(memory_kb * KILOBYTE)))
    if operations is not None:
        budget = replace(budget, name="own", operations=max(1, int(operations * 1e6)))
    return budget


def _show(rows: Sequence[Row], as_json: bool) -> None:
    if as_json:
        for row in rows:
            click.echo(json.dumps(row.to_dict(), ensure_ascii=False))
        return
    table = [("network", "8-bit kB", "MFLOP", "parameters")]
    for row in rows[:SHOWN]:
        cost = row.costed.cost
        table.append(
            (row.costed.candidate.name, f"{cost.memory_bytes / 1024:.1f}",
             f"{cost.operations / 1e6:.2f}", f"{cost.parameters:,}")
        )  # fmt: skip
    echo_table(table)
    if len(rows) > SHOWN:
        note(f"the {SHOWN} that take most memory; --json prints all {len(rows)}")
