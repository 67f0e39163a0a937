"""metadata.json is read strictly: what is not exactly expected is one clear error."""

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from bundles import TONES_HZ, operating_points, tiny_metadata
from hypothesis import given
from hypothesis import strategies as st

from wakeword.errors import BundleError, ConfigError
from wakeword.frontend import preset
from wakeword.frontend.config import PRESETS
from wakeword.runtime import BundleMetadata, OperatingPoints

Change = Callable[[dict[str, Any]], object]


def point(table: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = table["operating_points"]["low tone"][0]
    return found


def test_metadata_survive_the_round_trip() -> None:
    for kind in PRESETS:
        metadata = tiny_metadata(frontend=preset(kind))
        assert BundleMetadata.from_dict(metadata.to_dict()) == metadata


def test_the_documented_keys_are_written_in_their_order() -> None:
    assert list(tiny_metadata().to_dict()) == [
        "schema_version", "name", "version", "description", "licence", "model", "frontend",
        "window_frames", "step_samples", "labels", "smoother", "detector",
        "default_target_fa_per_hour", "operating_points", "training",
    ]  # fmt: skip


REFUSED: dict[str, tuple[Change, str]] = {
    "newer schema": (lambda t: t.update(schema_version=2), "version 2, .* up to version 1"),
    "no schema": (lambda t: t.pop("schema_version"), "schema_version = None"),
    "schema as text": (lambda t: t.update(schema_version="1"), "schema_version = '1'"),
    "schema true": (lambda t: t.update(schema_version=True), "schema_version = True"),
    "unknown key": (lambda t: t.update(colour=1), "unknown key 'colour'"),
    "unknown model key": (lambda t: t["model"].update(colour=1), "unknown key 'colour'"),
    "unknown front-end key": (lambda t: t["frontend"].update(colour=1), "unknown key 'colour'"),
    "unknown pcen key": (lambda t: t["frontend"]["pcen"].update(q=1), "unknown key 'q'"),
    "unknown smoother key": (lambda t: t["smoother"].update(colour=1), "unknown key 'colour'"),
    "unknown detector key": (lambda t: t["detector"].update(colour=1), "unknown key 'colour'"),
    "unknown training key": (lambda t: t["training"].update(colour=1), "unknown key 'colour'"),
    "unknown data key": (lambda t: t["training"]["data"][0].update(q=1), "unknown key 'q'"),
    "unknown point key": (lambda t: point(t).update(colour=1), "unknown key 'colour'"),
    "no labels": (lambda t: t.pop("labels"), "labels"),
    "no model": (lambda t: t.pop("model"), "model"),
    "no checksum": (lambda t: t["model"].pop("sha256"), "sha256"),
    "checksum cut short": (lambda t: t["model"].update(sha256="ab"), "64 hex digits"),
    "model in another folder": (lambda t: t["model"].update(file="../m.onnx"), "without a folder"),
    "model at a full path": (lambda t: t["model"].update(file="/m.onnx"), "without a folder"),
    "model called ..": (lambda t: t["model"].update(file=".."), "without a folder"),
    "model too large": (lambda t: t["model"].update(bytes=2**28 + 1), "268435456"),
    "name with a slash": (lambda t: t.update(name="a/b"), "name = 'a/b'"),
    "name empty": (lambda t: t.update(name=""), "name = ''"),
    "window of none": (lambda t: t.update(window_frames=0), "between 1 and 10000"),
    "window of a fraction": (lambda t: t.update(window_frames=1.5), "window_frames"),
    "step of none": (lambda t: t.update(step_samples=0), "between 1 and 160000"),
    "labels twice": (lambda t: t.update(labels=["background", "a", "a"]), "all different"),
    "labels without background": (lambda t: t.update(labels=["a", "b"]), "'background'"),
    "labels with background only": (lambda t: t.update(labels=["background"]), "at least one"),
    "label in capitals": (lambda t: t["labels"].append("Alexa"), "lower case"),
    "label with a colon": (lambda t: t["labels"].append("a:b"), "without ':'"),
    "label with a line end": (lambda t: t["labels"].append("a\nb"), "single spaces"),
    "label as a number": (lambda t: t["labels"].append(5), "labels"),
    "labels as text": (lambda t: t.update(labels="ab"), "labels"),
    "word without points": (lambda t: t["operating_points"].pop("low tone"), "exactly the words"),
    "points of a stranger": (
        lambda t: t["operating_points"].update(x=[dict(point(t))]), "exactly the words",
    ),
    "points empty": (lambda t: t["operating_points"].update({"low tone": []}), "at least one"),
    "points as a table": (lambda t: t["operating_points"].update({"low tone": {}}), "a list"),
    "target twice": (
        lambda t: t["operating_points"]["low tone"].append(dict(point(t))), "given once",
    ),
    "threshold 0": (lambda t: point(t).update(threshold=0.0), "threshold = 0.0"),
    "threshold 1": (lambda t: point(t).update(threshold=1.0), "threshold = 1.0"),
    "threshold 2": (lambda t: point(t).update(threshold=2), "threshold = 2.0"),
    "threshold as text": (lambda t: point(t).update(threshold="0.5"), "threshold"),
    "threshold true": (lambda t: point(t).update(threshold=True), "threshold"),
    "threshold NaN": (lambda t: point(t).update(threshold=math.nan), "finite"),
    "threshold rising with the target": (
        lambda t: point(t).update(target_fa_per_hour=5.0), "at most",
    ),
    "target 0": (lambda t: point(t).update(target_fa_per_hour=0), "above 0"),
    "target infinite": (lambda t: point(t).update(target_fa_per_hour=math.inf), "finite"),
    "target beyond any float": (lambda t: point(t).update(target_fa_per_hour=10**400), "finite"),
    "rate outside its bounds": (lambda t: point(t).update(fa_per_hour=9.0), "between its bounds"),
    "hours 0": (lambda t: point(t).update(hours=0), "hours = 0"),
    "more missed than clips": (lambda t: point(t).update(missed=41), "clips = 40"),
    "no rate but clips": (lambda t: point(t).update(frr=None), "in .0, 1."),
    "a rate without clips": (lambda t: point(t).update(clips=0), "null where clips = 0"),
    "default target not measured": (
        lambda t: t.update(default_target_fa_per_hour=9.0), "0.1 to 2",
    ),
    "smoother of another kind": (lambda t: t["smoother"].update(kind="max"), "moving_average"),
    "smoother of no step": (lambda t: t["smoother"].update(steps=0), "between 1 and 1000"),
    "refractory negative": (lambda t: t["detector"].update(refractory_s=-1), "0 and 60"),
    "refractory infinite": (lambda t: t["detector"].update(refractory_s=math.inf), "finite"),
    "front end of another kind": (lambda t: t["frontend"].update(kind="fbank"), "fbank"),
    "front end with no hop": (lambda t: t["frontend"].update(hop_samples=0), "hop_samples"),
    "pcen with NaN": (lambda t: t["frontend"]["pcen"].update(eps=math.nan), "finite"),
    "recipe with NaN": (lambda t: t["training"].update(recipe={"a": [math.nan]}), "finite"),
    "library without version": (
        lambda t: t["training"].update(libraries={"torch": 2}), "libraries.torch",
    ),
    "negative clips": (lambda t: t["training"]["data"][0].update(clips=-1), "at least 0"),
    "training as a list": (lambda t: t.update(training=[]), "training"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_bad_metadata_are_one_clear_error(case: str) -> None:
    change, message = REFUSED[case]
    table = copy.deepcopy(tiny_metadata().to_dict())
    change(table)
    with pytest.raises(BundleError, match=message):
        BundleMetadata.from_dict(table)


@pytest.mark.parametrize("value", [None, 1, "x", [], [{}]])
def test_anything_but_a_table_is_refused(value: object) -> None:
    with pytest.raises(BundleError, match="must be a table"):
        BundleMetadata.from_dict(value)


def test_a_point_without_clips_has_no_miss_rate() -> None:
    table = tiny_metadata().to_dict()
    point(table).update(frr=None, frr_low=None, frr_high=None, clips=0, missed=0)
    metadata = BundleMetadata.from_dict(table)
    assert metadata.operating_points["low tone"].points[0].frr is None
    assert BundleMetadata.from_dict(metadata.to_dict()) == metadata


def test_threshold_at_the_entries_is_the_entry() -> None:
    table = operating_points("low tone")
    assert [table.threshold(t) for t in (0.1, 0.5, 2.0)] == [0.8, 0.6, 0.5]
    assert table.at(0.5).threshold == 0.6


def test_threshold_between_entries_is_linear_over_the_logarithm() -> None:
    table = operating_points("low tone")
    assert table.threshold(1.0) == pytest.approx(0.55)  # half-way from 0.5 to 2 in octaves
    assert table.threshold(math.sqrt(0.1 * 0.5)) == pytest.approx(0.7)


@given(st.floats(0.1, 2.0), st.floats(0.1, 2.0))
def test_more_alarms_never_need_a_higher_threshold(one: float, other: float) -> None:
    table = operating_points("low tone")
    low, high = sorted((one, other))
    assert 0.5 <= table.threshold(high) <= table.threshold(low) <= 0.8


@pytest.mark.parametrize("target", [0.0, 0.0999, 2.001, -1.0, math.inf, math.nan])
def test_a_target_outside_the_table_names_the_range(target: float) -> None:
    with pytest.raises(ConfigError, match=r"'low tone': 0\.1 to 2"):
        operating_points("low tone").threshold(target)


def test_a_missing_entry_names_the_others() -> None:
    with pytest.raises(ConfigError, match=r"there are: 0\.1, 0\.5, 2"):
        operating_points("low tone").at(1.0)


def test_entries_are_sorted_whatever_their_order() -> None:
    points = operating_points("low tone").points
    assert OperatingPoints("low tone", points[::-1]).points == points


def test_metadata_cannot_be_changed() -> None:
    metadata = tiny_metadata()
    with pytest.raises(AttributeError):
        metadata.name = "other"  # type: ignore[misc]
    assert replace(metadata, name="other").name == "other"
    assert metadata.words == tuple(TONES_HZ)
