"""``wakeword evaluate --listen``: one page of all errors; refused early where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from inprocess import Done, run
from listening_pages import data_of
from tone_manifest import ToneManifest, tone_manifest


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ToneManifest:
    return tone_manifest(tmp_path_factory.mktemp("recordings"))


def evaluate(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Done:
    return run(capsys, "evaluate", *arguments, "--noise-corpus", "noise", "--snr", "-15",
               "--no-babble")  # fmt: skip


def test_the_page_is_written_and_what_did_not_fit_is_said(
    capsys: pytest.CaptureFixture[str], tiny_bundle: Path, made: ToneManifest, tmp_path: Path
) -> None:
    page = tmp_path / "errors.html"
    page.write_text("an older page")
    done = evaluate(capsys, tiny_bundle, "--manifest", made.path, "--listen", page,
                    "--listen-most", "2")  # fmt: skip
    assert done.code == 0, done.err
    values = data_of(page)
    misses = [e for e in values["events"] if e["basis"] == "shipped"]
    assert len(misses) == 2 and {e["condition"] for e in misses} == {"noise at -15 dB SNR"}
    left_out = values["left_out"]["misses, noise at -15 dB SNR (shipped thresholds)"]
    assert f"as less wrong: {left_out} misses, noise at -15 dB SNR" in done.err
    assert f"errors written to {page}" in done.err
    assert values["about"]["target_fa_per_hour"] == 0.5 and values["about"]["seed"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["errors.html"]


@pytest.mark.parametrize(
    ("name", "says"), [("", "it is a folder"), ("no/where/errors.html", "there is no folder")]
)
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_scored(
    capsys: pytest.CaptureFixture[str],
    tiny_bundle: Path,
    made: ToneManifest,
    tmp_path: Path,
    name: str,
    says: str,
) -> None:
    done = evaluate(capsys, tiny_bundle, "--manifest", made.path, "--listen", tmp_path / name)
    assert done.code == 2 and done.out == "" and says in done.err
    assert done.err.count("error: ") == 1 and list(tmp_path.iterdir()) == []


def test_the_errors_of_one_model_at_a_time(
    capsys: pytest.CaptureFixture[str], tiny_bundle: Path, made: ToneManifest, tmp_path: Path
) -> None:
    done = evaluate(capsys, tiny_bundle, "seven", "--manifest", made.path,
                    "--listen", tmp_path / "errors.html")  # fmt: skip
    assert done.code == 2 and "--listen is for one MODEL, not 2" in done.err


def test_no_error_at_all_cannot_be_asked_for(
    capsys: pytest.CaptureFixture[str], tiny_bundle: Path, made: ToneManifest, tmp_path: Path
) -> None:
    done = evaluate(capsys, tiny_bundle, "--manifest", made.path, "--listen",
                    tmp_path / "errors.html", "--listen-most", "0")  # fmt: skip
    assert done.code == 2 and "--listen-most" in done.err
