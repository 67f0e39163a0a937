"""``wakeword score``: the smoothed posterior of every word, every step, as CSV."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import click

from wakeword.audio.files import AudioReader, RawFormat
from wakeword.audio.pcm import Samples
from wakeword.cli.options import ModelOptions, model_options, note, raw_options
from wakeword.cli.plot import Picture, require_matplotlib
from wakeword.cli.recordings import for_each_recording
from wakeword.errors import ConfigError
from wakeword.files import atomic_write
from wakeword.runtime import Spotter, StepResult

EPILOG = """\b
Examples:
  wakeword score recording.wav --out scores
  wakeword score *.flac --out scores --model computer --plot
"""


@click.command(epilog=EPILOG)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for the CSV files; made if it is missing.",
)
@click.option(
    "--plot",
    is_flag=True,
    help="Also draw waveform, features, posteriors and detections as DIR/NAME.png.",
)
@model_options
@raw_options
def score(
    files: tuple[str, ...], out: Path, plot: bool, models: ModelOptions, raw: RawFormat | None
) -> int:
    """Write DIR/NAME.csv for each FILE: the smoothed posterior of every word, every 100 ms.

    Columns are time_s, the end of the step, and one per word: what a detector would compare
    with its threshold. Steps that are not wholly inside the recording are left out.
    """
    if plot:
        require_matplotlib()
    targets = _targets(files, out)
    spotter = models.open_spotter()
    columns = _columns(spotter)
    rate = spotter.model_rate
    out.mkdir(parents=True, exist_ok=True)

    def write(name: str, audio: AudioReader, blocks: Iterator[Samples]) -> None:
        spotter.reset(sample_rate=rate, channels=1)
        picture = Picture(name, spotter) if plot else None
        with atomic_write(targets[name]) as file:
            _write_csv(file, columns, _steps(spotter, blocks, picture))
        if picture is not None:
            picture.save(targets[name].with_suffix(".png"))
        note(f"wrote {targets[name]}")

    return for_each_recording(files, raw, rate, write)


def _targets(files: Sequence[str], out: Path) -> dict[str, Path]:
    """The CSV of each recording; two that would share one are refused before any work."""
    targets: dict[str, Path] = {}
    taken: dict[str, str] = {}
    for name in files:
        stem = "stdin" if name == "-" else Path(name).stem
        other = taken.setdefault(stem.casefold(), name)
        if name in targets or other != name:
            raise ConfigError(
                f"'{other}' and '{name}' would both be written to {out / stem}.csv; "
                "score them into different folders"
            )
        targets[name] = out / f"{stem}.csv"
    return targets


def _columns(spotter: Spotter) -> list[str]:
    """A column per word; ``model:word`` where two models were asked for the same word."""
    steps_s = {s.engine.step_samples / s.engine.sample_rate for s in spotter.streams}
    if len(steps_s) > 1:
        every = " and ".join(f"{1000 * step:g} ms" for step in sorted(steps_s))
        raise ConfigError(f"these models score every {every}: score with one of them at a time")
    counts = Counter(word for stream in spotter.streams for word in stream.words)
    return [
        word if counts[word] == 1 else f"{stream.engine.bundle.name}:{word}"
        for stream in spotter.streams
        for word in stream.words
    ]


def _steps(
    spotter: Spotter, blocks: Iterator[Samples], picture: Picture | None
) -> Iterator[tuple[float, list[float]]]:
    """Yield (end in seconds, smoothed posteriors) of every step inside the recording."""
    waiting: dict[int, list[StepResult]] = {}
    for results in _results(spotter, blocks, picture):
        for result in results:
            if picture is not None:
                picture.add_detections(result.detections)
            if result.end_sample > result.stream.received_samples:
                continue
            group = waiting.setdefault(result.index, [])
            group.append(result)
            if len(group) == len(spotter.streams):
                del waiting[result.index]
                group.sort(key=lambda r: spotter.streams.index(r.stream))
                row = [float(p) for r in group for p in r.smoothed]
                if picture is not None:
                    picture.add_posteriors(row)
                yield result.end_s, row


def _results(
    spotter: Spotter, blocks: Iterator[Samples], picture: Picture | None
) -> Iterator[list[StepResult]]:
    for block in blocks:
        if picture is not None:
            picture.add_samples(block)
        yield spotter.steps(block)
    yield spotter.finish_steps()


def _write_csv(
    file: IO[str], columns: Sequence[str], steps: Iterator[tuple[float, list[float]]]
) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["time_s", *columns])
    for end_s, row in steps:
        # 9 digits bring a float32 back exactly; repr does that for the time.
        writer.writerow([repr(end_s), *(f"{value:.9g}" for value in row)])
