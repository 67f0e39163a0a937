"""``wakeword evaluate`` on real files, from the outside."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from bundles import RATE
from processes import RunCli
from refusals import json_lines, refused
from tone_manifest import HIGH, LOW, ToneManifest, tone_manifest

from wakeword.runtime import Bundle

NOISE = ("--noise-corpus", "noise")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ToneManifest:
    return tone_manifest(tmp_path_factory.mktemp("recordings"))


def test_figures_by_word_and_condition(
    run_cli: RunCli, tiny_bundle: Path, made: ToneManifest
) -> None:
    """The bundle hears its tones in every clip, faint noise or none."""
    rows = json_lines(run_cli("evaluate", tiny_bundle, "--manifest", made.path, *NOISE,
                           "--snr", "20", "--json"))  # fmt: skip
    misses = {(r["word"], r["condition"], r["basis"]): r for r in rows if r["figure"] == "misses"}
    conditions = ("clean", "noise at 20 dB SNR", "babble at 20 dB SNR")
    assert set(misses) == {
        (w, c, b) for w in (LOW, HIGH) for c in conditions for b in ("chosen", "shipped")
    }
    for word in (LOW, HIGH):
        clean = misses[word, "clean", "shipped"]
        assert (clean["missed"], clean["clips"], clean["speakers"]) == (0, 4, 2)
        assert clean["threshold"] == 0.6
    alarms = [r for r in rows if r["figure"] == "false alarms" and r["basis"] == "shipped"]
    hours = {(r["word"], r["corpus"]): r["hours"] for r in alarms}
    assert hours[LOW, "talk"] == pytest.approx(8 * 3.0 / 3600)
    assert hours[LOW, "clips"] == pytest.approx(4 * 1.5 / 3600)
    assert hours[LOW, "noise"] == pytest.approx(3 * 4.0 / 3600)
    chosen = [r for r in rows if r["figure"] == "chosen thresholds"]
    assert [r["word"] for r in chosen] == [LOW, HIGH] and not any(r["supported"] for r in chosen)
    assert "these hours cannot support 0.5 per hour, which takes 6.0 h" in chosen[0]["statement"]


def test_text_and_report(
    run_cli: RunCli, tiny_bundle: Path, made: ToneManifest, tmp_path: Path
) -> None:
    out = tmp_path / "report"
    done = run_cli("evaluate", tiny_bundle, "--manifest", made.path, *NOISE, "--snr", "10",
                   "--no-babble", "--telephone", "--distance", "2", "--report", out,
                   "--seed", "4")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "over a telephone" in done.stdout and "over a telephone, 2 m" not in done.stdout
    assert "operating point that ships with the bundle" in done.stdout
    assert "| low tone" in done.stdout and "noise at 10 dB SNR" in done.stdout
    assert "Missed in simulated rooms" in done.stdout and "| 2 m" in done.stdout
    assert f"report written to {out}; open {out / 'index.html'}" in done.stderr
    tables = ("misses", "means", "groups", "false_alarms", "chosen_thresholds", "events",
              "curves", "mean_curves", "differences")  # fmt: skip
    own = ("by-word", "by-level", "by-speaker", "low-tone", "high-tone", "all-words")
    assert {p.name for p in out.iterdir()} == {
        "index.html", "report.json", *(f"{table}.csv" for table in tables),
        "frr-over-fa.png", "distance.png", "false-alarms.png", *(f"tiny-{n}.png" for n in own),
    } - {"tiny-by-speaker.png"}, "a picture of speakers although none has five clips"  # fmt: skip
    about = json.loads((out / "report.json").read_text("utf-8"))["about"]
    assert about["seed"] == 4 and about["split"] == "dev" and about["noise_corpora"] == ["noise"]
    assert about["models"][0]["sha256"] == Bundle.load(tiny_bundle).sha256
    assert about["manifest_sha256"] == hashlib.sha256(made.path.read_bytes()).hexdigest()


def test_several_models_are_compared_on_the_same_clips(
    run_cli: RunCli, tiny_bundle: Path, own_bundle: Path, made: ToneManifest, tmp_path: Path
) -> None:
    """A copy with a threshold that nothing reaches misses all that the first model hears."""
    metadata = json.loads((own_bundle / "metadata.json").read_text("utf-8"))
    for points in metadata["operating_points"].values():
        for point in points:
            point["threshold"] = 0.999_999
    (own_bundle / "metadata.json").write_text(json.dumps(metadata), "utf-8")
    given = ("evaluate", tiny_bundle, own_bundle, "--manifest", made.path, *NOISE, "--no-noise",
             "--no-babble")  # fmt: skip
    rows = json_lines(run_cli(*given, "--json"))
    labels = {str(tiny_bundle), str(own_bundle)}
    assert {r["model"] for r in rows if r["figure"] == "misses"} == labels
    found = {(r["basis"], r["word"]): r for r in rows if r["figure"] == "differences"}
    assert set(found) == {(b, w) for b in ("chosen", "shipped") for w in (LOW, HIGH, "all words")}
    deaf = found["shipped", "all words"]
    assert (deaf["first"], deaf["second"]) == (str(tiny_bundle), str(own_bundle))
    assert (deaf["first_frr"], deaf["second_frr"], deaf["difference_low"]) == (0.0, 1.0, 1.0)
    assert (deaf["clips"], deaf["speakers"], deaf["unknown"]) == (8, 2, 0)
    assert found["chosen", LOW]["difference"] == 0.0
    text = run_cli(*given)
    assert text.stdout.count("False alarms at 0.5") == 4
    assert f"Difference from {tiny_bundle}, bootstrap over speakers" in text.stdout


def test_rooms_can_be_left_out_of_a_report(
    run_cli: RunCli, tiny_bundle: Path, made: ToneManifest, tmp_path: Path
) -> None:
    done = run_cli("evaluate", tiny_bundle, "--manifest", made.path, "--no-rooms",
                   "--no-pictures", "--no-babble", "--report", tmp_path / "report")  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "report" / "index.html").read_text("utf-8")
    assert "<img" not in page and " m away" not in page and "clean" in page


def test_the_same_seed_gives_the_same_json_lines(
    run_cli: RunCli, tiny_bundle: Path, made: ToneManifest
) -> None:
    def run(seed: int) -> str:
        return run_cli("evaluate", tiny_bundle, "--manifest", made.path, *NOISE, "--snr", "-10",
                       "--json", "--seed", str(seed)).stdout  # fmt: skip

    assert run(1) == run(1)


def test_what_is_missing_is_noted_and_the_rest_measured(
    run_cli: RunCli, tiny_bundle: Path, tmp_path: Path
) -> None:
    made = tone_manifest(tmp_path, talks=2)
    made.rows = [r for r in made.rows if r["text"] != HIGH]
    made.add("unknown", np.zeros(RATE, np.float32), "", "talk")
    done = run_cli("evaluate", tiny_bundle, "--manifest", made.save(), "--json")
    rows = json_lines(done)
    assert {r["condition"] for r in rows if r["figure"] == "misses"} == {"clean"}
    assert "no clips of high tone" in done.stderr
    assert "no clips in noise" in done.stderr and "none are named" in done.stderr
    assert "babble of 6 talkers needs" in done.stderr
    assert "1 recordings (0 min) hold a word at an unknown time" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--manifest", "no.csv"], "no.csv"),
        ([], "--manifest"),
        (["--manifest", "{made}", "--split", "holdout"], "holdout"),
        (["--manifest", "{made}", "--snr", "nan"], "SNR"),
        (["--manifest", "{made}", "--target", "9"], "outside the range"),
        (["--manifest", "{made}", "--report", "{made}"], "it is a file"),
        (["--manifest", "{made}", "--distance", "99"], "a talker 99.0 m away"),
        (["--manifest", "{made}", "--seed", "-1"], "--seed"),
        (["{model}", "--manifest", "{made}"], "is given twice"),
        (["{model}", "--manifest", "{made}", "--listen", "x.html"], "is given twice"),
    ],
)
def test_bad_requests_to_evaluate_are_refused(
    run_cli: RunCli, tiny_bundle: Path, made: ToneManifest, arguments: list[str], says: str
) -> None:
    given = [a.format(made=made.path, model=tiny_bundle) for a in arguments]
    refused(run_cli("evaluate", tiny_bundle, *NOISE, *given), says)


def test_unknown_models_and_broken_manifests_are_refused(
    run_cli: RunCli, tiny_bundle: Path, tmp_path: Path
) -> None:
    made = tone_manifest(tmp_path / "recordings", clips=1, talks=1)
    refused(run_cli("evaluate", "nobody", "--manifest", made.path), "nobody")
    (made.folder / "talk-0.wav").unlink()
    refused(run_cli("evaluate", tiny_bundle, "--manifest", made.path), "talk-0.wav", "missing")
    (made.folder / "talk-0.wav").write_bytes(b"RIFF....WAVEno")
    refused(run_cli("evaluate", tiny_bundle, "--manifest", made.path), "talk-0.wav")
    with open(made.path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["path", "colour"])
    refused(run_cli("evaluate", tiny_bundle, "--manifest", made.path), "colour")


def test_a_folder_that_is_no_report_is_refused_before_scoring(
    run_cli: RunCli, tiny_bundle: Path, made: ToneManifest, tmp_path: Path
) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    done = run_cli("evaluate", tiny_bundle, "--manifest", made.path, "--report", tmp_path)
    refused(done, "thesis.tex")
    assert "scoring" not in done.stderr
