"""Recordings in memory: decoded once, cached, decoded again where anything changed."""

from __future__ import annotations

import os
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from tiny_corpus import RATE, Samples, corpus_of, recording

from wakeword.data import corpus as corpus_module
from wakeword.data.corpus import CACHES_KEPT, load_corpus
from wakeword.data.manifest import Recording
from wakeword.errors import AudioError, ManifestError


def wav(path: Path, samples: Samples, rate: int = RATE) -> Recording:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((samples * 32_768.0).clip(-32_768, 32_767).astype("<i2").tobytes())
    return Recording(path, "c", "word", "s", "train", np.nan, np.nan, len(samples) / rate)


@pytest.fixture
def recordings(tmp_path: Path) -> list[Recording]:
    rng = np.random.default_rng(0)
    return [
        wav(tmp_path / f"{i}.wav", (0.1 * rng.standard_normal(n)).astype(np.float32))
        for i, n in enumerate((1600, 3200, 160))
    ]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Grows by each file that is really decoded."""
    calls: list[Path] = []
    real = corpus_module.read_audio

    def read_audio(path: Path, rate: int) -> Samples:
        calls.append(path)
        time.sleep(0.002)  # tiny files decode too quickly for a busy machine to interrupt
        return np.asarray(real(path, rate))

    monkeypatch.setattr(corpus_module, "read_audio", read_audio)
    return calls


def test_every_recording_is_there_sample_for_sample(
    recordings: list[Recording], tmp_path: Path
) -> None:
    told: list[float] = []
    corpus = load_corpus(recordings, RATE, tmp_path / "cache", told.append)
    assert len(corpus) == 3 and corpus.recordings == tuple(recordings) and told == [1, 1, 1]
    for i, r in enumerate(recordings):
        with wave.open(str(r.path)) as file:
            raw = np.frombuffer(file.readframes(10_000), "<i2")
        assert corpus.audio(i).dtype == np.float32
        assert np.array_equal(corpus.audio(i) * 32_768.0, raw)
    assert corpus.hours == pytest.approx(4960 / 16_000 / 3600)
    assert corpus.subset(lambda r: r.seconds > 0.05) == [0, 1]


def test_other_rates_are_resampled(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 440.0 * np.arange(8000) / 8000).astype(np.float32) / 2
    corpus = load_corpus([wav(tmp_path / "a.wav", tone, 8000)], RATE, tmp_path / "cache")
    assert len(corpus.audio(0)) == RATE


def test_the_rate_is_part_of_the_cache(recordings: list[Recording], tmp_path: Path) -> None:
    whole, half = (load_corpus(recordings, r, tmp_path / "cache") for r in (RATE, RATE // 2))
    assert (whole.sample_rate, half.sample_rate) == (RATE, RATE // 2)
    assert len(half.samples) == len(whole.samples) // 2
    assert half.hours == pytest.approx(whole.hours)
    again = load_corpus(recordings, RATE // 2, tmp_path / "cache")
    assert np.array_equal(again.samples, half.samples)


def test_full_scale_does_not_wrap_round() -> None:
    loud = np.array([1.0, -1.0, 0.99999, 2.0], np.float32)
    assert corpus_of([(recording("x"), loud)]).audio(0) == pytest.approx(
        [32_767 / 32_768, -1.0, 32_767 / 32_768, 32_767 / 32_768]
    )


def test_a_second_call_decodes_nothing(
    recordings: list[Recording], tmp_path: Path, decoded: list[Path]
) -> None:
    first = load_corpus(recordings, RATE, tmp_path / "cache")
    assert len(decoded) == 3
    second = load_corpus(recordings, RATE, tmp_path / "cache")
    assert len(decoded) == 3 and np.array_equal(first.samples, second.samples)
    assert np.array_equal(first.offsets, second.offsets)


def test_a_recording_that_changed_is_decoded_again(
    recordings: list[Recording], tmp_path: Path, decoded: list[Path]
) -> None:
    load_corpus(recordings, RATE, tmp_path / "cache")
    wav(recordings[1].path, np.full(3200, 0.5, np.float32))
    os.utime(recordings[1].path, ns=(1, 1))
    assert load_corpus(recordings, RATE, tmp_path / "cache").audio(1) == pytest.approx(0.5)
    assert len(decoded) == 6


def test_the_cache_keeps_the_sets_that_were_used_last(
    tmp_path: Path, decoded: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(1, 100))
    monkeypatch.setattr(os, "utime", lambda path, real=os.utime: real(path, (t := next(now), t)))
    sets = [[wav(tmp_path / f"{i}.wav", np.zeros(160, np.float32))] for i in range(CACHES_KEPT + 1)]
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "notes.txt").write_text("not ours")
    for recordings in sets[:CACHES_KEPT]:
        load_corpus(recordings, RATE, cache)
    load_corpus(sets[0], RATE, cache)  # used again: now the second is the oldest
    load_corpus(sets[-1], RATE, cache)
    assert len(list(cache.glob("audio-*.npz"))) == CACHES_KEPT
    assert (cache / "notes.txt").read_text() == "not ours"
    before = len(decoded)
    load_corpus(sets[0], RATE, cache)
    assert len(decoded) == before, "the one that was used again was forgotten"
    load_corpus(sets[1], RATE, cache)
    assert len(decoded) == before + 1, "the one used longest ago was kept"


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 and no more", b"\x93NUMPY"])
def test_a_damaged_cache_is_made_again(
    recordings: list[Recording], tmp_path: Path, damage: bytes
) -> None:
    whole = load_corpus(recordings, RATE, tmp_path / "cache")
    (cache,) = (tmp_path / "cache").iterdir()
    cache.write_bytes(damage or cache.read_bytes()[:-500])
    assert np.array_equal(load_corpus(recordings, RATE, tmp_path / "cache").samples, whole.samples)


def test_no_recordings_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no recordings"):
        load_corpus([], RATE, tmp_path)


def test_a_recording_that_cannot_be_read_is_named_and_leaves_no_cache(
    recordings: list[Recording], tmp_path: Path
) -> None:
    recordings[1].path.write_text("this is no audio")
    with pytest.raises(AudioError, match=r"1\.wav"):
        load_corpus(recordings, RATE, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_ctrl_c_does_not_wait_for_all_the_others(
    recordings: list[Recording], tmp_path: Path, decoded: list[Path]
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_corpus(recordings * 2000, RATE, tmp_path / "cache", interrupt)
    assert len(decoded) < 3000
