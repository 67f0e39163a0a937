"""Options that several commands share, as decorators, and what they mean."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import click

from wakeword.audio.files import RawFormat
from wakeword.audio.pcm import Encoding
from wakeword.errors import SampleRateError
from wakeword.runtime import Selection, Spotter, select

Command = Callable[..., Any]


@dataclass(frozen=True)
class ModelOptions:
    """Which words to hear, and when to call it a detection."""

    models: tuple[str, ...] = ()
    threshold: float | None = None
    false_alarms_per_hour: float | None = None
    threads: int = 1

    def select(self) -> list[Selection]:
        """The bundles and words that were asked for."""
        return select(self.models)

    def open_spotter(self, sample_rate: int = 16_000, channels: int = 1) -> Spotter:
        """Load the models; says on stderr where a target was asked for that is unsupported."""
        spotter = Spotter(
            self.select(),
            sample_rate=sample_rate,
            channels=channels,
            thresholds=self.threshold,
            false_alarms_per_hour=self.false_alarms_per_hour,
            threads=self.threads,
        )
        if self.false_alarms_per_hour is not None:
            _note_unsupported(spotter, self.false_alarms_per_hour)
        return spotter


def model_options(command: Command) -> Command:
    """Add ``--model``, ``--threshold``, ``--false-alarms-per-hour`` and ``--threads``.

    The command gets them as one keyword argument ``models``, a
    ModelOptions.
    """

    @functools.wraps(command)
    def with_models(
        *arguments: Any,
        model: tuple[str, ...],
        threshold: float | None,
        false_alarms_per_hour: float | None,
        threads: int,
        **others: Any,
    ) -> Any:
        options = ModelOptions(model, threshold, false_alarms_per_hour, threads)
        return command(*arguments, models=options, **others)

    threads = click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True,
                           help="Threads that the network may use.")  # fmt: skip
    model = click.option("--model", "-m", multiple=True, metavar="MODEL",
                         help="Name of a model, a word, MODEL:WORD, or a model's folder; "
                              "repeatable. Without it: all words of the default ones.")  # fmt: skip
    return model(threshold_options(threads(with_models)))


def threshold_options(command: Command) -> Command:
    """Add ``--threshold`` and ``--false-alarms-per-hour``."""
    rate = click.option("--false-alarms-per-hour", type=float, metavar="RATE",
                        help="Use the thresholds measured for this rate, instead of each model's "
                             "own choice.")  # fmt: skip
    one = click.option("--threshold", type=float, metavar="T",
                       help="One threshold for all words, between 0 and 1, instead of measured "
                            "ones.")  # fmt: skip
    return one(rate(command))


def raw_options(command: Command) -> Command:
    """Add ``--rate``, ``--encoding`` and ``--channels``.

    The command gets them as one keyword argument ``raw``: a RawFormat, or None.
    """

    @functools.wraps(command)
    def with_raw(
        *arguments: Any, rate: int | None, encoding: str | None, channels: int | None, **others: Any
    ) -> Any:
        raw = None
        if rate is not None:
            raw = RawFormat(rate, encoding or "s16le", 1 if channels is None else channels)  # type: ignore[arg-type]
        elif encoding is not None or channels is not None:
            raise SampleRateError(
                "--encoding and --channels describe raw PCM, whose rate must be declared: --rate"
            )
        return command(*arguments, raw=raw, **others)

    for option in (
        click.option("--channels", type=int, metavar="N", help="Channels of raw PCM. [default: 1]"),
        click.option("--encoding", type=click.Choice(get_args(Encoding)),
                     help="Samples of raw PCM. [default: s16le]"),
        click.option("--rate", type=int, metavar="HZ",
                     help="The input is raw PCM at this rate. Files with a header need none of "
                          "these three."),
    ):  # fmt: skip
        with_raw = option(with_raw)
    return with_raw


def note(message: str) -> None:
    """Say something on stderr that is no data and no error."""
    click.echo(f"note: {message}", err=True)


def say_error(message: str) -> None:
    """Say on stderr that one of several inputs failed, while the others go on."""
    click.echo(f"error: {message}", err=True)


def _note_unsupported(spotter: Spotter, target: float) -> None:
    for stream in spotter.streams:
        for word in stream.words:
            statement = stream.engine.bundle.operating_points(word).unsupported(target)
            if statement:
                note(f"{word} at {target:g} false alarms per hour: {statement}")


def echo_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows as columns, two spaces apart, nothing cut off: pipes want whole values."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())
