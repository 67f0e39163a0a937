"""Standard input and pipes: audio without a length, as it arrives."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
from sound_files import chirp, write
from synthesisers import needs_sox

from wakeword.audio.files import read_audio

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


@needs_sox
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
