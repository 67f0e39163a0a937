"""Break-downs count every utterance once; the mean curve is what the thresholds give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hand_made_tracks import CLEAN, HIGH, LOW, NOISY, RULES, SAYS_LOW, SPEECH

from wakeword.evaluation.curve import measure
from wakeword.evaluation.groups import breakdowns, level_range, worst
from wakeword.evaluation.intervals import miss_rate
from wakeword.evaluation.mean_curve import RATES_PER_HOUR, mean_curves
from wakeword.evaluation.measurement import Evaluation, evaluate
from wakeword.runtime import Bundle

POSITIVES = {"clean": CLEAN, "noise at 5 dB SNR": NOISY}
LEVELS = {"a": -45.0, "b": -12.0, "c": -10.0}


@pytest.fixture(scope="module")
def result(tiny_bundle: Path) -> Evaluation:
    return evaluate(Bundle.load(tiny_bundle), [SPEECH, SAYS_LOW, *CLEAN], POSITIVES, RULES)


def test_every_utterance_is_in_one_group_of_each_kind(result: Evaluation) -> None:
    groups = breakdowns(result.outcomes, LEVELS)
    for by in ("corpus", "speaker", "level"):
        for basis in ("chosen", "shipped"):
            for condition, clips in (("clean", 4), ("noise at 5 dB SNR", 1)):
                of = [g for g in groups if (g.by, g.basis, g.condition) == (by, basis, condition)]
                counted = sum(g.misses.clips for g in of)
                missed = sum(m.misses.missed for m in result.misses
                             if (m.basis, m.condition) == (basis, condition))  # fmt: skip
                assert counted == clips and sum(g.misses.missed for g in of) == missed


def test_groups_by_speaker_and_level(result: Evaluation) -> None:
    groups = breakdowns(result.outcomes, LEVELS)
    shipped = {(g.by, g.name): g for g in groups if (g.basis, g.condition) == ("shipped", "clean")}
    assert {name for by, name in shipped if by == "speaker"} == {
        "clips/s1", "clips/s2", "clips/unknown"
    }  # fmt: skip
    assert shipped["speaker", "clips/s2"].misses == miss_rate(1, 1)
    assert shipped["corpus", "clips"].speakers == 2
    assert [name for by, name in shipped if by == "level"] == [
        "-50 to -40 dBFS", "-20 to -10 dBFS", "-10 dBFS and above", "unknown"
    ]  # fmt: skip
    missed_most = worst(groups, "speaker", "clean", "shipped", least_clips=1)
    assert [g.name for g in missed_most] == ["clips/s2", "clips/s1", "clips/unknown"]
    assert [g.name for g in worst(groups, "speaker", "clean", "shipped", 2)] == ["clips/s1"]


@pytest.mark.parametrize(
    ("level_dbfs", "name"),
    [(-99.0, "below -60 dBFS"), (-60.0, "-60 to -50 dBFS"), (-40.0, "-40 to -30 dBFS"),
     (-30.1, "-40 to -30 dBFS"), (0.0, "-10 dBFS and above"), (float("nan"), "unknown")],
)  # fmt: skip
def test_ranges_of_levels(level_dbfs: float, name: str) -> None:
    assert level_range(level_dbfs) == name


def test_the_mean_curve_is_the_mean_of_words_at_each_rate(result: Evaluation) -> None:
    curves = {c.condition: c for c in mean_curves(result, POSITIVES, RULES, seed=1)}
    clean = curves["clean"]
    assert clean.words == 2 and list(curves) == list(POSITIVES)
    assert set(clean.fa_per_hour) <= set(RATES_PER_HOUR)
    assert clean.fa_per_hour[0] * clean.hours >= 1.0
    negatives = [SPEECH, SAYS_LOW, *CLEAN]
    for rate, frr in zip(clean.fa_per_hour, clean.frr, strict=True):
        shares = []
        for word in (LOW, HIGH):
            curve = result.curves[word]["clean"]
            index = curve.first_within(rate)
            assert index is not None
            at = measure(word, CLEAN, negatives, RULES, curve.thresholds[[index]])
            assert at.rate_at(0).per_hour <= rate
            shares.append(at.misses_at(0).value)
        assert frr == pytest.approx(np.mean(shares))
    assert (clean.low <= clean.frr + 1e-12).all() and (clean.frr <= clean.high + 1e-12).all()
