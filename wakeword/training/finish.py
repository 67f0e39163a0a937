"""From a trained network to a complete bundle: calibrated, measured, with card and figures."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wakeword.evaluation.calibration import TARGETS_FA_PER_HOUR
from wakeword.evaluation.conditions import Condition
from wakeword.evaluation.measurement import DEFAULT_SNRS_DB, evaluate
from wakeword.evaluation.pictures import curve_pictures
from wakeword.runtime import Bundle, write_bundle
from wakeword.training.card import model_card
from wakeword.training.measuring import Scored, Stage, operating_points, score_trials
from wakeword.training.trials import TrialConfig, Trials

if TYPE_CHECKING:
    from wakeword.training.run import TrainingRun

SPLIT = "dev"


def finish(run: TrainingRun, out: Path, stage: Stage) -> Bundle:
    """Calibrate the network of a finished run on the dev split and write the bundle to ``out``.

    Raises
    ------
    EvaluationError
        The dev split holds no audio to measure on.
    TrainingError
        Export does not agree with the network; nothing is written.
    BundleError
        ``out`` holds something that is not a bundle.
    """
    bundle, data = run.bundle(), run.recipe.data
    config = TrialConfig(frozenset(data.noise_corpora), SPLIT, run.recipe.training.seed)
    trials = Trials.of_bundles([bundle], run.manifest, config)
    return write_measured(
        bundle, trials, out, stage, run.recipe_text, {"training.png": _loss_picture(run)}
    )


def write_measured(
    bundle: Bundle,
    trials: Trials,
    out: Path,
    stage: Stage,
    recipe_text: str | None = None,
    figures: Mapping[str, bytes] | None = None,
) -> Bundle:
    """Calibrate ``bundle`` on ``trials``, and write it to ``out`` with its card and curves.

    Raises
    ------
    EvaluationError
        The trials hold no audio to measure on.
    BundleError
        ``out`` holds something that is not a bundle.
    """
    conditions = trials.conditions(DEFAULT_SNRS_DB)
    scored = score_trials(bundle, trials, conditions, stage)
    return write_scored(bundle, scored, conditions, trials, out, recipe_text, figures)


def write_scored(
    bundle: Bundle,
    scored: Scored,
    conditions: Sequence[Condition],
    trials: Trials,
    out: Path,
    recipe_text: str | None = None,
    figures: Mapping[str, bytes] | None = None,
) -> Bundle:
    """:func:`write_measured` of a bundle that was scored on ``trials`` under ``conditions``.

    Raises
    ------
    EvaluationError
        A word has no negative audio.
    BundleError
        ``out`` holds something that is not a bundle.
    """
    calibrated_in = next((c for c in conditions if c.kind == "noise"), conditions[0])
    targets = sorted({*TARGETS_FA_PER_HOUR, bundle.metadata.default_target_fa_per_hour})
    points = operating_points(bundle, scored, calibrated_in, targets)
    bundle = replace(bundle, metadata=replace(bundle.metadata, operating_points=points))
    result = evaluate(bundle, scored.recorded, scored.by_condition, scored.rules)
    pictures = {**curve_pictures(result, conditions), **(figures or {})}
    card = model_card(bundle, result, trials.config.split)
    return write_bundle(out, bundle.model, bundle.metadata, card, recipe_text, pictures)


def _loss_picture(run: TrainingRun) -> bytes:
    """Loss and share of wrong windows over the rounds."""
    from matplotlib.figure import Figure

    log = run.trainer.log
    figure = Figure(figsize=(8.0, 4.0), layout="constrained")
    left = figure.add_subplot()
    rounds = [entry["round"] for entry in log]
    left.plot(rounds, [entry["loss"] for entry in log], label="loss")
    left.plot(rounds, [entry["error"] for entry in log], label="share of windows wrong")
    for after in run.recipe.training.mine_after_rounds:
        left.axvline(after, color="0.5", linestyle=":", linewidth=1)
    left.set_yscale("log")
    left.set_xlabel("round (dotted: hard negatives mined)")
    left.grid(True, which="both", alpha=0.2)
    left.legend()
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110, metadata={"Software": None})
    return out.getvalue()
