"""What are the errors made of? Counts them, and writes docs/experiments.md.

    python benchmarks/errors.py --manifest ../shared/data/manifest.csv [--model seven]

Each version of a model has its own section there: the log keeps what it said. The recordings of
the dev split are scored once, as `wakeword evaluate --listen` does. Misses are counted by how near
they were, by speaker, and by the noise that the clip was mixed with; false alarms by corpus. Then
the alarms of one corpus at a time are taken away, the hours left as they are, and the thresholds
chosen anew: what would be missed if the model did not alarm there?
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sections import Section

from wakeword.cli.trial_options import Stages, TrialOptions
from wakeword.evaluation.conditions import Condition
from wakeword.evaluation.events import Track
from wakeword.evaluation.listening.findings import Finding, worst_findings
from wakeword.evaluation.measurement import Evaluation, evaluate
from wakeword.evaluation.tables import markdown
from wakeword.runtime import Bundle, find_bundle
from wakeword.training.measuring import Scored, score_trials
from wakeword.training.trials import Trials

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "experiments.md"
CONDITIONS = (
    Condition("clean"),
    Condition("noise", 10.0),
    Condition("noise", 5.0),
    Condition("babble", 10.0),
    Condition("babble", 5.0),
)
MANY_PER_HOUR = 2.0
KNOCKS = frozenset({"book", "chopping", "clean-dishes", "clock tick", "cupboard", "cutlery",
                    "drawer", "plates"})  # fmt: skip
"""Classes of noise that are made of blows, with silence between them."""
NEAR_LOGITS = (1.0, 2.0, 4.0)


def main() -> None:
    """Score, count, write."""
    parser = argparse.ArgumentParser(description="What are the errors made of?")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--model", default="seven", help="name or folder of the bundle")
    given = parser.parse_args()
    bundle = find_bundle(given.model)
    section = Section.of_version(DOCUMENT, "errors", bundle)
    _, trials = TrialOptions(given.manifest, "dev", (), seed=1).open(bundle)
    with Stages() as stage:
        scored = score_trials(bundle, trials, CONDITIONS, stage)
    section.write(text_of(bundle, trials, scored))


def text_of(bundle: Bundle, trials: Trials, scored: Scored) -> str:
    """All tables, with what they were measured on."""
    target = bundle.metadata.default_target_fa_per_hour
    misses = found(bundle, scored, target, "miss")
    many = found(bundle, scored, MANY_PER_HOUR, "false alarm")
    return "\n\n".join((
        f"Bundle `{bundle.name}` {bundle.metadata.version}, split `dev`, seed 1, thresholds that "
        f"ship for {target:g} false alarms per hour and word.",
        "Misses by how far the highest score stayed below the threshold:",
        near_table(misses),
        "Misses by speaker:",
        speaker_table(scored, misses),
        f"Misses in {CONDITIONS[1].name} by what the noise was; knocks are "
        f"{', '.join(sorted(KNOCKS))}:",
        noise_table(trials, scored, misses),
        f"False alarms by corpus, at the target and at {MANY_PER_HOUR:g} per hour and word:",
        corpus_table(scored, found(bundle, scored, target, "false alarm"), many),
        f"Missed at {target:g} per hour, mean of {len(bundle.words)} words, if one corpus gave no "
        "alarm (thresholds chosen anew on the same hours):",
        cost_table(bundle, scored, many),
    ))  # fmt: skip


def result_of(bundle: Bundle, scored: Scored, target: float) -> Evaluation:
    """The evaluation at a target."""
    return evaluate(bundle, scored.recorded, scored.by_condition, scored.rules, target)


def found(bundle: Bundle, scored: Scored, target: float, kind: str) -> list[Finding]:
    """All errors of a kind with the thresholds that ship for a target, the worst first."""
    result = result_of(bundle, scored, target)
    everything = worst_findings(
        result, scored.recorded, scored.by_condition, scored.rules, len(result.events)
    )
    return [f for f in everything.kept if f.event.basis == "shipped" and f.event.kind == kind]


def table_by_condition(header: str, groups: Mapping[str, Sequence[Finding]]) -> str:
    """Sizes of groups of misses, a column for each condition."""
    rows = []
    for name, misses in groups.items():
        counts = Counter(f.event.condition for f in misses)
        rows.append([name, *(str(counts[c.name]) for c in CONDITIONS)])
    return markdown([header, *(c.name for c in CONDITIONS)], rows)


def near_table(misses: Sequence[Finding]) -> str:
    """Misses within so many logits of the threshold, and all."""
    groups = {
        f"less than {limit:g}": [f for f in misses if f.how_wrong < limit] for limit in NEAR_LOGITS
    }
    return table_by_condition("logits below the threshold", {**groups, "any": misses})


def speaker_table(scored: Scored, misses: Sequence[Finding]) -> str:
    """Speakers with at least two misses, and how many clips they have."""
    clips = Counter(t.label.speaker or t.label.corpus for t in scored.by_condition["clean"])
    groups: dict[str, list[Finding]] = {}
    for miss in misses:
        who = miss.event.speaker or miss.event.corpus
        groups.setdefault(f"{who} ({clips[who]} clips)", []).append(miss)
    most = sorted(groups.items(), key=lambda group: -len(group[1]))
    return table_by_condition("speaker", {name: g for name, g in most if len(g) > 1})


def noise_table(trials: Trials, scored: Scored, misses: Sequence[Finding]) -> str:
    """Share missed in knocks and in all other noise."""
    condition = CONDITIONS[1]
    recordings = {trials.label(r).name: r for r in trials.recordings}
    missed = {f.event.recording for f in misses if f.event.condition == condition.name}
    counts: Counter[tuple[str, bool]] = Counter()
    for track in scored.by_condition[condition.name]:
        (noise,) = trials.mixed_in(recordings[track.label.name], condition)
        kind = "knocks" if noise.text in KNOCKS else "other noise"
        counts[kind, track.label.name in missed] += 1
    rows = []
    for kind in ("knocks", "other noise"):
        yes, clips = counts[kind, True], counts[kind, True] + counts[kind, False]
        rows.append([kind, str(clips), str(yes), f"{100.0 * yes / max(1, clips):.0f} %"])
    return markdown(["noise", "clips", "missed", "share"], rows)


def corpus_table(scored: Scored, few: Sequence[Finding], many: Sequence[Finding]) -> str:
    """False alarms by corpus beside the hours heard."""
    counts = [Counter(f.event.corpus for f in alarms) for alarms in (few, many)]
    rows = []
    for corpus, count in counts[1].most_common():
        hours = scored.rules.hours([t for t in scored.recorded if t.label.corpus == corpus])
        rows.append([corpus, f"{hours:.2f}", str(counts[0][corpus]), str(count)])
    return markdown(["corpus", "hours", "at the target", f"at {MANY_PER_HOUR:g} per hour"], rows)


def cost_table(bundle: Bundle, scored: Scored, alarms: Sequence[Finding]) -> str:
    """Mean missed without the alarms of each corpus that has some."""
    corpora = [corpus for corpus, _ in Counter(f.event.corpus for f in alarms).most_common()]
    rows = []
    for silent in ("", *corpora):
        quiet = [hushed(t) if t.label.corpus == silent else t for t in scored.recorded]
        result = result_of(
            bundle, replace(scored, recorded=quiet), bundle.metadata.default_target_fa_per_hour
        )
        shares = (result.mean_frr(c.name, "chosen") for c in CONDITIONS)
        cells = [f"{100.0 * share:.1f} %" for share in shares if share is not None]
        rows.append([f"without {silent}" if silent else "all alarms", *cells])
    return markdown(["", *(c.name for c in CONDITIONS)], rows)


def hushed(track: Track) -> Track:
    """The same time, and no score."""
    return replace(track, posteriors=np.zeros_like(track.posteriors))


if __name__ == "__main__":
    main()
