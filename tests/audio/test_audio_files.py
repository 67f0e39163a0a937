"""Files and standard input: every container, and everything that can be wrong with one."""

from __future__ import annotations

import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sound_files import FORMATS, LOSSLESS, chirp, write

from wakeword.audio import files
from wakeword.audio.files import RawFormat, open_audio, read_audio, read_blocks
from wakeword.audio.resample import resample
from wakeword.errors import AudioError, MissingExtraError, SampleRateError


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    short = path.with_name(f"short_{path.name}")
    short.write_bytes(data[: int(len(data) * share)])
    return short


@pytest.mark.parametrize(
    ("kind", "channels"),
    [(kind, n) for kind in FORMATS for n in (1, 2, 6) if kind != "mp3" or n <= 2],
)
@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_every_format_gives_its_rate_and_its_sound(tmp_path, kind, rate, channels):
    mono = chirp(rate)
    gains = np.linspace(0.5, 1.0, channels) if channels > 1 else np.ones(1)
    path = write(tmp_path / f"a.{kind}", np.outer(mono, gains), rate, kind)
    with open_audio(path) as audio:
        assert (audio.info.sample_rate, audio.info.channels) == (rate, channels)
        assert audio.info.samples == len(mono)
        assert audio.info.duration_s == 2.0
        read = np.concatenate(list(audio.blocks()))
    wanted = mono * gains.mean()
    assert read.dtype == np.float32
    assert len(read) == len(mono)
    if kind in LOSSLESS:
        np.testing.assert_allclose(read, wanted, atol=2**-15)
    else:
        middle = slice(rate // 4, -rate // 4)
        assert np.corrcoef(read[middle], wanted[middle])[0, 1] > 0.98
    at_16k = read_audio(path)
    np.testing.assert_allclose(at_16k, resample(read, rate), atol=1e-6)
    assert len(at_16k) == 32_000


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "opus", "mp3"])
@pytest.mark.parametrize("block", [160, 4_096])
def test_block_size_does_not_matter(tmp_path, monkeypatch, kind, block):
    """Also at 8 kHz mp3, where soundfile's seek after every block would change the sound."""
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 80_000).astype(np.float32)
    path = write(tmp_path / f"a.{kind}", noise, 8_000, kind)
    whole = read_audio(path)
    monkeypatch.setattr(files, "BLOCK_SAMPLES", block)
    np.testing.assert_allclose(read_audio(path), whole, atol=1e-6)


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "opus", "mp3"])
def test_a_file_that_was_cut_is_an_error_not_a_short_recording(tmp_path, kind):
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 480_000).astype(np.float32)
    short = cut(write(tmp_path / f"a.{kind}", noise, 48_000, kind), 0.6)
    with pytest.raises(AudioError, match=f"short_a.{kind}: .*cut short"):
        read_audio(short)


def test_blocks_before_the_cut_are_still_heard(tmp_path):
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 480_000).astype(np.float32)
    short = cut(write(tmp_path / "a.flac", noise, 16_000, "flac"), 0.6)
    heard = []
    with pytest.raises(AudioError, match=r"after sample 2.* of 480000"):
        heard.extend(read_blocks(short))
    heard_samples = np.concatenate(heard)
    assert len(heard_samples) > 150_000
    np.testing.assert_allclose(heard_samples, noise[: len(heard_samples)], atol=2**-15)


def test_three_samples_are_three_samples(tmp_path):
    for kind in ("wav", "flac"):
        path = write(tmp_path / f"a.{kind}", np.array([0.5, -0.5, 0.25]), 16_000, kind)
        assert read_audio(path).tolist() == [0.5, -0.5, 0.25]


@pytest.mark.parametrize("rate", [3_999, 400_000])
def test_a_header_with_an_impossible_rate_is_refused(tmp_path, rate):
    path = write(tmp_path / "a.wav", chirp(16_000), rate, "wav")
    with pytest.raises(SampleRateError, match=f"{rate} Hz, but it must be between"):
        read_audio(path)


def test_non_finite_float_wav_names_the_file_and_the_sample(tmp_path):
    samples = chirp(16_000)
    samples[30_001], samples[30_005] = np.nan, np.inf
    path = write(tmp_path / "a.wav", samples, 16_000, "wav", subtype="FLOAT")
    with pytest.raises(AudioError, match=r"a.wav: 2 NaN or infinite .* first at sample 30001"):
        read_audio(path)


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_files_without_sound_are_refused(tmp_path, rate):
    (tmp_path / "empty.wav").touch()
    with pytest.raises(AudioError, match=r"empty.wav: is empty"):
        read_audio(tmp_path / "empty.wav")
    for kind in ("wav", "aiff"):
        path = write(tmp_path / f"none.{kind}", np.zeros(0), rate, kind)
        with pytest.raises(AudioError, match=f"none.{kind}: holds no samples"):
            read_audio(path)


