"""The benchmark's counting: an utterance once, repeats neither hit nor alarm, hours that remain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from score_tracks import RULES, WORD, scores, track, utterances

from wakeword.errors import EvaluationError
from wakeword.evaluation.events import Track, detected_steps, match
from wakeword.evaluation.intervals import false_alarm_rate, miss_rate
from wakeword.evaluation.picovoice import judge_stream, stream_curve
from wakeword.evaluation.picovoice_result import (
    BENCHMARK_WORDS,
    PUBLISHED,
    RATES_PER_HOUR,
    Content,
    ProtocolResult,
    Utterance,
    WordResult,
)

HOUR_STEPS = 36_000
CONTENT = Content(
    hours=1.0, segments=500, spoken_segments=100, spoken_hours=0.2, distinct_speech_hours=0.05,
    distinct_noise_hours=0.15,
)  # fmt: skip


def stream(
    peaks: dict[int, float], truths: Sequence[tuple[float, float]], steps: int = HOUR_STEPS
) -> Track:
    """An hour at 0.01 with single steps of given height."""
    values = np.full(steps, 0.01, np.float32)
    for step, value in peaks.items():
        values[step] = value
    return track(values, truths)


def spoken(made: Track) -> list[Utterance]:
    return [
        Utterance(f"clip-{i}", "clips", f"s{i % 2}", "hum", t.start_s, t.end_s, 10.0 + i)
        for i, t in enumerate(made.truths(WORD))
    ]


def judged(
    made: Track, target: float = 1.0, shipped: float | None = None, content: Content = CONTENT
) -> WordResult:
    return judge_stream(
        made, spoken(made), content, RULES, target, shipped,
        lambda time_s: (f"talk-{int(time_s) // 100}", time_s > 1_000.0),
    )  # fmt: skip


def test_repeats_within_an_utterance_count_once_and_outside_as_alarms() -> None:
    """Heard at 10.2, 10.8 and 11.4 s in the utterance, at 20 s outside: one hit, one alarm."""
    made = stream({102: 0.9, 108: 0.9, 114: 0.9, 200: 0.8, 505: 0.7}, [(10.0, 11.5), (50.0, 51.0)])
    result = judged(made, shipped=0.5)
    assert result.shipped is not None
    assert (result.shipped.misses.missed, result.shipped.misses.clips) == (0, 2)
    assert result.shipped.repeats == 2
    assert [a.time_s for a in result.shipped.alarms] == [20.1]
    # The intervals, each with half a second after it, are no time in which to alarm: 3.5 s.
    assert result.curve.hours == pytest.approx(1.0 - 3.5 / 3600.0)
    at = int(np.searchsorted(result.curve.thresholds, 0.5))
    assert (result.curve.missed[at], result.curve.false_alarms[at]) == (0, 1)


def test_a_miss_is_never_made_up_for_by_repeats_of_another() -> None:
    """In the original two triggers of one utterance hide the miss of the other."""
    made = stream({102: 0.9, 108: 0.9}, [(10.0, 11.5), (50.0, 51.0)])
    result = judged(made, shipped=0.5)
    assert result.shipped is not None and result.shipped.misses == miss_rate(1, 2)
    (miss,) = result.shipped.missed
    assert (miss.utterance.name, miss.score) == ("clip-1", pytest.approx(0.01))


def test_the_threshold_is_the_lowest_that_keeps_the_target() -> None:
    """Alarms at 0.9, 0.8, 0.7 in an hour; words at 0.75 and 0.85; two an hour are allowed."""
    peaks = {100: 0.9, 1_000: 0.8, 2_000: 0.7, 5_005: 0.75, 6_005: 0.85}
    made = stream(peaks, [(500.0, 501.0), (600.0, 601.0)])
    outcome = judged(made, target=2.01).chosen
    assert outcome is not None
    assert 0.7 < outcome.threshold <= 0.75
    assert outcome.misses.missed == 0 and outcome.rate.alarms == 2
    none = judged(made, target=0.1).chosen
    assert none is not None and none.threshold > 0.9
    assert none.misses == miss_rate(2, 2) and none.rate.alarms == 0
    assert none.rate.high == pytest.approx(3.0 / none.rate.hours, rel=2e-3)


def test_alarms_count_by_recording_in_the_hours_that_are_different() -> None:
    """Three alarms on two recordings: two in 0.2 h of different sound."""
    made = stream({100: 0.9, 1_100: 0.9, 1_200: 0.9}, [(500.0, 501.0)])
    outcome = judged(made, shipped=0.5).shipped
    assert outcome is not None
    assert [a.recording for a in outcome.alarms] == ["talk-0", "talk-1", "talk-1"]
    assert outcome.rate.alarms == 3
    assert outcome.distinct == false_alarm_rate(2, CONTENT.distinct_hours)
    assert outcome.distinct.hours == pytest.approx(0.2)


@given(scores(), utterances())
def test_every_threshold_is_the_real_detector(
    values: np.ndarray, truths: list[tuple[float, float]]
) -> None:
    """Curve and outcomes against ``detected_steps`` and ``match``, repeats taken out by hand."""
    made = track(np.concatenate([values, np.zeros(80, np.float32)]), truths)
    curve = stream_curve(made, RULES)
    windows = [RULES.steps_of(t) for t in made.truths(WORD)]
    for i, threshold in enumerate(curve.thresholds.tolist()):
        found = match(detected_steps(made, WORD, threshold, RULES), made.truths(WORD), RULES)
        alarms = [s for s in found.false_steps if not any(a <= s < b for a, b in windows)]
        assert curve.missed[i] == found.hit_steps.count(None)
        assert curve.false_alarms[i] == len(alarms)


def test_a_stream_of_nothing_but_utterances_is_refused() -> None:
    with pytest.raises(EvaluationError, match="no time outside"):
        stream_curve(stream({}, [(0.0, 10.0)], steps=50), RULES)


def results(misses: dict[str, list[float]]) -> ProtocolResult:
    """For each word a stream of an hour, its utterances with peaks of the given height."""
    words = []
    for word, peaks in misses.items():
        at = {100 * (i + 1) + 5: p for i, p in enumerate(peaks)}
        made = stream(
            at | {30_000: 0.5}, [(10.0 * (i + 1), 10.0 * (i + 1) + 1) for i in range(len(peaks))]
        )
        words.append(replace(judged(made, target=0.5, shipped=0.6), word=word))
    return ProtocolResult(0.5, 10.0, tuple(words))


def test_means_over_words_and_over_those_of_the_benchmark() -> None:
    result = results({"alexa": [0.9, 0.2], "athena": [0.2, 0.2], "jarvis": [0.9, 0.9]})
    every = result.mean_miss("chosen", ["alexa", "athena", "jarvis"])
    assert every is not None and (every.words, every.clips, every.speakers) == (3, 6, 2)
    assert every.frr == pytest.approx(0.5)
    # Speaker s0 misses one word of three, s1 two: whoever is drawn, the mean is one of these.
    assert (every.low, every.high) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert result.benchmark_words == ("alexa", "jarvis")
    mean = result.mean_miss("chosen", result.benchmark_words)
    assert mean is not None and mean.frr == pytest.approx(0.25)
    assert result.mean_miss("shipped", []) is None
    without = replace(result, words=(replace(result.words[0], shipped=None), result.words[1]))
    assert without.mean_miss("shipped", ["alexa", "athena"]) is None
    assert without.mean_miss("shipped", ["athena"]) is not None


def test_the_mean_curve_falls_from_no_alarm_to_many() -> None:
    """No alarm: the words at 0.2 and 0.4 are missed. With one an hour those at 0.4 are heard."""
    result = results({"alexa": [0.9, 0.4], "jarvis": [0.2, 0.4]})
    shares, low, high = result.mean_curve()
    assert RATES_PER_HOUR[0] == 0.0 and shares[0] == pytest.approx(0.75)
    assert (np.diff(shares) <= 0).all() and (np.diff(RATES_PER_HOUR) > 0).all()
    at_one = np.searchsorted(RATES_PER_HOUR, 1.01)
    assert shares[at_one] == low[at_one] == high[at_one] == 0.0
    # Without alarms speaker s0 misses one of two, s1 both: whoever is drawn, it is one of these.
    assert (low[0], high[0]) == (pytest.approx(0.5), pytest.approx(1.0))
    for word in result.words:  # what is missed at a rate is what the curve says of it
        index = word.curve.first_within(float(RATES_PER_HOUR[0]))
        assert word.missed_at[0].sum() == word.curve.missed[index]


def test_where_no_threshold_keeps_a_rate_everything_counts_as_missed() -> None:
    made = stream({100: 1.0, 505: 1.0}, [(50.0, 51.0)])
    result = judged(made, target=0.1)
    assert result.chosen is None
    assert result.missed_at[0].all() and not result.missed_at[-1].any()


def test_the_published_figures_are_those_of_the_issue() -> None:
    assert PUBLISHED == {"Porcupine": 0.027, "Snowboy": 0.319, "PocketSphinx": 0.52}
    assert len(BENCHMARK_WORDS) == 6
