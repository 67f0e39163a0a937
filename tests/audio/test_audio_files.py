"""Files and standard input: every container, and everything that can be wrong with one."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wakeword.audio import files
from wakeword.audio.files import RawFormat, open_audio, read_audio, read_blocks
from wakeword.audio.resample import resample
from wakeword.audio.wav import write_wav
from wakeword.errors import AudioError, MissingExtraError, SampleRateError

FORMATS = {
    "wav": {"format": "WAV", "subtype": "PCM_16"},
    "flac": {"format": "FLAC", "subtype": "PCM_16"},
    "ogg": {"format": "OGG", "subtype": "VORBIS"},
    "opus": {"format": "OGG", "subtype": "OPUS"},
    "mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III"},
    "aiff": {"format": "AIFF", "subtype": "PCM_16"},
}
LOSSLESS = {"wav", "flac", "aiff"}


def chirp(rate: int, seconds: float = 2.0) -> np.ndarray:
    t = np.arange(int(rate * seconds)) / rate
    return (0.4 * np.sin(2 * np.pi * (200 * t + 300 * t**2))).astype(np.float32)


def write(path: Path, samples: np.ndarray, rate: int, kind: str, **more: object) -> Path:
    soundfile.write(path, samples, rate, **{**FORMATS[kind], **more})
    return path


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


READ_STDIN = """
import sys
from wakeword.audio.files import RawFormat, open_audio
from wakeword.errors import WakewordError
raw = RawFormat(int(sys.argv[1]), *sys.argv[2:3]) if sys.argv[1:] else None
try:
    with open_audio("-", raw) as audio:
        total = 0
        for block in audio.blocks():
            total += len(block)
            print("at", total, flush=True)
        print(audio.info.sample_rate, audio.info.encoding, total)
except WakewordError as error:
    print(type(error).__name__, error)
"""


def read_stdin(data: bytes, *arguments: object) -> str:
    done = subprocess.run([sys.executable, "-c", READ_STDIN, *map(str, arguments)], input=data,
                          capture_output=True, check=True)  # fmt: skip
    return done.stdout.decode().splitlines()[-1]


def test_standard_input_takes_wav_and_raw(tmp_path):
    wav = write(tmp_path / "a.wav", chirp(48_000), 48_000, "wav").read_bytes()
    flac = write(tmp_path / "a.flac", chirp(48_000), 48_000, "flac").read_bytes()
    assert read_stdin(wav) == "48000 wav s16le 96000"
    assert read_stdin(wav[44:], 48_000) == "48000 s16le 96000"
    assert read_stdin(bytes(400), 8_000, "f32le") == "8000 f32le 100"
    assert read_stdin(wav, 44_100).startswith("SampleRateError standard input: the header says")
    assert read_stdin(wav[44:]).startswith("SampleRateError standard input: no wav header")
    assert read_stdin(flac).startswith("SampleRateError standard input: no wav header")
    assert read_stdin(wav[:50_000]).startswith("AudioError standard input: cut short")
    assert read_stdin(wav[44:-1], 48_000).startswith("AudioError standard input: the audio ends")
    assert read_stdin(b"") == "AudioError standard input: is empty"


def test_sox_and_its_wrong_lengths_can_be_piped_in():
    sox = subprocess.run(
        ["sox", "-V1", "-n", "-r", "16000", "-c", "2", "-b", "24", "-t", "wav", "-", "synth", "1"],
        capture_output=True,
        check=True,
    )
    assert read_stdin(sox.stdout) == "16000 wav s24le 16000"


def test_live_input_is_handed_on_as_it_arrives():
    with subprocess.Popen([sys.executable, "-c", READ_STDIN, "16000"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as child:  # fmt: skip
        assert child.stdin and child.stdout
        child.stdin.write(bytes(3200))
        child.stdin.flush()
        lines = [child.stdout.readline(), child.stdout.readline()]
        assert lines[-1] == b"at 1600\n"
        child.stdin.close()
        assert child.stdout.readlines()[-1] == b"16000 s16le 1600\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes exist on POSIX only")
def test_a_named_pipe_is_read_like_standard_input(tmp_path):
    data = write(tmp_path / "a.wav", chirp(16_000), 16_000, "wav").read_bytes()
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(data,))
    writer.start()
    assert len(read_audio(tmp_path / "pipe")) == 32_000
    writer.join()


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


@pytest.mark.shared
def test_real_recordings_are_read_whole(shared_data):
    paths = sorted((shared_data / "wakewords").rglob("*.opus"))[:25]
    assert paths
    for path in paths:
        samples = read_audio(path)
        assert len(samples) / 16_000 == pytest.approx(soundfile.info(path).duration, abs=1e-3)
        assert 0.001 < np.abs(samples).max() < 2.0
