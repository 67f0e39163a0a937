"""``wakeword quantize``: a model in 8 bits, calibrated, measured and timed beside the float one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wakeword.cli.options import echo_table, note
from wakeword.cli.run_options import (
    StageReporter,
    folder_of_run,
    restart_option,
    run_option,
    workers_option,
)
from wakeword.cli.trial_options import Stages, TrialOptions, trial_options
from wakeword.errors import ConfigError, MissingExtraError
from wakeword.runtime import find_bundle

if TYPE_CHECKING:
    from wakeword.training.quantised.convert import Quantised
    from wakeword.training.quantised.report import Report

EPILOG = """\b
Examples:
  wakeword quantize seven --manifest recordings.csv
  wakeword quantize runs/commands --manifest recordings.csv --out models/commands-int8 --json
  wakeword quantize runs/commands --manifest recordings.csv --finetune --rounds 6

\b
Scores change a little, and with them the thresholds: the new model is calibrated and measured anew,
on recordings that neither was trained on. docs/networks.md says what is rounded, and what is not.
"""


@click.command(epilog=EPILOG)
@click.argument("model")
@trial_options
@click.option("--name", help="What the new model is called. [default: MODEL's name and -int8]")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The new model. [default: models/NAME]",
)
@click.option(
    "--windows",
    type=int,
    default=1024,
    show_default=True,
    help="Windows of training audio in which the ranges of activations are found.",
)
@click.option(
    "--seven-bit-weights",
    is_flag=True,
    help="For processors without VNNI (Intel before 2019, AMD before 2022): no sum saturates.",
)
@click.option(
    "--finetune",
    is_flag=True,
    help="Where rounding loses more than half a point on dev, train on with rounding.",
)
@click.option("--always", is_flag=True, help="Finetune however little is lost.")
@click.option("--rounds", type=int, default=2, show_default=True, help="Of finetuning.")
@click.option(
    "--learning-rate", type=float, default=1e-3, show_default=True, help="Of finetuning, at first."
)
@run_option
@workers_option
@restart_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def quantize(
    model: str,
    trial: TrialOptions,
    name: str | None,
    out: Path | None,
    windows: int,
    seven_bit_weights: bool,
    finetune: bool,
    always: bool,
    rounds: int,
    learning_rate: float,
    run_folder: Path | None,
    workers: int,
    restart: bool,
    as_json: bool,
) -> None:
    """Write MODEL (a name or a folder) with weights and activations of 8 bits.

    Ranges are found in training audio of the model's own recipe: the manifest must hold it. What
    ONNX Runtime cannot compute in 8 bits (recurrent layers) stays float, and is named. Float and
    8 bits are measured on the same clips and timed in turns. With --finetune a run that was
    interrupted goes on from its last round.
    """
    try:
        from wakeword.training.quantised.bundle import check_quantisable
        from wakeword.training.quantised.calibration import CalibrationConfig
        from wakeword.training.quantised.finetune import FinetuneConfig
        from wakeword.training.quantised.report import make_and_measure
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "train", "quantising") from error

    bundle = find_bundle(model)
    called = name or f"{bundle.name}-int8"
    check_quantisable(bundle, called)
    config = CalibrationConfig(windows, trial.seed, seven_bit_weights)
    finetuning = None
    if finetune or always:
        if trial.split != "dev":
            raise ConfigError(f"--finetune is chosen by the split dev, not --split {trial.split}")
        folder = folder_of_run(run_folder, called, restart=restart)
        finetuning = FinetuneConfig(folder, rounds, learning_rate, workers, always)
    manifest, trials = trial.open(bundle)
    with Stages() as stage:
        report = make_and_measure(
            bundle, called, config, trials, manifest, out or Path("models") / called,
            StageReporter(stage), finetuning,
        )  # fmt: skip
    _print(report, as_json)


def _print(report: Report, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(report.to_dict(), ensure_ascii=False))
    else:
        echo_table(report.rows())
    note(_left_in_float(report.converted))
    for loss in report.losses:
        if loss.is_large:
            note(f"{loss.what}: {100 * loss.more:.1f} points more than in float")
    note(f"model '{report.made.name}' written to {report.made.path}, calibrated anew")


def _left_in_float(converted: Quantised) -> str:
    share = f"{100 * converted.float_share:.0f} % of the parameters"
    if not converted.in_float:
        return f"nothing with weights stayed float: {share}"
    left = ", ".join(f"{count} {name}" for name, count in converted.in_float.items())
    return f"in float stayed {left}: {share}"
