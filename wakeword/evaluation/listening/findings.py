"""Which misses and false alarms to listen to: how wrong each was, and where it is heard."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wakeword.evaluation.events import EventRules, Track, Truth, detected_steps
from wakeword.evaluation.measurement import Evaluation, Event
from wakeword.evaluation.outcomes import Basis

BEFORE_S, AFTER_S = 3.0, 1.5
"""Heard before and after a false alarm: two windows, and what came next."""

AROUND_S = 1.0
LONGEST_S = 8.0
_LEAST = 1e-6


@dataclass(frozen=True)
class Finding:
    """A miss or a false alarm that is worth listening to.

    peak
        Of a miss the highest score while it could have been detected; of a false alarm the
        highest score within the refractory period that begins with it.
    how_wrong
        Distance of ``peak`` from the threshold, in logits. Below 0 is a miss whose score was
        high enough, but did not rise through the threshold at a time that counts.
    start_s, stop_s
        The stretch of the stream to hear.
    detections
        What the detector reported in that stretch, with the same kind of thresholds: word
        and end of its step in seconds.
    """

    event: Event
    track: Track
    peak: float
    how_wrong: float
    start_s: float
    stop_s: float
    detections: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Findings:
    """The worst first; ``left_out`` says how many more there were, by kind and condition."""

    kept: tuple[Finding, ...]
    left_out: Mapping[str, int]


def worst_findings(
    evaluation: Evaluation,
    recorded: Sequence[Track],
    by_condition: Mapping[str, Sequence[Track]],
    rules: EventRules,
    most: int,
) -> Findings:
    """The worst ``most`` false alarms, and as many misses under each condition.

    Each condition has its own share, or the loudest noise would leave no room for the others.
    Thresholds that were chosen here and those that ship are counted apart.
    """
    thresholds: dict[Basis, Mapping[str, float]] = {
        "chosen": {word: choice.threshold for word, choice in evaluation.choices.items()},
        "shipped": evaluation.shipped,
    }
    tracks = {("", t.label.name): t for t in recorded}
    tracks |= {(c, t.label.name): t for c, group in by_condition.items() for t in group}
    groups: dict[tuple[Basis, str], list[Finding]] = {}
    for event in evaluation.events:
        track = tracks[event.condition, event.recording]
        found = _finding(event, track, rules, thresholds[event.basis])
        what = f"misses, {event.condition}" if event.kind == "miss" else "false alarms"
        groups.setdefault((event.basis, what), []).append(found)
    kept: list[Finding] = []
    left_out: dict[str, int] = {}
    for (basis, what), group in groups.items():
        group.sort(key=lambda f: -f.how_wrong)
        kept += group[:most]
        if len(group) > most:
            left_out[f"{what} ({basis} thresholds)"] = len(group) - most
    return Findings(tuple(sorted(kept, key=lambda f: -f.how_wrong)), left_out)


def logit(score: float) -> float:
    """``log(p / (1 - p))``, scores kept a millionth away from 0 and 1."""
    p = min(max(score, _LEAST), 1.0 - _LEAST)
    return math.log(p / (1.0 - p))


def _finding(
    event: Event, track: Track, rules: EventRules, thresholds: Mapping[str, float]
) -> Finding:
    step = round(event.time_s / rules.step_s) - 1
    end_s = len(track.posteriors) * rules.step_s
    if event.kind == "miss":
        peak, sign = event.score, -1.0
        start_s, stop_s = _around_word(event.time_s, track.truths(event.word), rules)
    else:
        after = track.column(event.word)[step : step + max(1, rules.refractory_steps)]
        peak, sign = float(after.max(initial=event.score)), 1.0
        start_s, stop_s = event.time_s - BEFORE_S, event.time_s + AFTER_S
    start_s, stop_s = max(0.0, start_s), min(stop_s, end_s)
    detections = [
        (word, round((i + 1) * rules.step_s, 3))
        for word, threshold in thresholds.items()
        for i in detected_steps(track, word, threshold, rules)
        if start_s <= (i + 1) * rules.step_s <= stop_s
    ]
    return Finding(
        event=event,
        track=track,
        peak=peak,
        how_wrong=sign * (logit(peak) - logit(event.threshold)),
        start_s=start_s,
        stop_s=stop_s,
        detections=tuple(sorted(detections, key=lambda d: d[1])),
    )


def _around_word(time_s: float, truths: Sequence[Truth], rules: EventRules) -> tuple[float, float]:
    """The word with what comes before and the time in which it could be detected."""
    near = [t for t in truths if t.start_s <= time_s <= t.end_s + rules.tolerance_s + rules.step_s]
    start_s = min((t.start_s for t in near), default=time_s) - AROUND_S
    stop_s = max((t.end_s + rules.tolerance_s for t in near), default=time_s + AFTER_S)
    if stop_s - start_s <= LONGEST_S:
        return start_s, stop_s
    return max(start_s, time_s - LONGEST_S + AFTER_S), min(stop_s, time_s + AFTER_S)
