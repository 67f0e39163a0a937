"""Which rule turns posteriors into detections? Measures some, and writes docs/experiments.md.

    python benchmarks/rules.py --manifest ../shared/data/manifest.csv [--model seven]
        [--second seven-accurate]

Each version of a model has its own section there. The posteriors of the dev split are computed once
and every rule is applied to them; for each the threshold is chosen anew on the same negatives, as
in docs/evaluation.md. With ``--second``, that model is heard only where the first one is not sure
that there is nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.special import expit, logit
from sections import Section

from wakeword.cli.trial_options import Stages, TrialOptions
from wakeword.evaluation.events import Track
from wakeword.evaluation.measurement import evaluate
from wakeword.evaluation.scoring import event_rules
from wakeword.evaluation.tables import markdown
from wakeword.runtime import Bundle, find_bundle
from wakeword.runtime.sections import SmootherConfig
from wakeword.runtime.smoother import Smoother
from wakeword.training.measuring import Scored, score_trials

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "experiments.md"
SNRS_DB = (10.0, 5.0)

Scores = NDArray[np.float32]
"""(steps, words): raw posteriors, or what a rule compares with the threshold."""

_SURE = 1e-6
"""Log-odds of posteriors nearer to 0 or 1 are those of this one."""


@dataclass(frozen=True)
class Rule:
    """What is compared with the threshold at each step, from the last ``steps`` posteriors."""

    name: str
    steps: int
    score: Callable[[Scores], Scores]


def mean(raw: Scores, steps: int) -> Scores:
    """The mean, as the engine's own smoother has it."""
    smoother = Smoother(SmootherConfig(steps=steps))
    smoothed, _ = smoother.process(raw[None], smoother.initial_state(1, raw.shape[1]))
    return np.asarray(smoothed[0], dtype=np.float32)


def odds(raw: Scores, steps: int) -> Scores:
    """The mean of the log-odds, as a posterior: a step that is sure weighs more."""
    logits = logit(np.clip(raw.astype(np.float64), _SURE, 1.0 - _SURE))
    last = _last(logits, steps, before=float(logit(_SURE)))
    return np.asarray(expit(last.mean(axis=-1)), dtype=np.float32)


def duration(raw: Scores, steps: int) -> Scores:
    """The lowest: the posterior must stay over the threshold so many steps."""
    return np.asarray(_last(raw, steps).min(axis=-1), dtype=np.float32)


def two_thresholds(raw: Scores, steps: int, low: float) -> Scores:
    """The highest, where none of the steps lies under ``low``: a peak over a lasting base."""
    last = _last(raw, steps)
    return np.where(last.min(axis=-1) >= low, last.max(axis=-1), np.float32(0.0))


def _last(raw: NDArray[Any], steps: int, before: float = 0.0) -> NDArray[Any]:
    """The last ``steps`` values (steps, words, n) at each step; ``before`` the first, that one."""
    padded = np.pad(raw, ((steps - 1, 0), (0, 0)), constant_values=before)
    return sliding_window_view(padded, steps, axis=0)


RULES = (
    *(Rule(f"mean of {n}", n, partial(mean, steps=n)) for n in range(1, 7)),
    *(Rule(f"mean of {n}, as log-odds", n, partial(odds, steps=n)) for n in (3, 4, 5)),
    *(Rule(f"lowest of {n}", n, partial(duration, steps=n)) for n in (2, 3, 4)),
    *(
        Rule(f"highest of {n}, none under {low:g}", n, partial(two_thresholds, steps=n, low=low))
        for n, low in product((3, 4), (0.1, 0.3))
    ),
)
SURE_OF_NOTHING = (0.02, 0.1, 0.3)
"""The second model is asked where the first one was over this in one of the last steps."""
STEPS = 4
"""Of the mean that is taken of the second model, and of the first where it is asked."""


