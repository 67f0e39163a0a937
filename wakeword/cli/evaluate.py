"""``wakeword evaluate``: how much models miss, and how often they alarm falsely."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from wakeword.cli.about import about_bundle, about_trials
from wakeword.cli.condition_options import ConditionOptions, condition_options
from wakeword.cli.listen_options import ListenOptions, listen_options
from wakeword.cli.protocol_options import protocol_options
from wakeword.cli.report_options import ReportOptions, report_options
from wakeword.cli.trial_options import Stages, TrialOptions, trial_options
from wakeword.runtime import Bundle, find_bundle

if TYPE_CHECKING:
    from wakeword.evaluation.results import Results

EPILOG = """\b
Examples:
  wakeword evaluate seven --manifest recordings.csv
  wakeword evaluate seven --manifest recordings.csv --report report
  wakeword evaluate seven ./my-model --manifest recordings.csv --report comparison
  wakeword evaluate ./my-model --manifest recordings.csv --snr 10 --snr 5 --no-babble
  wakeword evaluate seven --manifest recordings.csv --distance 1 --distance 4 --no-babble
  wakeword evaluate seven --manifest recordings.csv --json > figures.jsonl
  wakeword evaluate seven --manifest recordings.csv --snr 10 --listen errors.html
  wakeword evaluate seven --manifest recordings.csv --protocol picovoice --scores scores
  wakeword evaluate commands --manifest recordings.csv --split test --protocol speech-commands
"""
_PRINTED = ("misses", "means", "false_alarms", "chosen_thresholds", "differences")


@click.command(epilog=EPILOG)
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@trial_options
@condition_options
@click.option(
    "--target",
    type=float,
    metavar="RATE",
    help="False alarms per hour and word to compare at. [default: the first model's own]",
)
@report_options
@listen_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per figure.")
@protocol_options
def evaluate(
    models: tuple[str, ...],
    trial: TrialOptions,
    clips: ConditionOptions,
    target: float | None,
    report: ReportOptions,
    listen: ListenOptions,
    as_json: bool,
) -> None:
    """Measure each MODEL (a name or a folder) on the recordings of a manifest.

    Every recording is heard as a stream, every 100 ms, by the detector that runs everywhere.
    Misses are counted in clips of the words, clean and mixed with noise and babble; false alarms
    in everything else. Two thresholds are compared: one chosen on these very recordings to keep
    the target, and the one that the model ships for it. A clip is hit if the word is detected
    before half a window after its end.

    Several models are measured on the same recordings, those that none of them was trained on,
    and each is compared with the first.
    """
    from wakeword.evaluation.measurement import evaluate as measure
    from wakeword.evaluation.results import Measured, gather
    from wakeword.training.measuring import score_trials

    bundles = [find_bundle(name) for name in models]
    labels = _labels(models, bundles)
    target = bundles[0].metadata.default_target_fa_per_hour if target is None else target
    for bundle in bundles:
        for word in bundle.words:
            bundle.threshold(word, target)
    report.check()
    listen.check(bundles)
    manifest, trials = trial.open(*bundles)
    conditions = clips.make(trials, reported=report.folder is not None)
    levels = trials.levels_dbfs() if report.folder is not None else {}
    about = about_trials(manifest, trials)
    measured = []
    for label, bundle in zip(labels, bundles, strict=True):
        with Stages() as stage:
            scored = score_trials(bundle, trials, conditions, stage)
        result = measure(bundle, scored.recorded, scored.by_condition, scored.rules, target)
        of_bundle = about_bundle(bundle, scored.rules.tolerance_s)
        measured.append(Measured(label, of_bundle, result, scored.by_condition, scored.rules))
    results = gather(about, conditions, measured, levels, trials.config.seed)
    _print(results, as_json)
    report.write(results)
    # One model only: check() saw to it.
    listen.write(bundles[-1], trials, conditions, scored, result, {**about, **of_bundle})


def _labels(given: Sequence[str], bundles: Sequence[Bundle]) -> list[str]:
    """The bundles' names; where two have the same, what was given on the command line."""
    names = [bundle.name for bundle in bundles]
    labels = [n if names.count(n) == 1 else g for n, g in zip(names, given, strict=True)]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise click.UsageError(f"MODEL '{twice}' is given twice")
    return labels


def _print(results: Results, as_json: bool) -> None:
    from wakeword.evaluation.report_tables import text_results
    from wakeword.evaluation.rows import table_rows

    if not as_json:
        click.echo(text_results(results))
        return
    for name in _PRINTED:
        for row in table_rows(name, results):
            figure = {"figure": name.replace("_", " "), **row}
            click.echo(json.dumps(figure, ensure_ascii=False))
