"""A whole evaluation of hand-made tracks, counted by hand and by a second reading of the events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hand_made_tracks import CLEAN, HIGH, HOURS, LOW, NOISY, RULES, SAYS_LOW, SHIPPED, SPEECH

from wakeword.errors import EvaluationError
from wakeword.evaluation.events import detected_steps
from wakeword.evaluation.measurement import ALL_CORPORA, ALL_WORDS, Evaluation, evaluate
from wakeword.runtime import Bundle


@pytest.fixture(scope="module")
def result(tiny_bundle: Path) -> Evaluation:
    bundle = Bundle.load(tiny_bundle)
    positives = {"clean": CLEAN, "noise at 5 dB SNR": NOISY}
    return evaluate(bundle, [SPEECH, SAYS_LOW, *CLEAN], positives, RULES)


def test_misses_at_the_shipped_threshold(result: Evaluation) -> None:
    shipped = {(m.word, m.condition): m for m in result.misses if m.basis == "shipped"}
    assert set(shipped) == {(LOW, "clean"), (HIGH, "clean"), (LOW, "noise at 5 dB SNR")}
    low = shipped[LOW, "clean"]
    assert (low.misses.missed, low.misses.clips, low.speakers) == (1, 3, 2)
    assert (low.threshold, low.extra_alarms) == (SHIPPED, 1)
    assert shipped[HIGH, "clean"].misses.missed == 0 and shipped[HIGH, "clean"].speakers == 0
    assert shipped[LOW, "noise at 5 dB SNR"].misses.missed == 1


def test_alarms_at_the_shipped_threshold(result: Evaluation) -> None:
    """Low: 0.95, 0.7, 0.65 in the speech and 0.97 in the other word's clip; high: none."""
    rates = {(a.word, a.corpus): a.rate for a in result.alarms if a.basis == "shipped"}
    assert rates[LOW, "talk"].alarms == 3 and rates[LOW, "clips"].alarms == 1
    assert rates[LOW, ALL_CORPORA].alarms == 4 and rates[HIGH, ALL_CORPORA].alarms == 0
    assert rates[ALL_WORDS, ALL_CORPORA].alarms == 4
    assert rates[LOW, "talk"].hours == pytest.approx(HOURS)
    assert rates[LOW, "clips"].hours == pytest.approx(40 / 36_000)
    assert rates[HIGH, "talk"].hours == pytest.approx(HOURS + 100 / 36_000)
    assert rates[ALL_WORDS, ALL_CORPORA].hours == pytest.approx(HOURS + 260 / 36_000)


def test_the_chosen_threshold_keeps_the_target_here(result: Evaluation) -> None:
    """1.25 alarms are allowed in 2.5 h: the threshold lies between 0.95 and 0.97."""
    choice = result.choices[LOW]
    assert choice.rate.alarms == 1 and 0.95 < choice.threshold < 0.97
    rates = {(a.word, a.corpus): a.rate for a in result.alarms if a.basis == "chosen"}
    assert rates[LOW, ALL_CORPORA].alarms == 1
    missed = {m.condition: m.misses.missed for m in result.misses
              if (m.basis, m.word) == ("chosen", LOW)}  # fmt: skip
    assert missed == {"clean": 3, "noise at 5 dB SNR": 1}


def test_every_miss_and_alarm_is_an_event_with_its_place(result: Evaluation) -> None:
    shipped = [e for e in result.events if e.basis == "shipped"]
    alarms = {(e.recording, e.word, e.time_s) for e in shipped if e.kind == "false alarm"}
    assert alarms == {
        ("talk", LOW, 10.1), ("talk", LOW, 20.1), ("talk", LOW, 30.1), ("d", LOW, 1.3)
    }  # fmt: skip
    misses = [e for e in shipped if e.kind == "miss"]
    assert [(e.recording, e.condition, e.time_s) for e in misses] == [
        ("c", "clean", 1.8), ("a", "noise at 5 dB SNR", 1.5)
    ]  # fmt: skip
    assert misses[0].score == pytest.approx(0.3) and misses[0].speaker == "s2"


def test_curves_pass_through_both_thresholds(result: Evaluation) -> None:
    curve = result.curves[LOW]["clean"]
    for basis in ("chosen", "shipped"):
        (at,) = [m for m in result.misses
                 if (m.basis, m.word, m.condition) == (basis, LOW, "clean")]  # fmt: skip
        index = int(np.searchsorted(curve.thresholds, at.threshold))
        assert curve.missed[index] == at.misses.missed
        (rate,) = [a.rate for a in result.alarms
                   if (a.basis, a.word, a.corpus) == (basis, LOW, ALL_CORPORA)]  # fmt: skip
        assert curve.false_alarms[index] == rate.alarms
    assert set(result.curves[HIGH]) == {"clean"}


def test_means_are_over_words(result: Evaluation) -> None:
    assert result.mean_frr("clean", "shipped") == pytest.approx((1 / 3 + 0) / 2)
    assert result.mean_frr("clean, but not measured", "shipped") is None
    assert result.conditions == ("clean", "noise at 5 dB SNR")


def test_counts_agree_with_the_detector(result: Evaluation) -> None:
    for alarm in (a for a in result.alarms if a.corpus == "talk" and a.word != ALL_WORDS):
        threshold = (
            result.choices[alarm.word].threshold if alarm.basis == "chosen" else SHIPPED
        )
        tracks = [t for t in (SPEECH, SAYS_LOW) if t.is_negative(alarm.word)]
        found = sum(len(detected_steps(t, alarm.word, threshold, RULES)) for t in tracks)
        assert found == alarm.rate.alarms


def test_a_word_without_negatives_is_an_error(tiny_bundle: Path) -> None:
    with pytest.raises(EvaluationError, match="no negative audio for 'low tone'"):
        evaluate(Bundle.load(tiny_bundle), [SAYS_LOW], {}, RULES)
