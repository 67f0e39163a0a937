"""``wakeword say``: a list to look through, recordings with a manifest, and what is refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from inprocess import run
from synthesisers import needs_espeak

from wakeword.data.manifest import read_manifest
from wakeword.data.synthesis.pronunciation import SYSTEM_WORDS


@needs_espeak
def test_from_a_list_that_was_edited_to_a_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, near, out = tmp_path / "text.txt", tmp_path / "near.txt", tmp_path / "synthetic"
    text.write_text("commuter composer kitten banana")
    listed = run(capsys, "say", "Computer", "hey kitchen", "--list", "--vocabulary", text)
    assert listed.code == 0
    assert "commuter\t" in listed.out and "hey kitten\t" in listed.out
    kept = [line for line in listed.out.splitlines() if not line.startswith("composer")]
    near.write_text("\n".join([*kept, "added by hand"]))
    options = ("--takes", "3", "--near-list", near, "--near-takes", "2", "--engine", "espeak-ng")
    made = run(capsys, "say", "computer", "hey kitchen", "--out", out, *options)
    assert made.code == 0, made.err
    assert made.out.strip() == str(out / "manifest.csv")
    manifest = read_manifest(out / "manifest.csv")
    counts = Counter((r.corpus, r.text) for r in manifest)
    assert counts["synthetic", "computer"] == counts["synthetic", "hey kitchen"] == 3
    assert counts["synthetic-near-miss", "commuter"] == 2
    assert counts["synthetic-near-miss", "added by hand"] == 2
    assert ("synthetic-near-miss", "composer") not in counts
    again = run(capsys, "say", "computer", "hey kitchen", "--out", out, *options)
    assert f"{len(manifest)} of them were there already" in again.err


@needs_espeak
def test_words_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "words"
    done = run(capsys, "say", "alpha", "--takes", "2", "--near-takes", "0", "--out", out)
    assert done.code == 0, done.err
    assert [p.name for p in out.iterdir() if p.is_dir()] == ["synthetic"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["alpha"], "name a folder with --out"),
        (["al$(pha)", "--list"], "'al$(pha)' must be words"),
        (["alpha", "--list", "--vocabulary", "none.txt"], "none.txt cannot be read"),
        (["alpha", "--out", "out", "--near-list", "none.txt"], "none.txt cannot be read"),
        (["alpha", "--out", "."], "it holds files that are not part of synthetic recordings"),
        (["alpha", "--out", "out", "--takes", "-1"], "--takes"),
        (["alpha", "--out", "out", "--engine", "hal"], "--engine"),
        ([], "WORD"),
    ],
)
def test_what_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.doc").touch()
    done = run(capsys, "say", *arguments)
    assert done.code == 2 and says in done.err
    assert [p.name for p in tmp_path.iterdir()] == ["mine.doc"]


def test_without_synthesisers_the_error_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run(capsys, "say", "alpha", "--near-takes", "0", "--out", tmp_path / "out")
    assert done.code == 2 and "none of espeak-ng, flite, festival is installed" in done.err
    assert not (tmp_path / "out").exists()


def test_without_a_list_of_words_one_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "wakeword.data.synthesis.pronunciation.SYSTEM_WORDS", tmp_path / SYSTEM_WORDS.name
    )
    done = run(capsys, "say", "alpha", "--list")
    assert done.code == 2 and "--vocabulary" in done.err
