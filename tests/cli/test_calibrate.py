"""``wakeword calibrate`` on real files, from the outside."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles import RATE
from processes import RunCli, cli_command, cli_environment
from refusals import json_lines, refused
from tone_manifest import HIGH, LOW, SENTENCE, ToneManifest, tone_manifest

from wakeword.runtime import Bundle, write_metadata

NOISE = ("--noise-corpus", "noise")
ON_POSIX = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ToneManifest:
    return tone_manifest(tmp_path_factory.mktemp("recordings"))


def contents(folder: Path) -> dict[str, str]:
    """Checksum of every file below ``folder``."""
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file()
    }


def test_calibration_writes_a_new_bundle(
    run_cli: RunCli, tiny_bundle: Path, made: ToneManifest, tmp_path: Path
) -> None:
    before, out = contents(tiny_bundle), tmp_path / "models" / "new"
    done = run_cli("calibrate", tiny_bundle, "--manifest", made.path, *NOISE, "--out", out,
                   "--json")  # fmt: skip
    rows = json_lines(done)
    assert [(r["word"], r["target_fa_per_hour"]) for r in rows] == [
        (w, t) for w in (LOW, HIGH) for t in (0.1, 0.5, 1.0, 2.0)
    ]
    assert contents(tiny_bundle) == before
    new = Bundle.load(out)
    assert new.model == Bundle.load(tiny_bundle).model
    for row in rows:
        point = new.operating_point(row["word"], row["target_fa_per_hour"])
        assert (point.threshold, point.statement) == (row["threshold"], row["statement"])
        assert point.condition == "noise at 10 dB SNR" and point.clips == 4
        assert not point.supported and "cannot support" in point.statement
    assert new.card.startswith("# Tones") and "## Operating points" in new.card
    assert contents(out)["recipe.toml"] == before["recipe.toml"]


def test_calibration_in_place_replaces_its_own_section_of_the_card(
    run_cli: RunCli, own_bundle: Path, made: ToneManifest
) -> None:
    figure = own_bundle / "figures" / "curve.png"
    figure.parent.mkdir()
    figure.write_bytes(b"png")
    for targets in (("0.5",), ("0.5", "100")):
        options = [text for target in targets for text in ("--target", target)]
        done = run_cli("calibrate", own_bundle, "--manifest", made.path, *NOISE, "--in-place",
                       *options)  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "| low tone" in done.stdout and "cannot support 0.5" in done.stderr
        bundle = Bundle.load(own_bundle)
        assert bundle.operating_points(LOW).targets == tuple(map(float, targets))
        assert bundle.card.count("## Operating points") == 1
    assert figure.read_bytes() == b"png"
    assert [p.name for p in own_bundle.parent.iterdir() if p.name.startswith(".")] == []


def test_curves_alone_leave_thresholds_and_network_as_they_are(
    run_cli: RunCli, own_bundle: Path, made: ToneManifest
) -> None:
    again = ("calibrate", own_bundle, "--manifest", made.path, *NOISE, "--in-place")
    refused(run_cli(*again, "--curves"), "that was other audio")
    assert run_cli(*again).returncode == 0
    new = Bundle.load(own_bundle)
    for word in (LOW, HIGH):
        curve = new.operating_points(word).curve
        assert curve is not None and len(curve.alarms) > 3
    bare = {w: replace(new.operating_points(w), curve=None) for w in new.words}
    write_metadata(new, replace(new.metadata, operating_points=bare))
    before = contents(own_bundle)
    done = run_cli(*again, "--curves")
    assert done.returncode == 0 and "curves written" in done.stderr
    assert Bundle.load(own_bundle).metadata == new.metadata
    after = contents(own_bundle)
    assert {name for name in after if after[name] != before[name]} == {"metadata.json"}


def test_a_dry_run_changes_nothing(
    run_cli: RunCli, own_bundle: Path, made: ToneManifest
) -> None:
    before = contents(own_bundle)
    done = run_cli("calibrate", own_bundle, "--manifest", made.path, "--dry-run")
    assert done.returncode == 0 and "misses are measured in clean clips" in done.stderr
    assert contents(own_bundle) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--out DIR, --in-place and --dry-run"),
        (["--in-place", "--dry-run"], "--out DIR, --in-place and --dry-run"),
        (["--dry-run", "--curves", "--target", "0.5"], "give no --target"),
        (["--dry-run", "--target", "0"], "target of 0.0"),
        (["--dry-run", "--target", "nan", "--target", "0.5"], "target of nan"),
        (["--dry-run", "--target", "1"], "default of 0.5"),
        (["--in-place", "--split", "train"], "no negative audio"),
    ],
)
def test_bad_requests_to_calibrate_are_refused_and_change_nothing(
    run_cli: RunCli, own_bundle: Path, tmp_path: Path, arguments: list[str], says: str
) -> None:
    made = tone_manifest(tmp_path / "recordings", clips=1, talks=1)
    if "train" in arguments:
        made.rows = [dict(r, text=LOW, split="train") for r in made.rows[:1]]
        made.save()
    before = contents(own_bundle)
    refused(run_cli("calibrate", own_bundle, "--manifest", made.path, *arguments), says)
    assert contents(own_bundle) == before


@ON_POSIX
def test_ctrl_c_while_scoring_leaves_the_bundle_as_it_was(
    own_bundle: Path, tmp_path: Path
) -> None:
    """The same long recording, a hundred times: 33 hours take long enough to be interrupted."""
    made = tone_manifest(tmp_path / "recordings", clips=1, talks=1)
    rng = np.random.default_rng(2)
    long = (0.1 * rng.standard_normal(1_200 * RATE)).astype(np.float32)
    made.add("long", long, SENTENCE, "talk", speaker="x")
    made.rows += [made.rows[-1]] * 99
    before = contents(own_bundle)
    process = subprocess.Popen(
        cli_command("calibrate", own_bundle, "--manifest", made.save(), "--in-place"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=cli_environment(None),
    )
    time.sleep(2.5)
    assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130 and stdout == b"" and b"Traceback" not in stderr
    assert contents(own_bundle) == before
    assert [p.name for p in own_bundle.parent.iterdir() if p.name.startswith(".")] == []
