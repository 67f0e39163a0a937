"""The counting of the Picovoice benchmark: what is missed and what alarms on a long stream.

It follows Picovoice's ``wake-word-benchmark`` (``benchmark.py``) with its repeat triggers
mended: an utterance is heard once or not at all, and what else the detector reports within its
interval is neither a hit nor an alarm. What differs is said in docs/evaluation.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import EvaluationError
from wakeword.evaluation.curve import Curve, candidate_thresholds, sweep
from wakeword.evaluation.events import EventRules, Matching, Track, detected_steps, match
from wakeword.evaluation.intervals import false_alarm_rate, miss_rate
from wakeword.evaluation.outcomes import Basis
from wakeword.evaluation.picovoice_result import (
    RATES_PER_HOUR,
    Alarm,
    Content,
    Miss,
    Outcome,
    Utterance,
    WordResult,
)

AFTER_S = 0.5
"""A keyword may be reported until so long after its clip; benchmark.py adds the same."""

_EXACT_THRESHOLDS = 8_192
"""Each utterance alone has a dozen rising steps above the threshold that is looked for."""

Blame = Callable[[float], tuple[str, bool]]
"""From the time of an alarm in seconds to the recording it fell on, and whether that is speech."""


def judge_stream(
    track: Track,
    utterances: Sequence[Utterance],
    content: Content,
    rules: EventRules,
    target_fa_per_hour: float,
    shipped: float | None,
    blame: Blame,
) -> WordResult:
    """Figures of the one word of ``track``, whose utterances are its truths.

    Raises
    ------
    EvaluationError
        The stream holds nothing but utterances, so that no alarm in it is false.
    """
    (word,) = track.words
    curve = stream_curve(track, rules)
    judge = _Judge(track, tuple(utterances), content, rules, curve.hours, blame)
    index = curve.first_within(target_fa_per_hour)
    chosen = None if index is None else judge.outcome("chosen", float(curve.thresholds[index]))
    at_shipped = None if shipped is None else judge.outcome("shipped", shipped)
    missed_at = _missed_at(track, curve, rules)
    return WordResult(word, content, tuple(utterances), curve, missed_at, chosen, at_shipped)


def stream_curve(track: Track, rules: EventRules) -> Curve:
    """Misses and false alarms of the one word of ``track`` at every threshold.

    Repeats within an utterance are no alarms, and its interval is no time to alarm in.
    """
    (word,) = track.words
    scores, truths = track.column(word), track.truths(word)
    windows = [rules.steps_of(t) for t in truths]
    inside = np.zeros(track.scored_steps, bool)
    for first, stop in windows:
        inside[first:stop] = True
    hours = float((~inside).sum()) * rules.step_s / 3600.0
    if hours <= 0.0:
        raise EvaluationError(f"the stream of '{word}' holds no time outside its utterances")
    thresholds = candidate_thresholds([scores], exact=_EXACT_THRESHOLDS)
    # A detector that is on for more than half of the time alarms seldom, but not by deciding well.
    lowest = int(np.searchsorted(thresholds, np.median(scores), "right"))
    thresholds = thresholds[min(lowest, len(thresholds) - 1) :]
    counts = sweep(scores, thresholds, rules.refractory_steps, windows)
    return Curve(
        word,
        thresholds,
        (~counts.hits).sum(axis=1),
        len(truths),
        counts.false_alarms - counts.repeats,
        hours,
    )


def _missed_at(track: Track, curve: Curve, rules: EventRules) -> NDArray[np.bool_]:
    """(rates, utterances) at ``RATES_PER_HOUR``; :func:`sweep` wants each threshold once."""
    indices = [curve.first_within(float(rate)) for rate in RATES_PER_HOUR]
    wanted = np.array([-1 if i is None else i for i in indices])
    once, places = np.unique(wanted[wanted >= 0], return_inverse=True)
    windows = [rules.steps_of(t) for t in track.truths(curve.word)]
    scores, thresholds = track.column(curve.word), curve.thresholds[once]
    missed = np.ones((len(wanted), len(windows)), bool)
    missed[wanted >= 0] = ~sweep(scores, thresholds, rules.refractory_steps, windows).hits[places]
    return missed


@dataclass(frozen=True)
class _Judge:
    """Applies the real detector to one stream."""

    track: Track
    utterances: tuple[Utterance, ...]
    content: Content
    rules: EventRules
    hours: float
    blame: Blame

    def outcome(self, basis: Basis, threshold: float) -> Outcome:
        word = self.track.words[0]
        truths = self.track.truths(word)
        steps = detected_steps(self.track, word, threshold, self.rules)
        found = match(steps, truths, self.rules)
        windows = [self.rules.steps_of(t) for t in truths]
        false = [
            s for s in found.false_steps if not any(first <= s < stop for first, stop in windows)
        ]
        alarms = tuple(self._alarm(step) for step in false)
        different = len({a.recording for a in alarms})
        return Outcome(
            basis=basis,
            threshold=threshold,
            misses=miss_rate(found.hit_steps.count(None), len(truths)),
            rate=false_alarm_rate(len(alarms), self.hours),
            repeats=len(found.false_steps) - len(alarms),
            distinct=false_alarm_rate(different, self.content.distinct_hours),
            missed=self._missed(found),
            alarms=alarms,
        )

    def _missed(self, found: Matching) -> tuple[Miss, ...]:
        scores = self.track.posteriors[:, 0]
        truths = self.track.truths(self.track.words[0])
        missed = []
        for utterance, truth, hit in zip(self.utterances, truths, found.hit_steps, strict=True):
            if hit is None:
                first, stop = self.rules.steps_of(truth)
                missed.append(Miss(utterance, float(scores[first:stop].max(initial=0.0))))
        return tuple(missed)

    def _alarm(self, step: int) -> Alarm:
        time_s = round((step + 1) * self.rules.step_s, 3)
        return Alarm(time_s, float(self.track.posteriors[step, 0]), *self.blame(time_s))
