"""Synthetic recordings: who speaks in which split, what is drawn, what is made and gone on with."""

from __future__ import annotations

import stat
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from synthesisers import needs_espeak, skip_without

from wakeword.audio.flac_file import write_flac
from wakeword.data.align import align_word
from wakeword.data.manifest import read_manifest
from wakeword.data.synthesis.commands import run
from wakeword.data.synthesis.engines import MARGIN_S, PEAK, synthesise
from wakeword.data.synthesis.recordings import make_recordings
from wakeword.data.synthesis.takes import NEAR_MISSES, WORDS, Take, plan_takes
from wakeword.data.synthesis.voices import Engine, Voice, installed_voices, split_of
from wakeword.errors import AudioError, ConfigError, SynthesisError

RATE = 16_000
PEOPLE = [Voice("flite", n, n) for n in ("awb", "slt")] + [Voice("festival", "slt_hts", "slt")]
FORMULAS = [
    Voice("espeak-ng", f"{accent}+{variant}", f"espeak-{variant}")
    for accent in ("en-us", "en-gb")
    for variant in ("f1", "f2", "m1", "m2", "m3")
]


def test_a_speaker_is_in_one_split_and_both_kinds_are_in_both() -> None:
    split = split_of([*PEOPLE, *FORMULAS])
    assert set(split) == {v.speaker for v in (*PEOPLE, *FORMULAS)}
    for voices in (PEOPLE, FORMULAS):
        assert {split[v.speaker] for v in voices} == {"train", "dev"}
    assert split == split_of([*reversed(FORMULAS), *reversed(PEOPLE)])


def test_takes_follow_from_seed_and_text_alone() -> None:
    voices = [*PEOPLE, *FORMULAS]
    takes = plan_takes(["alpha", "beta"], WORDS, voices, 20, 1)
    assert takes == plan_takes(["alpha", "beta"], WORDS, voices, 20, 1)
    assert takes[20:] == plan_takes(["beta"], WORDS, voices, 20, 1)
    assert takes != plan_takes(["alpha", "beta"], WORDS, voices, 20, 2)
    assert len({t.path for t in takes}) == 40
    assert {t.path.parts[:2] for t in takes} == {(WORDS, "alpha"), (WORDS, "beta")}


def test_every_speaker_speaks_before_one_speaks_again() -> None:
    takes = plan_takes(["alpha"], WORDS, [*PEOPLE, *FORMULAS], 20, 1)
    people = Counter(t.voice.speaker for t in takes if t.voice.recorded)
    formulas = Counter(t.voice.speaker for t in takes if not t.voice.recorded)
    assert people == {"awb": 3, "slt": 3}, "three tenths are by people"
    assert set(formulas.values()) <= {2, 3} and len(formulas) == 5
    assert {t.voice.name for t in takes if t.voice.speaker == "slt"} == {"slt", "slt_hts"}
    for voices, count in ((PEOPLE, 7), (FORMULAS, 7)):
        assert len(plan_takes(["alpha"], WORDS, voices, count, 1)) == count


@pytest.mark.parametrize(("pace", "pitch"), [(0.4, 0.0), (2.1, 0.0), (1.0, 1.5), (np.nan, 0.0)])
def test_impossible_takes_are_refused(pace: float, pitch: float) -> None:
    with pytest.raises(ConfigError, match=r"must be in \[0.5, 2\]"):
        Take("alpha", WORDS, FORMULAS[0], pace, pitch)


@pytest.mark.synthesiser
@pytest.mark.parametrize("engine", ["espeak-ng", "flite", "festival"])
def test_a_voice_of_every_engine_says_a_word(engine: Engine) -> None:
    """Pace and length go together, silence is around it, and training finds the word."""
    skip_without(engine)
    voice = installed_voices([engine])[-1]
    lengths = []
    for pace in (0.75, 1.0, 1.35):
        said = synthesise(Take("computer", WORDS, voice, pace, 0.3, "!"))
        margin = round(MARGIN_S * RATE)
        assert not said[:margin].any() and not said[-margin:].any()
        assert np.abs(said).max() == pytest.approx(PEAK)
        found = align_word(said, RATE)
        assert found is not None and 0.2 < found.seconds < 1.3
        lengths.append(len(said))
    assert lengths[0] > lengths[1] > lengths[2]