def main() -> None:
    """Measure all rules and write the table."""
    parser = argparse.ArgumentParser(description="Which rule turns posteriors into detections?")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--model", default="seven", help="name or folder of the bundle")
    parser.add_argument("--second", help="name or folder of one that is asked where that triggers")
    parser.add_argument("--document", type=Path, default=DOCUMENT)
    given = parser.parse_args()
    bundle = with_steps(find_bundle(given.model), 1)
    second = with_steps(find_bundle(given.second), 1) if given.second else None
    if second is not None and second.words != bundle.words:
        heard, wanted = (", ".join(b.words) for b in (second, bundle))
        parser.error(f"--second {second.name} hears {heard}, not {wanted}")
    section = Section.of_version(given.document, "rules", bundle)
    _, trials = TrialOptions(given.manifest, "dev", (), seed=1).open(bundle)
    conditions = trials.conditions(SNRS_DB)
    with Stages() as stage:
        raw = score_trials(bundle, trials, conditions, stage)
        closer = score_trials(second, trials, conditions, stage) if second else None
    rows = [[rule.name, *row_of(bundle, rule.steps, applied(raw, rule.score))] for rule in RULES]
    if second is not None and closer is not None:
        rows += cascades(bundle, raw, second, closer)
    table = markdown(["rule", *raw.by_condition], rows)
    text = (
        f"Bundle `{bundle.name}` {bundle.metadata.version}, split `dev`, seed 1, "
        f"{sum(trials.clips_of.values())} clips, {trials.seconds / 3600:.1f} h; missed at "
        f"{bundle.metadata.default_target_fa_per_hour:g} false alarms per hour, mean of "
        f"{len(bundle.words)} words:\n\n{table}"
    )
    section.write(text)


def row_of(bundle: Bundle, steps: int, scored: Scored) -> list[str]:
    """Mean miss rate under each condition; a rule of ``steps`` may come so much later."""
    rules = event_rules(with_steps(bundle, steps))
    result = evaluate(bundle, scored.recorded, scored.by_condition, rules)
    found = [result.mean_frr(name, "chosen") for name in scored.by_condition]
    return ["-" if rate is None else f"{100.0 * rate:.1f} %" for rate in found]


def with_steps(bundle: Bundle, steps: int) -> Bundle:
    """The same network under another smoother."""
    return replace(bundle, metadata=replace(bundle.metadata, smoother=SmootherConfig(steps=steps)))


def applied(raw: Scored, score: Callable[[Scores], Scores]) -> Scored:
    """What a rule compares with the threshold, in place of the raw posteriors."""
    return _changed(raw, [score(t.posteriors) for t in _tracks(raw)])


def cascades(bundle: Bundle, raw: Scored, second: Bundle, closer: Scored) -> list[list[str]]:
    """Rows of the second model alone, and where the first one is over each of a few posteriors."""
    smoothed = applied(closer, partial(mean, steps=STEPS))
    rows = [[f"`{second.name}`, mean of {STEPS}", *row_of(second, STEPS, smoothed)]]
    highest = [_last(t.posteriors, STEPS).max(axis=-1) for t in _tracks(raw)]
    for low in SURE_OF_NOTHING:
        asked = [track >= low for track in highest]
        scores = [
            np.where(mask, t.posteriors, np.float32(0.0))
            for mask, t in zip(asked, _tracks(smoothed), strict=True)
        ]
        recorded = asked[: len(raw.recorded)]
        share = sum(int(m.any(axis=1).sum()) for m in recorded) / sum(map(len, recorded))
        name = f"the same where `{bundle.name}` is over {low:g}, {100.0 * share:.1f} % of the time"
        rows.append([name, *row_of(second, STEPS, _changed(smoothed, scores))])
    return rows


def _tracks(scored: Scored) -> list[Track]:
    return [*scored.recorded, *chain.from_iterable(scored.by_condition.values())]


def _changed(scored: Scored, posteriors: Sequence[Scores]) -> Scored:
    """The tracks with other posteriors, in the order of :func:`_tracks`."""
    new = iter(posteriors)
    recorded = [replace(t, posteriors=next(new)) for t in scored.recorded]
    by_condition = {
        name: [replace(t, posteriors=next(new)) for t in tracks]
        for name, tracks in scored.by_condition.items()
    }
    return Scored(scored.rules, recorded, by_condition)


if __name__ == "__main__":
    main()
