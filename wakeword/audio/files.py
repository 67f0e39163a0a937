"""Audio from files and standard input as mono float32 blocks, in bounded memory.

wav and raw PCM are read from anything that can be read, pipes included; all else goes through
libsndfile and needs a file. The rate comes from the header or is declared, never guessed.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import BinaryIO, TextIO, cast

import numpy as np

from wakeword.audio.codecs import CodecFile
from wakeword.audio.pcm import BYTES_PER_SAMPLE, Encoding, PcmDecoder, Samples, to_mono_float32
from wakeword.audio.resample import MODEL_RATE, Resampler, check_rate
from wakeword.audio.wav import read_wav_header
from wakeword.errors import AudioError, SampleRateError

Source = str | os.PathLike[str]
"""A path, or ``-`` for standard input."""

BLOCK_SAMPLES = 65_536
_SNIFF_BYTES = 12
_COMPRESSED = {b"fLaC": "flac", b"OggS": "ogg", b"ID3": "mp3", b"FORM": "aiff", b"caff": "caf"}


@dataclass(frozen=True)
class RawFormat:
    """Declared format of audio without a header.

    Raises
    ------
    SampleRateError, AudioError
        Impossible values.
    """

    sample_rate: int
    encoding: Encoding = "s16le"
    channels: int = 1

    def __post_init__(self) -> None:
        check_rate(self.sample_rate)
        PcmDecoder(self.encoding, self.channels)


@dataclass(frozen=True)
class AudioInfo:
    """What is known before the first sample is decoded.

    samples: per channel, as the header declares; ``None`` where it does not know.
    """

    name: str
    sample_rate: int
    channels: int
    encoding: str
    samples: int | None

    def __post_init__(self) -> None:
        check_rate(self.sample_rate)

    @property
    def duration_s(self) -> float | None:
        """Length in seconds, where it is known beforehand."""
        return None if self.samples is None else self.samples / self.sample_rate


class AudioReader:
    """An open recording: :attr:`info`, and its blocks, once."""

    def __init__(self, info: AudioInfo, blocks: Iterator[Samples]) -> None:
        self.info = info
        self._blocks = blocks

    def blocks(self, rate: int | None = None) -> Generator[Samples]:
        """Yield blocks (n,) float32 mono of any length, at ``rate`` Hz (None: the recording's own).

        Raises
        ------
        AudioError
            The recording is damaged, cut short, empty, or holds NaN; blocks before the fault
            have been yielded by then.
        """
        resampler = Resampler(self.info.sample_rate, rate or self.info.sample_rate)
        heard = False
        with _named(self.info.name):
            for block in self._blocks:
                heard = heard or len(block) > 0
                yield resampler.process(block)
            if not heard:
                raise AudioError("holds no samples")
        yield resampler.process(np.zeros(0, np.float32), last=True)


@contextmanager
def open_audio(source: Source, raw: RawFormat | None = None) -> Iterator[AudioReader]:
    """Open a recording for reading block by block.

    Parameters
    ----------
    source
        Path of a wav, flac, ogg (Vorbis, Opus), mp3, aiff, ... file, or ``-`` for wav or raw
        PCM on standard input. wav and raw PCM may also come from a named pipe.
    raw
        Format of audio that has no header. A wav header takes precedence, and a rate that
        contradicts it is an error.

    Raises
    ------
    AudioError
        The source cannot be opened, is empty, or is not audio.
    SampleRateError
        The rate is missing, impossible, or declared differently from the header.
    MissingExtraError
        The file needs libsndfile and soundfile is not installed.
    """
    name = "standard input" if source == "-" else os.fspath(source)
    with _opened(source, name) as file:
        with _named(name):
            reader = _reader(file, name, raw)
        yield reader


def read_blocks(
    source: Source, rate: int = MODEL_RATE, raw: RawFormat | None = None
) -> Iterator[Samples]:
    """Yield a recording as mono float32 blocks (n,) at ``rate`` Hz; see :func:`open_audio`."""
    with open_audio(source, raw) as audio:
        yield from audio.blocks(rate)


def read_audio(source: Source, rate: int = MODEL_RATE, raw: RawFormat | None = None) -> Samples:
    """Return a whole recording, mono float32 (n,) at ``rate`` Hz; see :func:`open_audio`."""
    return np.concatenate(list(read_blocks(source, rate, raw)))


def _reader(file: io.BufferedReader, name: str, raw: RawFormat | None) -> AudioReader:
    head = file.read(_SNIFF_BYTES)
    if not head:
        raise AudioError("is empty")
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return _wav_reader(file, name, raw)
    if raw is not None:
        return _raw_reader(file, head, name, raw)
    return _codec_reader(file, name)


def _wav_reader(file: io.BufferedReader, name: str, raw: RawFormat | None) -> AudioReader:
    header = read_wav_header(cast(BinaryIO, file))
    if raw is not None and raw.sample_rate != header.sample_rate:
        raise SampleRateError(
            f"the header says {header.sample_rate} Hz, but {raw.sample_rate} Hz were declared"
        )
    if header.encoding is None:
        if not file.seekable():
            raise AudioError(
                f"wav with compressed samples (format {header.format_tag:#06x}) can be read "
                "from a file only, not from a pipe"
            )
        return _codec_reader(file, name)
    decoder = PcmDecoder(header.encoding, header.channels)
    data_bytes = header.data_bytes
    samples = None if data_bytes is None else data_bytes // decoder.bytes_per_frame
    info = AudioInfo(name, header.sample_rate, header.channels, f"wav {header.encoding}", samples)
    return AudioReader(info, _pcm_blocks(file, b"", decoder, data_bytes))


def _raw_reader(file: io.BufferedReader, head: bytes, name: str, raw: RawFormat) -> AudioReader:
    for magic, kind in _COMPRESSED.items():
        if head.startswith(magic):
            raise AudioError(f"declared as raw PCM, but it is a {kind} file")
    info = AudioInfo(name, raw.sample_rate, raw.channels, raw.encoding, None)
    decoder = PcmDecoder(raw.encoding, raw.channels)
    return AudioReader(info, _pcm_blocks(file, head, decoder, None))


def _codec_reader(file: io.BufferedReader, name: str) -> AudioReader:
    if not file.seekable():
        raise SampleRateError(
            "no wav header found, and raw PCM has no rate of its own: declare it (--rate); "
            "flac, ogg and mp3 can be read from files only"
        )
    if os.path.splitext(name)[1].lower() in (".raw", ".pcm"):
        raise SampleRateError("raw PCM has no rate of its own: declare it (--rate)")
    codec = CodecFile(cast(BinaryIO, file))
    info = AudioInfo(name, codec.sample_rate, codec.channels, codec.encoding, codec.samples)
    return AudioReader(info, _mixed(codec))


def _mixed(codec: CodecFile) -> Iterator[Samples]:
    done = 0
    with closing(codec):
        for block in codec.blocks(BLOCK_SAMPLES):
            yield to_mono_float32(block, first_sample=done)
            done += len(block)


def _pcm_blocks(
    file: io.BufferedReader, head: bytes, decoder: PcmDecoder, declared: int | None
) -> Iterator[Samples]:
    """Decode ``declared`` bytes (None: all there are) as they arrive, never waiting for more."""
    left = sys.maxsize if declared is None else declared
    done = 0
    while data := head or file.read1(min(left, BLOCK_SAMPLES * BYTES_PER_SAMPLE[decoder.encoding])):
        head = b""
        left -= len(data)
        block = decoder.decode(data)
        done += len(block)
        yield block
    if declared is not None and left > 0:
        raise AudioError(
            f"cut short: the header declares {declared // decoder.bytes_per_frame} samples, "
            f"{done} are there"
        )
    decoder.finish()


@contextmanager
def _opened(source: Source, name: str) -> Iterator[io.BufferedReader]:
    if source == "-":
        stdin: TextIO | None = sys.stdin
        if stdin is None or stdin.isatty():
            raise AudioError("standard input is a terminal; pipe or redirect audio into it")
        yield cast(io.BufferedReader, stdin.buffer)
        return
    try:
        file = open(source, "rb")  # noqa: SIM115 - only opening may be renamed as an AudioError
    except OSError as error:
        raise AudioError(f"cannot read {name}: {error.strerror or error}") from error
    with file:
        yield file


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Let errors of the decoders begin with the name of the recording."""
    try:
        yield
    except AudioError as error:
        raise type(error)(f"{name}: {error}") from error