@needs_espeak
def test_the_voices_of_espeak_are_those_it_lists() -> None:
    voices = installed_voices(["espeak-ng"])
    names = {v.name for v in voices}
    assert {"en-us", "en-gb", "en-us+f2", "en-gb+m3"} <= names
    assert len({v.speaker for v in voices}) > 40
    assert not [n for n in names if "obo" in n or "whisper" in n or "\n" in n]
    assert {v.speaker for v in voices if v.name.endswith("+f2")} == {"espeak-f2"}
    quick = "".join(run("espeak-ng", ["-q", "-v", name, "-x"], "one") for name in sorted(names)[:5])
    assert quick.strip(), "names that espeak-ng lists are names that it takes"


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_what_is_missing_or_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SynthesisError, match="none of espeak-ng, flite, festival"):
        installed_voices()
    with pytest.raises(SynthesisError, match="flite: no program of this name"):
        installed_voices(["flite"])
    with pytest.raises(SynthesisError, match="espeak-ng is not installed"):
        run("espeak-ng", ["-q"])
    program(tmp_path, "flite", "echo 'Voices available: gibberish'")
    with pytest.raises(SynthesisError, match="no voice that speaks English"):
        installed_voices()
    program(tmp_path, "flite", "echo broken >&2; exit 3")
    with pytest.raises(SynthesisError, match="ended with 3: broken"):
        run("flite", ["-lv"])
    program(tmp_path, "flite", "exec /bin/sleep 30")
    with pytest.raises(SynthesisError, match=r"took over 0\.2 s"):
        run("flite", ["-lv"], timeout_s=0.2)
    program(tmp_path, "flite", "exit 0")
    with pytest.raises(SynthesisError, match="said nothing of 'alpha'"):
        synthesise(Take("alpha", WORDS, PEOPLE[0], 1.0, 0.0))


@needs_espeak
def test_recordings_are_listed_and_an_interrupted_call_is_repeated(tmp_path: Path) -> None:
    takes = plan_takes(["alpha", "beta wave"], WORDS, FORMULAS, 6, 1)
    takes += plan_takes(["beta cave"], NEAR_MISSES, FORMULAS, 3, 1)
    split = split_of(FORMULAS)

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_recordings(tmp_path, takes, split, stop)
    assert not (tmp_path / "manifest.csv").exists()
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.flac")}
    made = make_recordings(tmp_path, takes, split)
    assert len(made.seconds) == 15 and made.failed == () and made.reused == len(before) >= 1
    assert all(p.stat().st_mtime_ns == at for p, at in before.items())
    manifest = read_manifest(tmp_path / "manifest.csv")
    assert Counter((r.corpus, r.text) for r in manifest) == {
        (WORDS, "alpha"): 6, (WORDS, "beta wave"): 6, (NEAR_MISSES, "beta cave"): 3
    }  # fmt: skip
    for recording in manifest:
        assert recording.split == split[recording.speaker]
        assert abs(soundfile.info(recording.path).duration - recording.seconds) < 1e-3


@needs_espeak
def test_a_damaged_recording_is_made_again(tmp_path: Path) -> None:
    takes = plan_takes(["alpha"], WORDS, FORMULAS, 2, 1)
    make_recordings(tmp_path, takes, split_of(FORMULAS))
    whole = {p: p.read_bytes() for p in tmp_path.rglob("*.flac")}
    for path, data in whole.items():
        path.write_bytes(data[: len(data) // 2])
    make_recordings(tmp_path, takes, split_of(FORMULAS))
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.flac")} == whole


def test_many_failures_are_an_error_and_write_no_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    takes = plan_takes(["alpha"], WORDS, FORMULAS, 4, 1)
    with pytest.raises(SynthesisError, match="4 of 4 takes failed, the first: espeak-ng is not"):
        make_recordings(tmp_path / "out", takes, split_of(FORMULAS))
    assert not (tmp_path / "out" / "manifest.csv").exists()


def test_flac_is_sample_for_sample_what_was_written(tmp_path: Path) -> None:
    ramp = (np.arange(-32_768, 32_768, 37) / 32_768).astype(np.float32)
    write_flac(tmp_path / "ramp.flac", ramp, RATE)
    read, rate = soundfile.read(tmp_path / "ramp.flac", dtype="float32")
    assert rate == RATE and np.array_equal(read, ramp)
    with pytest.raises(AudioError, match="at -1 Hz"):
        write_flac(tmp_path / "wrong.flac", ramp, -1)
    assert not (tmp_path / "wrong.flac").exists()
