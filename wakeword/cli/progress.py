"""Progress of long work on stderr: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[float], None]
"""Called with how much was done since the last call."""

LINE_EVERY_S = 10.0


@contextmanager
def progress(what: str, total: float | None, unit: str = "s") -> Iterator[Advance]:
    """Show how far ``what`` is; gives the function that moves it on, callable from any thread.

    Parameters
    ----------
    total
        All there is to do, in ``unit``; None where nobody knows.
    """
    if sys.stderr.isatty():
        with _bar(what, total, unit) as advance:
            yield advance
    else:
        yield _lines(what, total, unit)


def _lines(what: str, total: float | None, unit: str) -> Advance:
    done, said = 0.0, time.monotonic()

    def advance(amount: float) -> None:
        nonlocal done, said
        done += amount
        if time.monotonic() - said >= LINE_EVERY_S:
            said = time.monotonic()
            of = "" if total is None else f" of {total:.0f}"
            print(f"{what}: {done:.0f}{of} {unit}", file=sys.stderr, flush=True)

    return advance


@contextmanager
def _bar(what: str, total: float | None, unit: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    count = "{task.completed:.0f}" + ("" if total is None else "/{task.total:.0f}")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn(f"{count} {unit}"),
        TimeRemainingColumn(),
    )
    # Data that goes to a file must not be taken for something to draw around the bar.
    bar = Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    )
    with bar:
        task = bar.add_task(escape(what), total=total)
        yield lambda amount: bar.advance(task, amount)
