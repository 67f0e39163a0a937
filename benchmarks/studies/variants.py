"""Trains and measures one variant of a recipe; what was done before is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wakeword.cli.options import note
from wakeword.cli.trial_options import Stages
from wakeword.data.manifest import Manifest, read_manifest
from wakeword.errors import TrainingError
from wakeword.evaluation.bootstrap import mean_misses
from wakeword.evaluation.conditions import Condition, Kind
from wakeword.evaluation.measurement import ALL_CORPORA, ALL_WORDS, evaluate
from wakeword.files import read_json, write_json
from wakeword.runtime import Bundle, write_bundle
from wakeword.training.derived import Changes, derive
from wakeword.training.finish import SPLIT
from wakeword.training.measuring import Scored, Stage, operating_points, score_trials
from wakeword.training.recipe import Recipe
from wakeword.training.run import TrainingRun
from wakeword.training.trials import TrialConfig, Trials

TARGETS_FA_PER_HOUR = (1.0, 0.5)
MEASURED = "measured.json"
_MOST_BYTES = 16 * 2**20
ALIKE: Changes = {
    "training.start": "", "training.blend": 0.0, "training.teachers": [], "training.taught": 0.0,
    "training.mine_after_rounds": [],
}  # fmt: skip
"""What networks that are compared have in common. Bundles to begin with or to learn from are of
one network only: all begin with nothing. Hard negatives are each network's own mistakes: all are
trained on the same audio."""


@dataclass(frozen=True)
class Setting:
    """What all variants of a study share.

    manifest
        On whose dev split all are measured, whatever they were trained on.
    distances_m
        Simulated rooms to hear clips in.
    keep
        Where what they hear in training is kept, for those that hear the same.
    """

    recipe: Path
    manifest: Path
    folder: Path
    workers: int
    kinds: tuple[tuple[Kind, float], ...]
    distances_m: tuple[float, ...] = ()
    keep: Path | None = None


@dataclass(frozen=True)
class Variant:
    """A recipe with changes; ``facts`` go into its row of the study's table."""

    name: str
    changes: Changes
    facts: dict[str, Any]


class _Reporter:
    """Stages as progress, notes as lines on stderr, both with the variant's name."""

    def __init__(self, name: str, stage: Stage) -> None:
        self._name, self._stage = name, stage

    @property
    def stage(self) -> Stage:
        def begin(name: str, total: float, unit: str = "s") -> Callable[[float], None]:
            return self._stage(f"{self._name}: {name}", total, unit)

        return begin

    def note(self, text: str) -> None:
        note(f"{self._name}: {text}")


def measured(variant: Variant, setting: Setting) -> dict[str, Any]:
    """Rows of one variant: trained if it was not, from its last checkpoint if it was begun."""
    folder = setting.folder / "runs" / variant.name
    recipe = derive(setting.recipe, variant.changes, folder / "recipe.toml")
    key = {
        "recipe": recipe.read_text("utf-8"),
        "manifest_sha256": read_manifest(setting.manifest, check_files=False).sha256,
        "conditions": [c.name for c in _conditions(setting)],
    }
    path = folder / MEASURED
    if path.exists():
        found: dict[str, Any] = read_json(path, _MOST_BYTES, TrainingError)
        if found["key"] == key:
            note(f"{variant.name}: measured before")
            return {**found, **variant.facts}
    with Stages() as stage:
        values = _train_and_measure(variant, setting, recipe, folder, stage)
    write_json(path, {"key": key, **values})
    return values


