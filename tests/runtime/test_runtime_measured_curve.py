"""Curves in metadata.json: read strictly, optional, and asked for thresholds."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from bundles import measured_curve, operating_points, tiny_metadata
from hypothesis import given
from hypothesis import strategies as st

from wakeword.errors import BundleError, ConfigError
from wakeword.runtime import BundleMetadata, CountBounds, OperatingPoints
from wakeword.runtime.measured_curve import MAX_ALARMS, MAX_POINTS

WORD = "low tone"
Change = Callable[[dict[str, Any]], object]


def with_curve() -> OperatingPoints:
    return replace(operating_points(WORD), curve=measured_curve())


def metadata() -> BundleMetadata:
    points = {WORD: with_curve(), "high tone": operating_points("high tone")}
    return tiny_metadata(operating_points=points)


def test_a_curve_survives_the_round_trip_and_is_optional() -> None:
    table = metadata().to_dict()
    assert list(table["curves"]) == [WORD]
    assert BundleMetadata.from_dict(table) == metadata()
    del table["curves"]
    old = BundleMetadata.from_dict(table)
    assert old.operating_points[WORD].curve is None and "curves" not in old.to_dict()
    assert old.operating_points[WORD].threshold(1.0) == pytest.approx(0.55)


def curve(table: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = table["curves"][WORD]
    return found


REFUSED: dict[str, tuple[Change, str]] = {
    "curves as a list": (lambda t: t.update(curves=[]), "must be a table"),
    "a curve of a stranger": (lambda t: t["curves"].update(x=curve(t)), "curves = "),
    "a curve as a list": (lambda t: t["curves"].update({WORD: []}), "must be a table"),
    "unknown key": (lambda t: curve(t).update(colour=1), "unknown key 'colour'"),
    "no hours": (lambda t: curve(t).pop("hours"), "hours"),
    "hours 0": (lambda t: curve(t).update(hours=0), "hours = 0"),
    "hours next to nothing": (lambda t: curve(t).update(hours=5e-324), "hours = 5e-324"),
    "hours infinite": (lambda t: curve(t).update(hours=math.inf), "finite"),
    "hours NaN": (lambda t: curve(t).update(hours=math.nan), "finite"),
    "other hours than the points": (lambda t: curve(t).update(hours=9.0), "operating points"),
    "other clips than the points": (lambda t: curve(t).update(clips=41), "operating points"),
    "another condition": (lambda t: curve(t).update(condition="babble"), "operating points"),
    "clips beyond any": (lambda t: curve(t).update(clips=10**12), "clips = "),
    "no points": (
        lambda t: curve(t).update(thresholds=[], alarms=[], missed=[]), "points = 0",
    ),
    "too many points": (
        lambda t: curve(t).update(
            thresholds=[(i + 1) / 200 for i in range(MAX_POINTS + 1)],
            alarms=[0] * (MAX_POINTS + 1), missed=[0] * (MAX_POINTS + 1),
        ),
        "points = 101",
    ),
    "alarms too few": (lambda t: curve(t)["alarms"].pop(), "length of alarms = 5"),
    "missed too many": (lambda t: curve(t)["missed"].append(40), "length of missed = 7"),
    "threshold 0": (lambda t: curve(t)["thresholds"].__setitem__(0, 0.0), "between 0 and 1"),
    "threshold 1": (lambda t: curve(t)["thresholds"].__setitem__(-1, 1), "between 0 and 1"),
    "threshold NaN": (lambda t: curve(t)["thresholds"].__setitem__(2, math.nan), "finite"),
    "threshold twice": (lambda t: curve(t)["thresholds"].__setitem__(2, 0.5), "above 0.5"),
    "thresholds falling": (lambda t: curve(t)["thresholds"].reverse(), "above"),
    "thresholds as text": (lambda t: curve(t).update(thresholds="0.5"), "not a list"),
    "alarms rising": (lambda t: curve(t)["alarms"].__setitem__(-1, 1), "fall or stay"),
    "alarms negative": (lambda t: curve(t)["alarms"].__setitem__(-1, -1), "at least 0"),
    "alarms beyond any": (
        lambda t: curve(t)["alarms"].__setitem__(0, MAX_ALARMS + 1), f"at most {MAX_ALARMS}",
    ),
    "alarms as a fraction": (lambda t: curve(t)["alarms"].__setitem__(0, 9.5), "not a int"),
    "alarms true": (lambda t: curve(t)["alarms"].__setitem__(-2, True), "not a int"),
    "missed falling": (lambda t: curve(t)["missed"].__setitem__(0, 3), "rise or stay"),
    "missed negative": (lambda t: curve(t)["missed"].__setitem__(0, -1), "at least 0"),
    "missed more than clips": (lambda t: curve(t)["missed"].__setitem__(-1, 41), "at most 40"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_curve_is_one_clear_error(case: str) -> None:
    change, message = REFUSED[case]
    table = copy.deepcopy(metadata().to_dict())
    for name in ("thresholds", "alarms", "missed"):
        curve(table)[name] = list(curve(table)[name])
    change(table)
    with pytest.raises(BundleError, match=message):
        BundleMetadata.from_dict(table)


@pytest.mark.parametrize(
    ("threshold", "bounds"),
    [
        (0.3, CountBounds(40, 40, 0, 0)),
        (0.4, CountBounds(20, 40, 0, 0)),
        (0.55, CountBounds(2, 20, 0, 1)),
        (0.7, CountBounds(0, 1, 1, 4)),
        (0.99, CountBounds(0, 0, 40, 40)),
        (0.2999, None),
        (0.9901, None),
        (math.nan, None),
    ],
)
def test_counts_are_exact_at_the_points_and_bounded_between(
    threshold: float, bounds: CountBounds | None
) -> None:
    assert measured_curve().counts(threshold) == bounds


def test_a_target_between_entries_gets_a_threshold_that_was_measured() -> None:
    points = with_curve()
    assert [points.threshold(t) for t in (0.1, 0.5, 2.0)] == [0.8, 0.6, 0.5]  # the entries
    assert points.threshold(0.2) == 0.6  # 2 alarms are allowed, and 0.5 per hour gets no less
    assert points.threshold(3.9) == 0.5 and points.threshold(4.0) == 0.3
    with pytest.raises(ConfigError, match=r"0\.1 to 4$"):
        points.threshold(4.1)


def test_where_no_alarm_has_room_the_tail_says_the_threshold() -> None:
    points = replace(with_curve(), points=with_curve().points[:1])  # 0.1 per hour only
    strict = replace(points, points=(replace(points.points[0], target_fa_per_hour=0.01),))
    found = [strict.threshold(target) for target in (0.02, 0.05, 0.09)]
    assert found == sorted(found, reverse=True)
    assert all(0.8 <= threshold < 1.0 for threshold in found)


@given(st.floats(0.1, 4.0), st.floats(0.1, 4.0))
def test_more_alarms_never_need_a_higher_threshold(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0.3 <= with_curve().threshold(high) <= with_curve().threshold(low) <= 0.8
