"""``wakeword evaluate``: how much a model misses, and how often it alarms falsely."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wakeword.cli.options import note
from wakeword.cli.plot import require_matplotlib
from wakeword.cli.trial_options import Stages, TrialOptions, trial_options
from wakeword.evaluation.measurement import DEFAULT_SNRS_DB
from wakeword.runtime import Bundle, find_bundle

if TYPE_CHECKING:
    from wakeword.data.manifest import Manifest
    from wakeword.evaluation.conditions import Kind
    from wakeword.evaluation.measurement import Evaluation
    from wakeword.training.trials import Trials

EPILOG = """\b
Examples:
  wakeword evaluate seven --manifest recordings.csv
  wakeword evaluate ./my-model --manifest recordings.csv --snr 10 --snr 5 --no-babble
  wakeword evaluate seven --manifest recordings.csv --split test --out report
  wakeword evaluate seven --manifest recordings.csv --json > figures.jsonl
"""


@click.command(epilog=EPILOG)
@click.argument("bundle", metavar="MODEL")
@trial_options
@click.option(
    "--snr",
    "snrs_db",
    type=float,
    multiple=True,
    default=DEFAULT_SNRS_DB,
    show_default=True,
    metavar="DB",
    help="Mix clips at this SNR; repeatable.",
)
@click.option("--noise/--no-noise", default=True, help="Clips in noise. [default: yes]")
@click.option("--babble/--no-babble", default=True, help="Clips in babble of six. [default: yes]")
@click.option(
    "--target",
    type=float,
    metavar="RATE",
    help="False alarms per hour to compare at. [default: the model's own]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write JSON, CSV tables and pictures of the curves into this folder.",
)
@click.option("--pictures/--no-pictures", default=True, help="Draw the curves. [default: yes]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per figure.")
def evaluate(
    bundle: str,
    trial: TrialOptions,
    snrs_db: tuple[float, ...],
    noise: bool,
    babble: bool,
    target: float | None,
    out: Path | None,
    pictures: bool,
    as_json: bool,
) -> None:
    """Measure MODEL (a name or a folder) on the recordings of a manifest.

    Every recording is heard as a stream, every 100 ms, by the detector that runs everywhere.
    Misses are counted in clips of the words, clean and mixed with noise and babble; false alarms
    in everything else. Two thresholds are compared: one chosen on these very recordings to keep
    the target, and the one that the model ships for it. A clip is hit if the word is detected
    before half a window after its end.
    """
    from wakeword.evaluation.measurement import evaluate as measure
    from wakeword.evaluation.report import check_report_folder, write_report
    from wakeword.evaluation.tables import text_report
    from wakeword.training.measuring import score_trials

    model = find_bundle(bundle)
    for word in model.words:
        model.threshold(word, target)
    if out is not None:
        check_report_folder(out)
        if pictures:
            require_matplotlib("drawing a report")
    manifest, trials = trial.open(model)
    asked: tuple[tuple[Kind, bool], ...] = (("noise", noise), ("babble", babble))
    kinds = [kind for kind, wanted in asked if wanted]
    _note_lacks(trials, kinds)
    conditions = trials.conditions(snrs_db, kinds)
    with Stages() as stage:
        scored = score_trials(model, trials, conditions, stage)
    result = measure(model, scored.recorded, scored.by_condition, scored.rules, target)
    if as_json:
        _print_json(result)
    else:
        click.echo(text_report(result))
    if out is not None:
        about = _about(model, manifest, trials, scored.rules.tolerance_s)
        write_report(out, result, about, pictures=pictures)
        note(f"report written to {out}")


def _note_lacks(trials: Trials, kinds: Sequence[Kind]) -> None:
    for kind in kinds:
        lack = trials.lacks(kind)
        if lack is not None:
            note(f"no clips in {kind}: {lack}")


def _about(
    model: Bundle, manifest: Manifest, trials: Trials, tolerance_s: float
) -> Mapping[str, Any]:
    """What was measured, and with what: enough to measure it again."""
    from importlib.metadata import version

    from wakeword import __version__

    return {
        "bundle": model.name,
        "version": model.metadata.version,
        "sha256": model.sha256,
        "manifest_sha256": manifest.sha256,
        "split": trials.config.split,
        "seed": trials.config.seed,
        "trained_on": sorted(s.corpus for s in model.metadata.training.data),
        "noise_corpora": sorted(trials.config.noise_corpora),
        "talkers": trials.config.talkers,
        "context_s": trials.config.context_s,
        "tolerance_s": tolerance_s,
        "left_out": len(trials.left_out()),
        "libraries": {
            "wakeword": __version__,
            "numpy": version("numpy"),
            "onnxruntime": version("onnxruntime"),
        },
    }


def _print_json(result: Evaluation) -> None:
    from wakeword.evaluation.report import alarm_rows, choice_rows, miss_rows

    for kind, rows in (
        ("misses", miss_rows), ("false alarms", alarm_rows), ("chosen threshold", choice_rows)
    ):  # fmt: skip
        for row in rows(result):
            click.echo(json.dumps({"figure": kind, **row}, ensure_ascii=False))