def _train_and_measure(
    variant: Variant, setting: Setting, recipe: Path, folder: Path, stage: Stage
) -> dict[str, Any]:
    began = time.monotonic()
    reporter = _Reporter(variant.name, stage)
    run = TrainingRun(recipe, folder, setting.workers, reporter, setting.keep)
    rounds = run.recipe.training.rounds
    run.run()
    trained = time.monotonic()
    bundle = run.bundle()
    config = TrialConfig(frozenset(run.recipe.data.noise_corpora), SPLIT, run.recipe.training.seed)
    trials = Trials.of_bundles([bundle], _of_people(setting.manifest, run.recipe), config)
    if setting.distances_m:
        advance = stage(f"{variant.name}: simulating rooms", config.rooms, "rooms")
        trials.simulate_rooms(setting.distances_m, advance)
    conditions = _conditions(setting)
    scored = score_trials(bundle, trials, conditions, stage)
    bundle = _written(bundle, scored, conditions[0], folder / "bundle", run.recipe_text)
    return {
        **variant.facts,
        "variant": variant.name,
        "bundle": bundle.sha256,
        "parameters": bundle.metadata.model.parameters,
        "flops_per_window": bundle.metadata.model.flops_per_window,
        "rounds": rounds,
        "seed": run.recipe.training.seed,
        "training_s": round(trained - began, 1),
        "measuring_s": round(time.monotonic() - trained, 1),
        "rows": _rows(bundle, scored, config.seed),
    }


def _of_people(path: Path, recipe: Recipe) -> Manifest:
    """Without synthetic voices: who was not trained on them is not measured on them either."""
    manifest, synthetic = read_manifest(path), recipe.data.synthetic_corpora
    kept = manifest.where(lambda r: r.corpus not in synthetic)
    return replace(manifest, recordings=tuple(kept))


def _conditions(setting: Setting) -> list[Condition]:
    near = [Condition(kind, snr_db) for kind, snr_db in setting.kinds]
    return near + [replace(c, distance_m=m) for m in setting.distances_m for c in near]


def _written(
    bundle: Bundle, scored: Scored, condition: Condition, folder: Path, recipe_text: str
) -> Bundle:
    """The calibrated bundle, kept for ``wakeword evaluate`` and ``--listen``."""
    default = bundle.metadata.default_target_fa_per_hour
    points = operating_points(bundle, scored, condition, sorted({*TARGETS_FA_PER_HOUR, default}))
    metadata = replace(bundle.metadata, operating_points=points)
    card = f"# {bundle.name}\n\nA variant of a study, calibrated on the dev split.\n"
    return write_bundle(folder, bundle.model, metadata, card, recipe_text)


def _rows(bundle: Bundle, scored: Scored, seed: int) -> list[dict[str, Any]]:
    """Mean over words under each condition at each target, with the false alarms they cost."""
    rows = []
    for target in TARGETS_FA_PER_HOUR:
        result = evaluate(bundle, scored.recorded, scored.by_condition, scored.rules, target)
        alarms = next(
            a.rate
            for a in result.alarms
            if (a.word, a.corpus, a.basis) == (ALL_WORDS, ALL_CORPORA, "chosen")
        )
        rows += [
            {
                "target_fa_per_hour": target,
                "condition": m.condition,
                "words": m.words,
                "clips": m.clips,
                "speakers": m.speakers,
                "frr": m.frr,
                "frr_low": m.low,
                "frr_high": m.high,
                "alarms_all_words": alarms.alarms,
                "hours": alarms.hours,
            }
            for m in mean_misses(result, seed)
            if m.basis == "chosen"
        ]
    return rows


def row_of(values: dict[str, Any], target: float, condition: str) -> dict[str, Any]:
    """The figures of a variant at one target under one condition."""
    found: Sequence[dict[str, Any]] = values["rows"]
    return next(
        r for r in found if (r["target_fa_per_hour"], r["condition"]) == (target, condition)
    )


def bars(rows: Sequence[dict[str, Any]]) -> tuple[list[float], list[float]]:
    """How far the intervals of ``rows`` reach below and above what was missed."""
    below = [max(0.0, r["frr"] - r["frr_low"]) for r in rows]
    return below, [max(0.0, r["frr_high"] - r["frr"]) for r in rows]


def share_of(values: dict[str, Any] | None, target: float, condition: str) -> str:
    """Missed by a variant, with its interval, as tables print it."""
    if values is None:
        return ""
    r = row_of(values, target, condition)
    return f"{100 * r['frr']:.1f} % ({100 * r['frr_low']:.1f} to {100 * r['frr_high']:.1f})"
