"""Which errors are heard, in which order, and from when to when."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from hand_made_tracks import CLEAN, HIGH, LOW, NOISY, RULES, SAYS_LOW, SHIPPED, SPEECH, scored

from wakeword.evaluation.events import Label, Track, Truth
from wakeword.evaluation.listening.findings import (
    AFTER_S,
    BEFORE_S,
    LONGEST_S,
    Finding,
    Findings,
    worst_findings,
)
from wakeword.evaluation.measurement import evaluate
from wakeword.runtime import Bundle

NOISE = "noise at 5 dB SNR"


def find(tiny_bundle: Path, most: int = 100, extra: Sequence[Track] = ()) -> Findings:
    recorded = [SPEECH, SAYS_LOW, *CLEAN, *extra]
    positives = {"clean": [*CLEAN, *(t for t in extra if t.label.truths)], NOISE: NOISY}
    result = evaluate(Bundle.load(tiny_bundle), recorded, positives, RULES)
    return worst_findings(result, recorded, positives, RULES, most)


def shipped(found: Findings, kind: str) -> list[Finding]:
    return [f for f in found.kept if f.event.basis == "shipped" and f.event.kind == kind]


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def test_how_wrong_is_the_distance_in_logits_and_the_worst_comes_first(
    tiny_bundle: Path,
) -> None:
    found = find(tiny_bundle)
    misses = {(f.event.condition, f.event.recording): f for f in shipped(found, "miss")}
    assert set(misses) == {("clean", "c"), (NOISE, "a")}
    assert misses["clean", "c"].how_wrong == pytest.approx(logit(SHIPPED) - logit(0.3), rel=1e-5)
    assert misses[NOISE, "a"].how_wrong == pytest.approx(logit(SHIPPED) - logit(0.2), rel=1e-5)
    alarms = shipped(found, "false alarm")
    assert [f.event.recording for f in alarms] == ["d", "talk", "talk", "talk"]
    assert [round(f.peak, 2) for f in alarms] == [0.97, 0.95, 0.7, 0.65]
    assert alarms[1].how_wrong == pytest.approx(logit(0.95) - logit(SHIPPED), rel=1e-5)
    order = [f.how_wrong for f in found.kept]
    assert order == sorted(order, reverse=True)


def test_each_condition_has_its_own_share_and_what_does_not_fit_is_said(
    tiny_bundle: Path,
) -> None:
    found = find(tiny_bundle, most=1)
    assert [f.event.recording for f in shipped(found, "false alarm")] == ["d"]
    assert {f.event.condition for f in shipped(found, "miss")} == {"clean", NOISE}
    assert found.left_out["false alarms (shipped thresholds)"] == 3
    assert "misses, clean (shipped thresholds)" not in found.left_out
    assert find(tiny_bundle).left_out == {}


def test_an_alarm_is_heard_from_two_windows_before_it(tiny_bundle: Path) -> None:
    first, second = shipped(find(tiny_bundle), "false alarm")[:2]
    assert (first.event.recording, first.start_s) == ("d", 0.0)
    assert first.detections == ((LOW, 1.3), (HIGH, 1.3))
    assert second.event.time_s == 10.1
    assert (second.start_s, second.stop_s) == pytest.approx((10.1 - BEFORE_S, 10.1 + AFTER_S))


def test_how_high_an_alarm_rises_after_its_crossing_counts(tiny_bundle: Path) -> None:
    rising = scored(Label("rise", "talk", "t"), 60, {(LOW, 20): 0.7, (LOW, 21): 0.99})
    found = shipped(find(tiny_bundle, extra=[rising]), "false alarm")
    assert found[0].event.recording == "rise" and found[0].event.time_s == 2.1
    assert found[0].peak == pytest.approx(0.99) and found[0].event.score == pytest.approx(0.7)


def test_a_score_that_was_high_enough_at_the_wrong_time_is_the_least_wrong(
    tiny_bundle: Path,
) -> None:
    """It crossed before the word began, and stayed above until it ended."""
    early = scored(
        Label("early", "clips", "s1", (Truth(LOW, 1.0, 1.5),)), 60,
        {(LOW, i): 0.9 for i in range(5, 25)},
    )  # fmt: skip
    found = shipped(find(tiny_bundle, extra=[early]), "miss")
    assert found[-1].event.recording == "early" and found[-1].how_wrong < 0.0
    assert found[-1].detections == ((LOW, 0.6),)


def test_a_word_anywhere_in_a_long_clip_is_heard_around_its_best_score(
    tiny_bundle: Path,
) -> None:
    label = Label("long", "clips", "s1", (Truth(LOW, 0.0, 60.0),))
    long = scored(label, 600, {(LOW, 300): 0.4})
    (finding,) = [
        f for f in shipped(find(tiny_bundle, extra=[long]), "miss") if f.event.recording == "long"
    ]
    assert finding.stop_s - finding.start_s == pytest.approx(LONGEST_S)
    assert finding.start_s < 30.1 < finding.stop_s


def test_scores_of_0_and_1_are_finite_distances(tiny_bundle: Path) -> None:
    label = Label("never", "clips", "s1", (Truth(LOW, 1.0, 1.5),))
    never = scored(label, 40, {(LOW, i): 0.0 for i in range(40)})
    sure = scored(Label("sure", "talk", "t"), 40, {(LOW, 10): 1.0})
    kept = find(tiny_bundle, extra=[never, sure]).kept
    assert {"never", "sure"} <= {f.event.recording for f in kept[:4]}
    assert all(math.isfinite(f.how_wrong) for f in kept)
