"""``wakeword models``: what is installed, and nothing hidden about what was measured."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from bundles import measured_curve, operating_points, tiny_metadata, write_tiny_bundle
from inprocess import run

from wakeword.runtime import Bundle, BundleMetadata, registry

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two bundles, the only ones there are."""
    folder = tmp_path / "models"
    write_tiny_bundle(folder / "both", tiny_metadata("both"))
    write_tiny_bundle(folder / "low", tiny_metadata("low", ["low tone"], licence="MIT"))
    monkeypatch.setattr(registry, "model_folders", lambda: [folder])
    return folder


def test_the_list(capsys: Capture, installed: Path) -> None:
    done = run(capsys, "models")
    assert done.code == 0 and done.err == ""
    head, both, low = done.out.splitlines()
    assert head.split("  ")[0] == "name"
    for part in ("both", "low tone, high tone", "kB", "Apache-2.0", "2 0.5 0.1?"):
        assert part in both
    assert "(low tone)" in low and "MIT" in low


def test_the_list_as_json(capsys: Capture, installed: Path) -> None:
    both, low = run(capsys, "models", "--json").records
    bundle = Bundle.load(installed / "both")
    assert both == {
        "name": "both", "version": "1.0.0", "description": "Hears tone bursts; for tests",
        "words": ["low tone", "high tone"], "bytes": len(bundle.model), "parameters": 120,
        "licence": "Apache-2.0", "default_target_fa_per_hour": 0.5, "sha256": bundle.sha256,
        "operating_points": bundle.metadata.to_dict()["operating_points"],
        "path": str(installed / "both"), "default": True,
    }  # fmt: skip
    assert low["words"] == ["low tone"] and low["default"]


def test_models_that_nobody_hears_without_their_name_are_listed(
    capsys: Capture, installed: Path
) -> None:
    (installed / "index.json").write_text('{"default": ["low"]}')
    low, both = run(capsys, "models", "--json").records
    assert (low["name"], low["default"]) == ("low", True)
    assert (both["name"], both["default"]) == ("both", False)
    _, first, second = run(capsys, "models").out.splitlines()
    assert first.split()[:4] == ["low", "low", "tone", "yes"]
    assert "  no  " in second and "(low tone), high tone" in second


def test_the_card_and_all_operating_points(capsys: Capture, installed: Path) -> None:
    done = run(capsys, "models", "show", "both")
    assert done.code == 0 and done.err == ""
    assert done.out.endswith("# Tones\n\nHears tone bursts.\n")
    rows = [line for line in done.out.splitlines() if line.endswith(("yes", "no"))]
    assert len(rows) == 6
    point = "low tone 0.1 0.800 0.00 (0.00-0.30) 10.0 0.0 % (0.0 %-9.0 %) 40 tone bursts no"
    assert " ".join(rows[0].split()) == point
    assert done.out.count("10 hours cannot support 0.1 per hour") == 2


def test_curves_are_mentioned_where_there_are_some(capsys: Capture, installed: Path) -> None:
    assert "thresholds each" not in run(capsys, "models", "show", "low").out
    points = {"low tone": replace(operating_points("low tone"), curve=measured_curve())}
    write_tiny_bundle(
        installed / "low", tiny_metadata("low", ["low tone"], operating_points=points)
    )
    assert "1 of 1 words, up to 6 thresholds each" in run(capsys, "models", "show", "low").out
    (record,) = run(capsys, "models", "show", "low", "--json").records
    assert record["metadata"]["curves"]["low tone"]["alarms"] == [40, 20, 2, 1, 0, 0]


def test_show_as_json_is_all_there_is(capsys: Capture, installed: Path) -> None:
    (record,) = run(capsys, "models", "show", "both", "--json").records
    assert record["card"].startswith("# Tones")
    assert BundleMetadata.from_dict(record["metadata"]) == Bundle.load(installed / "both").metadata


def test_show_takes_a_folder_too(capsys: Capture, installed: Path) -> None:
    by_name, by_path = (run(capsys, "models", "show", n) for n in ("low", installed / "low"))
    assert by_name == by_path


def test_a_damaged_bundle_is_said_and_the_others_listed(capsys: Capture, installed: Path) -> None:
    (installed / "both" / "model.onnx").write_bytes(b"x")
    done = run(capsys, "models")
    assert done.code == 2 and "low" in done.out and "Traceback" not in done.err
    assert str(installed / "both") in done.err and "damaged" in done.err


def test_points_without_clips(capsys: Capture, installed: Path) -> None:
    path = installed / "low" / "metadata.json"
    table = json.loads(path.read_text())
    for point in table["operating_points"]["low tone"]:
        point.update(frr=None, frr_low=None, frr_high=None, clips=0)
    path.write_text(json.dumps(table))
    done = run(capsys, "models", "show", "low")
    assert done.code == 0 and "  -       0      tone bursts" in done.out


def test_nothing_installed(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "model_folders", list)
    done = run(capsys, "models")
    assert done.code == 0 and done.out == "" and "WAKEWORD_MODELS" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "alexa"], "installed models: both, low; words: low tone, high tone"),
        (["show"], "NAME"),
        (["--json", "show", "low"], "show NAME --json"),
        (["hide"], "hide"),
    ],
)
def test_wrong_usage(capsys: Capture, installed: Path, arguments: list[str], message: str) -> None:
    done = run(capsys, "models", *arguments)
    assert done.code == 2 and done.out == "" and message in done.err
