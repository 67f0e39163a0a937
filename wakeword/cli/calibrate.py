"""``wakeword calibrate``: new operating points for a model, from recordings of one's own."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from wakeword.cli.options import note
from wakeword.cli.trial_options import Stages, TrialOptions, trial_options
from wakeword.evaluation.calibration import TARGETS_FA_PER_HOUR
from wakeword.runtime import OperatingPoints, find_bundle

if TYPE_CHECKING:
    from wakeword.evaluation.conditions import Condition
    from wakeword.training.trials import Trials

EPILOG = """\b
Examples:
  wakeword calibrate seven --manifest kitchen.csv --out my-models/seven
  wakeword calibrate my-models/seven --manifest kitchen.csv --in-place
  wakeword calibrate seven --manifest kitchen.csv --dry-run --target 0.5 --target 0.2
  wakeword calibrate models/seven --manifest recordings.csv --seed 12 --curves --in-place
"""


@click.command(epilog=EPILOG)
@click.argument("bundle", metavar="MODEL")
@trial_options
@click.option(
    "--target",
    "targets",
    type=float,
    multiple=True,
    default=TARGETS_FA_PER_HOUR,
    show_default=True,
    metavar="RATE",
    help="False alarms per hour; repeatable.",
)
@click.option(
    "--snr",
    "snr_db",
    type=float,
    default=10.0,
    show_default=True,
    metavar="DB",
    help="Misses are measured in noise at this SNR; clean where there is no noise.",
)
@click.option(
    "--curves",
    "only_curves",
    is_flag=True,
    help="Keep the operating points, and measure only the curves that they are part of; refused "
    "where the recordings are not those that they are from.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the model with its new operating points into this folder.",
)
@click.option("--in-place", is_flag=True, help="Change the model itself.")
@click.option("--dry-run", is_flag=True, help="Only print the operating points.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per operating point.")
def calibrate(
    bundle: str,
    trial: TrialOptions,
    targets: tuple[float, ...],
    snr_db: float,
    only_curves: bool,
    out: Path | None,
    in_place: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Derive the thresholds of MODEL (a name or a folder) anew from the recordings of a manifest.

    For each target the lowest threshold is chosen that keeps it on all recordings without the
    word; the network stays as it is. Where the hours are too few to support a target, the
    threshold is marked so and a sentence says why.
    """
    from wakeword.training.measuring import (
        check_targets,
        operating_points,
        recalibrated,
        score_trials,
        with_curves,
    )

    context = click.get_current_context()
    if only_curves and context.get_parameter_source("targets") != ParameterSource.DEFAULT:
        raise click.UsageError("--curves keeps the operating points: give no --target")
    if [out is not None, in_place, dry_run].count(True) != 1:
        raise click.UsageError("give one of --out DIR, --in-place and --dry-run")
    model = find_bundle(bundle)
    if not only_curves:
        check_targets(model, targets)
    _, trials = trial.open(model)
    condition = _condition(trials, snr_db)
    with Stages() as stage:
        scored = score_trials(model, trials, [condition], stage)
    if only_curves:
        points = with_curves(model, scored, condition)
    else:
        points = operating_points(model, scored, condition, sorted(set(targets)))
    _print(points, as_json)
    if not dry_run:
        written = recalibrated(model, points, out or model.path)
        what = "curves" if only_curves else "operating points"
        note(f"{what} written to {written.path}")


def _condition(trials: Trials, snr_db: float) -> Condition:
    from wakeword.evaluation.conditions import Condition

    lack = trials.lacks("noise")
    if lack is None:
        return Condition("noise", snr_db)
    note(f"misses are measured in clean clips: {lack}")
    return Condition("clean")


def _print(points: dict[str, OperatingPoints], as_json: bool) -> None:
    from wakeword.evaluation.tables import operating_point_table

    if as_json:
        for word, table in points.items():
            for point in table.points:
                click.echo(json.dumps({"word": word, **asdict(point)}, ensure_ascii=False))
        return
    click.echo(operating_point_table(points))
    for word, table in points.items():
        for point in table.points:
            if not point.supported:
                note(f"{word} at {point.target_fa_per_hour:g} per hour: {point.statement}")
