"""Models that bring curves, over REST: what is shown, and what is expected of a threshold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from bundles import measured_curve, operating_points, tiny_metadata, write_tiny_bundle
from live_server import live_server

from wakeword.evaluation.intervals import false_alarm_rate, miss_rate

WORD = "/v1/models/tiny/words/low tone/operating-point"


def put(rest: httpx.Client, wish: dict[str, Any]) -> httpx.Response:
    """Choose a threshold, whatever is there now."""
    return rest.put(WORD, json=wish, headers={"If-Match": rest.get(WORD).headers["ETag"]})


@pytest.fixture(scope="module")
def curved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server whose model brings a curve of one word."""
    folder = tmp_path_factory.mktemp("curved")
    table = replace(operating_points("low tone"), curve=measured_curve())
    metadata = tiny_metadata("tiny", ["low tone"], operating_points={"low tone": table})
    bundle = write_tiny_bundle(folder / "tiny", metadata)
    with (
        live_server(folder / "state", models=(str(bundle),)) as running,
        httpx.Client(base_url=running.http, trust_env=False) as opened,
    ):
        yield opened


def test_a_model_with_curves_shows_the_counts_with_exact_bounds(curved: httpx.Client) -> None:
    found = curved.get("/v1/models/tiny").json()
    curve = found["words"][0]["curve"]
    kept = measured_curve()
    assert [(p["threshold"], p["alarms"], p["missed"]) for p in curve["points"]] == list(
        zip(kept.thresholds, kept.alarms, kept.missed, strict=True)
    )
    assert (curve["hours"], curve["clips"], curve["condition"]) == (10.0, 40, "tone bursts")
    rate, share = false_alarm_rate(2, 10.0), miss_rate(1, 40)
    assert curve["points"][2]["false_alarms_per_hour"] == {
        "value": 0.2, "low": rate.low, "high": rate.high,
    }  # fmt: skip
    assert curve["points"][2]["false_rejection_rate"] == {
        "value": 0.025, "low": share.low, "high": share.high,
    }  # fmt: skip
    assert "6 thresholds" in curve["source"]


@pytest.mark.parametrize(
    ("wish", "threshold", "alarms", "missed"),
    [
        ({"threshold": 0.65}, 0.65, (1, 1), (1, 1)),
        ({"threshold": 0.7}, 0.7, (0, 1), (1, 4)),
        ({"threshold": 0.55}, 0.55, (2, 20), (0, 1)),
        ({"threshold": 0.3}, 0.3, (40, 40), (0, 0)),
        ({"false_alarms_per_hour": 3.9}, 0.5, (0, 0), (0, 0)),  # that of the entry for 2
        ({"false_alarms_per_hour": 4.0}, 0.3, (40, 40), (0, 0)),
    ],
)
def test_on_a_curve_every_threshold_is_measured_within_bounds(
    curved: httpx.Client, wish: dict[str, Any], threshold: float,
    alarms: tuple[int, int], missed: tuple[int, int],
) -> None:  # fmt: skip
    found = put(curved, wish).json()
    expected = found["expected"]
    assert (found["threshold"], expected["basis"]) == (threshold, "measured")
    if threshold != 0.5:  # there the entry speaks
        few, many = (false_alarm_rate(n, 10.0) for n in alarms)
        assert expected["false_alarms_per_hour"] == {
            "value": many.per_hour, "low": few.low, "high": many.high,
        }  # fmt: skip
        best, worst = (miss_rate(n, 40) for n in missed)
        assert expected["false_rejection_rate"] == {
            "value": worst.value, "low": best.low, "high": worst.high,
        }  # fmt: skip
        assert ("between" in expected["statement"]) == (alarms[0] < alarms[1])
        assert expected["supported"] == (alarms[1] >= 3)
    assert (expected["hours"], expected["clips"]) == (10.0, 40)
    assert curved.get(WORD).json() == found


@pytest.mark.parametrize(("threshold", "side"), [(0.2, "below the lowest"), (0.995, "above the")])
def test_outside_of_a_curve_only_the_bound_of_its_end_is_said(
    curved: httpx.Client, threshold: float, side: str
) -> None:
    expected = put(curved, {"threshold": threshold}).json()["expected"]
    assert expected["basis"] == "outside" and expected["statement"].startswith(side)
    values = [expected[n]["value"] for n in ("false_alarms_per_hour", "false_rejection_rate")]
    assert values == [None, None] and not expected["supported"]


def test_a_target_beyond_the_curve_names_the_range(curved: httpx.Client) -> None:
    refused = put(curved, {"false_alarms_per_hour": 4.1}).json()
    assert (refused["status"], refused["limit"]) == (422, [0.1, 4.0])
