"""Compressed and rarer files (flac, ogg/opus, mp3, aiff, ...) through libsndfile.

libsndfile hands out what it could decode and keeps quiet about the rest, so what a file
declares is compared with what came out, by a different means for each kind of file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import AudioError, MissingExtraError

_UNKNOWN_LENGTH = 2**62
_MP3_SLACK_SAMPLES = 2 * 1152
_MP3_SLACK_BYTES = 16_384
_OGG_PAGE_BYTES = 65_307
_OGG_HEADER_BYTES = 27


class CodecFile:
    """An open file that libsndfile decodes, read forward only.

    Parameters
    ----------
    file
        A seekable binary file of the operating system, at any position.

    Raises
    ------
    AudioError
        libsndfile cannot read it, or its end is missing.
    MissingExtraError
        soundfile is not installed.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        _check_ogg_end(file, self._size)
        self._sound = _open(file)
        # soundfile seeks after every read of a seekable file, which makes mp3 decoding depend
        # on the size of the blocks.
        self._sound.seekable = lambda: False
        self.sample_rate: int = self._sound.samplerate
        self.channels: int = self._sound.channels
        self.encoding: str = f"{self._sound.format} {self._sound.subtype}".lower()
        frames: int = self._sound.frames
        self.samples = frames if frames < _UNKNOWN_LENGTH else None

    def blocks(self, block_samples: int) -> Iterator[NDArray[np.float32]]:
        """Yield blocks (n, channels) float32 until the end."""
        decoded = 0
        while True:
            block = self._read(block_samples, decoded)
            if len(block) == 0:
                break
            decoded += len(block)
            yield block
        self._check_end(decoded)

    def close(self) -> None:
        """Close libsndfile's side; the file itself belongs to the caller."""
        self._sound.close()

    def _read(self, count: int, decoded: int) -> NDArray[np.float32]:
        import soundfile

        try:
            block: NDArray[np.float32] = self._sound.read(count, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise AudioError(
                f"the {self._sound.format.lower()} data is damaged or cut short after sample "
                f"{decoded} of {self.samples or 'an unknown number'}: {error.error_string}"
            ) from error
        return block

    def _check_end(self, decoded: int) -> None:
        mp3 = self._sound.format == "MP3"
        if decoded < (self.samples or 0) - (_MP3_SLACK_SAMPLES if mp3 else 0):
            raise AudioError(
                f"cut short: the header declares {self.samples} samples, the file holds {decoded}"
            )
        # Without a length header mpg123 guesses one from the first frame and stops there.
        left = self._size - os.lseek(self._file.fileno(), 0, os.SEEK_CUR)
        if mp3 and left > max(_MP3_SLACK_BYTES, self._size // 10):
            raise AudioError(
                f"decoding stopped after {decoded} samples with {left} of {self._size} bytes "
                "left: the mp3 has no usable length header; convert it to wav or flac"
            )


def _open(file: BinaryIO) -> Any:
    try:
        import soundfile
    except ImportError as error:
        raise MissingExtraError("soundfile", "cli", "reading this kind of audio file") from error
    except OSError as error:
        raise AudioError(f"libsndfile cannot be loaded: {error}") from error
    # A descriptor, not the file object: libsndfile would call back into Python for every read,
    # and a Ctrl-C that arrives in such a callback is lost. On Windows libsndfile has descriptors
    # of its own, so there it must be the object.
    file.seek(0)
    descriptor = file.fileno()
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        return soundfile.SoundFile(file if os.name == "nt" else descriptor, closefd=False)
    except soundfile.LibsndfileError as error:
        raise AudioError(f"not audio that can be read: {error.error_string}") from error


def _check_ogg_end(file: BinaryIO, size: int) -> None:
    """Refuse an ogg file that ends inside a page: libsndfile drops that page silently."""
    file.seek(0)
    if file.read(4) != b"OggS":
        return
    file.seek(max(0, size - _OGG_PAGE_BYTES))
    tail = file.read()
    last = tail.rfind(b"OggS")
    page = tail[last:]
    lacing = page[_OGG_HEADER_BYTES : _OGG_HEADER_BYTES + page[26]] if len(page) > 26 else b""
    if last >= 0 and (
        len(page) < _OGG_HEADER_BYTES + 1 or len(page) < _OGG_HEADER_BYTES + page[26] + sum(lacing)
    ):
        raise AudioError(f"cut short: the ogg file ends inside a page, at byte {size}")
