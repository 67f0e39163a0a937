"""Options of ``wakeword mine`` that say which mistakes are kept and how they are written."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from wakeword.cli.options import Command

if TYPE_CHECKING:
    from wakeword.training.hard_negatives.found import Choice


@dataclass(frozen=True)
class KeepOptions:
    """Bounds of the list, and what is written of it."""

    most: int
    per_recording: int
    per_cluster: int
    least_score: float
    clips: bool
    pictures: bool

    @property
    def choice(self) -> Choice:
        """The bounds, checked."""
        from wakeword.training.hard_negatives.found import Choice

        return Choice(self.most, self.per_recording, self.per_cluster, self.least_score)


def keep_options(command: Command) -> Command:
    """Add the options; the command gets them as one keyword argument ``keep``."""

    @functools.wraps(command)
    def with_keep(
        *arguments: Any,
        most: int,
        per_recording: int,
        per_cluster: int,
        least_score: float,
        clips: bool,
        pictures: bool,
        **others: Any,
    ) -> Any:
        options = KeepOptions(most, per_recording, per_cluster, least_score, clips, pictures)
        return command(*arguments, keep=options, **others)

    count = click.IntRange(min=1)
    for option in (
        click.option("--pictures/--no-pictures", default=True,
                     help="Draw the clips, forty a page. [default: yes]"),
        click.option("--clips/--no-clips", default=True,
                     help="Write the sound of each mistake, and manifest.csv for training. "
                          "[default: yes]"),
        click.option("--least-score", type=float, default=0.05, show_default=True, metavar="S",
                     help="Peaks of the smoothed posterior below this are no mistakes."),
        click.option("--per-cluster", type=count, default=3, show_default=True, metavar="N",
                     help="At most N of one sound."),
        click.option("--per-recording", type=count, default=10, show_default=True, metavar="N",
                     help="At most N of one recording."),
        click.option("--most", type=count, default=1000, show_default=True, metavar="N",
                     help="At most N in all, the highest scores first."),
    ):  # fmt: skip
        with_keep = option(with_keep)
    return with_keep
