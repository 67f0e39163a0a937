"""Bounds against scipy.stats, closed forms and the coverage they promise."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from wakeword.errors import EvaluationError
from wakeword.evaluation.intervals import (
    false_alarm_rate,
    hours_to_support,
    miss_rate,
    poisson_mean_above,
    rate_sentence,
)


@given(st.integers(0, 3_000), st.floats(1e-6, 1.0 - 1e-6))
def test_poisson_mean_is_the_chi_square_quantile(events: int, probability: float) -> None:
    expected = stats.chi2.isf(probability, 2 * events + 2) / 2.0
    assert poisson_mean_above(events, probability) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("events", [0, 1, 2, 20, 1_000, 50_000, 400_000])
@pytest.mark.parametrize("probability", [0.95, 0.5, 0.05, 1e-4])
def test_poisson_mean_holds_for_large_counts(events: int, probability: float) -> None:
    expected = stats.chi2.isf(probability, 2 * events + 2) / 2.0
    assert poisson_mean_above(events, probability) == pytest.approx(expected, rel=1e-9)


def test_no_alarm_has_the_closed_form() -> None:
    rate = false_alarm_rate(0, 4.6)
    assert (rate.per_hour, rate.low) == (0.0, 0.0)
    assert rate.high == pytest.approx(-math.log(0.05) / 4.6, rel=1e-12)
    assert rate_sentence(rate) == "0 alarms in 4.6 h: at most 0.65 per hour at 95 %"


def test_bounds_are_garwoods() -> None:
    rate = false_alarm_rate(7, 3.5)
    assert rate.low == pytest.approx(stats.chi2.ppf(0.05, 14) / 2 / 3.5, rel=1e-9)
    assert rate.high == pytest.approx(stats.chi2.ppf(0.95, 16) / 2 / 3.5, rel=1e-9)


@pytest.mark.parametrize("mean", [0.3, 1.0, 4.0, 25.0])
def test_each_bound_covers_at_least_95_percent(mean: float) -> None:
    counts = range(200)
    weights = stats.poisson.pmf(counts, mean)
    rates = [false_alarm_rate(k, 1.0) for k in counts]
    assert sum(w for w, r in zip(weights, rates, strict=True) if r.high >= mean) >= 0.95 - 1e-12
    assert sum(w for w, r in zip(weights, rates, strict=True) if r.low <= mean) >= 0.95 - 1e-12


@given(st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_miss_rate_is_scipys_wilson(counts: tuple[int, int]) -> None:
    missed, clips = counts
    got = miss_rate(missed, clips)
    expected = stats.binomtest(missed, clips).proportion_ci(0.95, method="wilson")
    assert got.low == pytest.approx(expected.low, rel=1e-9, abs=1e-12)
    assert got.high == pytest.approx(expected.high, rel=1e-9, abs=1e-12)
    assert got.low <= got.value <= got.high


@given(st.floats(0.01, 20.0))
def test_hours_to_support_are_just_enough(target: float) -> None:
    hours = hours_to_support(target)
    assert false_alarm_rate(0, hours * 1.001).high < target
    assert false_alarm_rate(0, hours * 0.999).high > target


@pytest.mark.parametrize(
    ("alarms", "hours", "sentence"),
    [
        (1, 4.3, "1 alarm in 4.3 h: at most 1.10 per hour at 95 %"),
        (0, 0.25, "0 alarms in 0.25 h: at most 11.98 per hour at 95 %"),
        (0, 50.0, "0 alarms in 50.0 h: at most 0.06 per hour at 95 %"),
    ],
)
def test_sentence(alarms: int, hours: float, sentence: str) -> None:
    assert rate_sentence(false_alarm_rate(alarms, hours)) == sentence


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: false_alarm_rate(0, 0.0), "0 hours"),
        (lambda: false_alarm_rate(0, math.inf), "inf hours"),
        (lambda: false_alarm_rate(-1, 1.0), "-1 alarms"),
        (lambda: false_alarm_rate(0, 1.0, 1.0), "confidence = 1.0"),
        (lambda: miss_rate(0, 0), "0 of 0"),
        (lambda: miss_rate(3, 2), "3 of 2"),
    ],
)
def test_impossible_counts_are_refused(call: object, said: str) -> None:
    with pytest.raises(EvaluationError, match=said):
        call()  # type: ignore[operator]