def test_text_named_wav_directories_and_missing_files_are_refused(tmp_path):
    (tmp_path / "text.wav").write_text("computer\n" * 100)
    with pytest.raises(AudioError, match=r"text.wav: not audio that can be read"):
        read_audio(tmp_path / "text.wav")
    with pytest.raises(AudioError, match=r"cannot read .*: Is a directory"):
        read_audio(tmp_path)
    with pytest.raises(AudioError, match=r"cannot read .*gone.wav: No such file"):
        read_audio(tmp_path / "gone.wav")


def test_raw_pcm_needs_a_declared_rate(tmp_path):
    path = tmp_path / "a.raw"
    (chirp(8_000) * 32767).astype("<i2").tofile(path)
    with pytest.raises(SampleRateError, match=r"a.raw: raw PCM has no rate"):
        read_audio(path)
    assert len(read_audio(path, raw=RawFormat(8_000))) == 32_000
    np.testing.assert_allclose(read_audio(path, 8_000, RawFormat(8_000)), chirp(8_000), atol=1e-4)


def test_declarations_that_contradict_the_file_are_refused(tmp_path):
    wav = write(tmp_path / "a.wav", chirp(16_000), 16_000, "wav")
    with pytest.raises(SampleRateError, match="header says 16000 Hz, but 48000 Hz were declared"):
        read_audio(wav, raw=RawFormat(48_000))
    assert len(read_audio(wav, raw=RawFormat(16_000))) == 32_000
    flac = write(tmp_path / "a.flac", chirp(16_000), 16_000, "flac")
    with pytest.raises(AudioError, match="declared as raw PCM, but it is a flac file"):
        read_audio(flac, raw=RawFormat(16_000))
    with pytest.raises(SampleRateError, match="is 10 Hz"):
        RawFormat(10)
    with pytest.raises(AudioError, match="channels = 65"):
        RawFormat(16_000, channels=65)


def test_mp3_without_a_length_header_is_whole_or_an_error(tmp_path):
    """libsndfile stops where it guessed the end to be; that must not pass in silence."""
    loudness = np.repeat(np.random.default_rng(1).uniform(0, 0.3, 20), 44_100)
    noise = np.random.default_rng(0).standard_normal(len(loudness)) * loudness
    path = write(tmp_path / "a.mp3", noise, 44_100, "mp3", bitrate_mode="VARIABLE")
    assert len(read_audio(path, 44_100)) == len(noise)
    data = path.read_bytes()
    assert data.find(b"Xing") == 21
    second_frame = data.find(b"\xff\xfb", 30)
    path.write_bytes(data[second_frame:])
    with pytest.raises(AudioError, match="the mp3 has no usable length header"):
        read_audio(path)


def test_an_mp3_with_tags_at_both_ends_is_whole(tmp_path):
    path = write(tmp_path / "a.mp3", chirp(16_000), 16_000, "mp3")
    tag = b"ID3\x03\x00\x00" + bytes([0, 0, 8, 0]) + bytes(1024)
    path.write_bytes(tag + path.read_bytes() + b"TAG" + bytes(125))
    assert len(read_audio(path)) == 32_000


def test_without_soundfile_wav_works_and_flac_says_what_to_install(tmp_path, monkeypatch):
    wav = write(tmp_path / "a.wav", chirp(16_000), 16_000, "wav")
    flac = write(tmp_path / "a.flac", chirp(16_000), 16_000, "flac")
    monkeypatch.setitem(sys.modules, "soundfile", None)
    assert len(read_audio(wav)) == 32_000
    with pytest.raises(MissingExtraError, match=r"pip install 'wakeword\[cli\]'"):
        read_audio(flac)


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_an_hour_takes_bounded_memory(tmp_path, kind):
    path = tmp_path / f"hour.{kind}"
    with soundfile.SoundFile(path, "w", 16_000, 2, **FORMATS[kind]) as out:
        for _ in range(60):
            out.write(np.zeros((16_000 * 60, 2), np.int16))
    tracemalloc.start()
    try:
        total = sum(len(block) for block in read_blocks(path))
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 16_000 * 3600
    assert peak_bytes < 8e6


@pytest.mark.shared
def test_real_recordings_are_read_whole(shared_data):
    paths = sorted((shared_data / "wakewords").rglob("*.opus"))[:25]
    assert paths
    for path in paths:
        samples = read_audio(path)
        assert len(samples) / 16_000 == pytest.approx(soundfile.info(path).duration, abs=1e-3)
        assert 0.001 < np.abs(samples).max() < 2.0
