"""Wav files: every encoding, headers that lie, and writing them."""

from __future__ import annotations

import os
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sound_files import chirp, write

from wakeword.audio.files import open_audio, read_audio
from wakeword.audio.wav import write_wav
from wakeword.errors import AudioError, SampleRateError


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("container", ["WAV", "WAVEX"])
def test_wav_encodings_agree_with_libsndfile(tmp_path, subtype, container):
    path = tmp_path / "a.wav"
    stereo = np.stack([chirp(16_000), -0.5 * chirp(16_000)], axis=1)
    soundfile.write(path, stereo, 16_000, subtype, format=container)
    reference = soundfile.read(path, dtype="float64")[0].mean(axis=1)
    np.testing.assert_allclose(read_audio(path), reference, atol=1e-7)


@pytest.mark.parametrize("subtype", ["ULAW", "ALAW", "MS_ADPCM"])
def test_compressed_wav_is_read_from_files(tmp_path, subtype):
    path = tmp_path / "a.wav"
    soundfile.write(path, chirp(8_000), 8_000, subtype)
    assert np.corrcoef(read_audio(path, 8_000)[:16_000], chirp(8_000))[0, 1] > 0.99


@pytest.mark.parametrize("keep", [3, 11, 12, 18, 30, 43])
def test_a_wav_cut_inside_its_header_is_refused(tmp_path, keep):
    path = tmp_path / "a.wav"
    path.write_bytes(write(tmp_path / "b.wav", chirp(16_000), 16_000, "wav").read_bytes()[:keep])
    with pytest.raises(AudioError, match=r"a.wav: "):
        read_audio(path)


def test_a_wav_header_that_contradicts_itself_is_refused(tmp_path):
    path = write(tmp_path / "a.wav", chirp(16_000), 16_000, "wav")
    data = bytearray(path.read_bytes())
    data[32:34] = struct.pack("<H", 7)
    path.write_bytes(data)
    with pytest.raises(AudioError, match="1 channels of 16 bits are not 7 bytes"):
        read_audio(path)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.integers(0, 60), value=st.binary(min_size=1, max_size=4))
def test_a_damaged_wav_header_is_read_or_refused_never_a_crash(tmp_path, at, value):
    path = tmp_path / "a.wav"
    write_wav(path, chirp(16_000, 0.1), 16_000)
    data = bytearray(path.read_bytes())
    data[at : at + len(value)] = value
    path.write_bytes(data)
    try:
        samples = read_audio(path)
    except AudioError as error:
        assert str(error).startswith(str(path))
    else:
        assert np.isfinite(samples).all()


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 0x7FFFF000])
def test_wav_lengths_that_pipes_leave_mean_all_there_is(tmp_path, length):
    path = tmp_path / "a.wav"
    write_wav(path, chirp(16_000), 16_000)
    data = bytearray(path.read_bytes())
    data[40:44] = struct.pack("<I", length)
    path.write_bytes(data)
    with open_audio(path) as audio:
        assert audio.info.samples is None
        assert audio.info.duration_s is None
        assert sum(map(len, audio.blocks())) == 32_000


def test_chunks_around_the_samples_are_skipped(tmp_path):
    path = tmp_path / "a.wav"
    write_wav(path, chirp(16_000), 16_000)
    data = path.read_bytes()
    extra = struct.pack("<4sI", b"LIST", 7) + b"comment" + b"\0"
    path.write_bytes(data[:12] + extra + data[12:] + extra)
    assert len(read_audio(path)) == 32_000


def test_write_wav_is_exact_and_readable_by_others(tmp_path):
    path = tmp_path / "clip.wav"
    write_wav(path, np.array([0.0, 0.5, -1.0, 2.0], np.float32), 44_100)
    samples, rate = soundfile.read(path, dtype="int16")
    assert (samples.tolist(), rate) == ([0, 16384, -32768, 32767], 44_100)
    assert soundfile.info(path).subtype == "PCM_16"


def test_write_wav_leaves_the_old_file_when_the_disk_is_full(tmp_path, monkeypatch):
    path = tmp_path / "clip.wav"
    write_wav(path, chirp(16_000), 16_000)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_wav(path, chirp(16_000, 0.1), 16_000)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["clip.wav"]


def test_write_wav_refuses_what_is_no_mono_clip(tmp_path):
    with pytest.raises(AudioError, match=r"not \(2, 3\)"):
        write_wav(tmp_path / "a.wav", np.zeros((2, 3), np.float32), 16_000)
    with pytest.raises(SampleRateError):
        write_wav(tmp_path / "a.wav", np.zeros(3, np.float32), 0)
    assert not list(tmp_path.iterdir())
