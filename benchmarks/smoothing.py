"""How many steps should be averaged? Measures it, and writes docs/experiments.md.

    python benchmarks/smoothing.py --manifest ../shared/data/manifest.csv [--model seven]

Each version of a model has its own section there. The posteriors of the dev split are computed once
and smoothed over 1 to 6 steps; for each the threshold is chosen anew on the same negatives, as in
docs/evaluation.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sections import Section

from wakeword.cli.trial_options import Stages, TrialOptions
from wakeword.evaluation.conditions import Condition
from wakeword.evaluation.events import Track
from wakeword.evaluation.measurement import evaluate
from wakeword.evaluation.scoring import event_rules
from wakeword.evaluation.tables import markdown
from wakeword.runtime import Bundle, find_bundle
from wakeword.runtime.sections import SmootherConfig
from wakeword.runtime.smoother import Smoother
from wakeword.training.measuring import Scored, score_trials

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "experiments.md"
STEPS = range(1, 7)
CONDITIONS = (
    Condition("clean"),
    Condition("noise", 10.0),
    Condition("noise", 5.0),
    Condition("babble", 10.0),
)


def main() -> None:
    """Measure all lengths and write the table."""
    parser = argparse.ArgumentParser(description="How many steps should be averaged?")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--model", default="seven", help="name or folder of the bundle")
    given = parser.parse_args()
    bundle = with_steps(find_bundle(given.model), 1)
    section = Section.of_version(DOCUMENT, "smoothing", bundle)
    _, trials = TrialOptions(given.manifest, "dev", (), seed=1).open(bundle)
    with Stages() as stage:
        raw = score_trials(bundle, trials, CONDITIONS, stage)
    rows = [[str(steps), *row_of(bundle, raw, steps)] for steps in STEPS]
    table = markdown(["steps", *(c.name for c in CONDITIONS)], rows)
    text = (
        f"Bundle `{bundle.name}` {bundle.metadata.version}, split `dev`, seed 1, "
        f"{sum(trials.clips_of.values())} clips, {trials.seconds / 3600:.1f} h; missed at "
        f"{bundle.metadata.default_target_fa_per_hour:g} false alarms per hour, mean of "
        f"{len(bundle.words)} words:\n\n{table}"
    )
    section.write(text)


def row_of(bundle: Bundle, raw: Scored, steps: int) -> list[str]:
    """Mean miss rate under each condition with ``steps`` averaged."""
    smoothed = with_steps(bundle, steps)
    rules = event_rules(smoothed)
    by_condition = {name: average(tracks, steps) for name, tracks in raw.by_condition.items()}
    result = evaluate(smoothed, average(raw.recorded, steps), by_condition, rules)
    means = []
    for condition in CONDITIONS:
        found = [
            m.misses.value
            for m in result.misses
            if m.basis == "chosen" and m.condition == condition.name
        ]
        means.append(f"{100.0 * float(np.mean(found)):.1f} %")
    return means


def with_steps(bundle: Bundle, steps: int) -> Bundle:
    """The same network under another smoother."""
    return replace(bundle, metadata=replace(bundle.metadata, smoother=SmootherConfig(steps=steps)))


def average(tracks: Sequence[Track], steps: int) -> list[Track]:
    """Tracks of raw posteriors as the smoother of the engine would give them."""
    smoother = Smoother(SmootherConfig(steps=steps))
    return [
        replace(t, posteriors=smoother.process(t.posteriors[None], state)[0][0])
        for t in tracks
        for state in [smoother.initial_state(1, t.posteriors.shape[1])]
    ]


if __name__ == "__main__":
    main()
