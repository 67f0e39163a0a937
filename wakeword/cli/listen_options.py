"""``evaluate --listen``: the errors of an evaluation as a page to hear and see."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wakeword.cli.options import Command, note
from wakeword.cli.trial_options import Stages
from wakeword.runtime import Bundle

if TYPE_CHECKING:
    from wakeword.evaluation.conditions import Condition
    from wakeword.evaluation.measurement import Evaluation
    from wakeword.training.measuring import Scored
    from wakeword.training.trials import Trials

DEFAULT_MOST = 100


@dataclass(frozen=True)
class ListenOptions:
    """Where the page goes, None for nowhere, and how many errors it holds at most."""

    path: Path | None
    most: int

    def check(self, models: Sequence[Bundle]) -> None:
        """Refuse early what could only fail after everything was scored."""
        from wakeword.evaluation.listening.page import check_listening_file

        if self.path is None:
            return
        if len(models) > 1:
            raise click.UsageError(f"--listen is for one MODEL, not {len(models)}")
        check_listening_file(self.path, models[0].metadata.frontend.sample_rate)

    def write(
        self,
        model: Bundle,
        trials: Trials,
        conditions: Sequence[Condition],
        scored: Scored,
        result: Evaluation,
        about: Mapping[str, Any],
    ) -> None:
        """Write the page, if one is wanted, and say what did not fit."""
        from wakeword.training.listening import write_listening_page

        if self.path is None:
            return
        about = {**about, "target_fa_per_hour": result.target_fa_per_hour}
        with Stages() as stage:
            found = write_listening_page(
                self.path, model, trials, conditions, scored, result,
                about=about, most=self.most, stage=stage,
            )  # fmt: skip
        for what, count in found.left_out.items():
            note(f"left out of the listening page, as less wrong: {count} {what}")
        note(f"listening page with {len(found.kept)} errors written to {self.path}")


def listen_options(command: Command) -> Command:
    """Add the options; the command gets them as one keyword argument ``listen``."""

    @functools.wraps(command)
    def with_listen(*arguments: Any, listen: Path | None, listen_most: int, **others: Any) -> Any:
        return command(*arguments, listen=ListenOptions(listen, listen_most), **others)

    for option in (
        click.option("--listen-most", type=click.IntRange(min=1), default=DEFAULT_MOST,
                     show_default=True, metavar="N",
                     help="At most so many misses under each condition, and false alarms, on "
                          "that page: the worst."),
        click.option("--listen", type=click.Path(path_type=Path), metavar="FILE.html",
                     help="Write misses and false alarms as one HTML file: sound, spectrogram, "
                          "features, scores; the most wrong first."),
    ):  # fmt: skip
        with_listen = option(with_listen)
    return with_listen
