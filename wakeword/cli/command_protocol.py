"""``evaluate --protocol speech-commands``: how often command sets are right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from wakeword.cli.options import note
from wakeword.cli.plot import require_matplotlib
from wakeword.cli.report_options import ReportOptions
from wakeword.cli.trial_options import Stages, TrialOptions
from wakeword.runtime import Bundle, find_bundle

if TYPE_CHECKING:
    from wakeword.data.commands.trials import CommandTrials
    from wakeword.data.manifest import Manifest
    from wakeword.evaluation.commands.figures import CommandResult


def run_commands(
    models: Sequence[str], trial: TrialOptions, report: ReportOptions, as_json: bool
) -> None:
    """Measure command sets on the clips of a split; print figures, write the report."""
    from wakeword.evaluation.commands.report import check_commands_folder, write_commands

    bundles = [find_bundle(name) for name in models]
    if report.folder is not None:
        check_commands_folder(report.folder)
        if report.pictures:
            require_matplotlib("drawing a report")
    manifest, trials = command_trials(bundles, trial)
    results = measured_on(bundles, trials)
    _print(results, as_json)
    if report.folder is not None:
        about = _about(bundles, manifest, trials[0])
        write_commands(report.folder, results, about, pictures=report.pictures)
        note(f"report written to {report.folder}")


def command_trials(
    bundles: Sequence[Bundle], trial: TrialOptions
) -> tuple[Manifest, list[CommandTrials]]:
    """The clips of each model; those of one set of words are the same."""
    from wakeword.training.commands.measure import trials_of

    manifest, noise = trial.read(*bundles)
    trials = [trials_of(b, manifest, noise, trial.split, trial.seed) for b in bundles]
    for bundle, found in zip(bundles, trials, strict=True):
        if found.classes != trials[0].classes:
            raise click.UsageError(
                f"'{bundle.name}' tells {', '.join(found.classes)} apart, '{bundles[0].name}' "
                f"{', '.join(trials[0].classes)}: they cannot be compared"
            )
    return manifest, trials


def measured_on(
    bundles: Sequence[Bundle], trials: Sequence[CommandTrials]
) -> list[CommandResult]:
    """What each bundle makes of its clips, which are read once for all of one front end."""
    from wakeword.training.commands.features import clip_features
    from wakeword.training.commands.measure import measure_commands

    features: dict[Any, Any] = {}
    results = []
    for bundle, clips in zip(bundles, trials, strict=True):
        key = (bundle.metadata.frontend, clips.config)
        if key not in features:
            with Stages() as stage:
                features[key] = clip_features(clips, bundle.metadata.frontend, stage)
        results.append(measure_commands(bundle, clips, features[key]))
    return results


def _about(
    bundles: Sequence[Bundle], manifest: Manifest, trials: CommandTrials
) -> dict[str, Any]:
    from wakeword import __version__

    return {
        "protocol": "speech-commands",
        "manifest_sha256": manifest.sha256,
        "split": trials.split,
        "seed": trials.seed,
        "classes": list(trials.classes),
        "models": [
            {"bundle": b.name, "version": b.metadata.version, "sha256": b.sha256,
             "seed": b.metadata.training.seed}
            for b in bundles
        ],
        "libraries": {"wakeword": __version__},
    }  # fmt: skip


def _print(results: Sequence[CommandResult], as_json: bool) -> None:
    from wakeword.evaluation.commands.tables import accuracy_rows, class_rows, text_report

    if not as_json:
        click.echo(text_report(results))
        return
    for name, rows in (("accuracy", accuracy_rows), ("class", class_rows)):
        for row in rows(results):
            click.echo(json.dumps({"figure": name, **row}, ensure_ascii=False))
