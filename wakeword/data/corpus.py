"""All recordings of a manifest in memory, decoded once and cached as 16 bit samples."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wakeword.audio.files import read_audio
from wakeword.data.manifest import Recording
from wakeword.errors import ManifestError
from wakeword.files import atomic_write

Progress = Callable[[float], None]
CACHES_KEPT = 4
"""Sets of recordings whose samples a cache holds, those used last: hours of them are gigabytes."""


@dataclass(frozen=True)
class Corpus:
    """Recordings, and their mono int16 samples at ``sample_rate`` Hz back to back in one array."""

    recordings: tuple[Recording, ...]
    offsets: NDArray[np.int64]
    samples: NDArray[np.int16]
    sample_rate: int

    def __len__(self) -> int:
        return len(self.recordings)

    def audio(self, index: int) -> NDArray[np.float32]:
        """Samples (n,) float32 in [-1, 1] of recording ``index``."""
        piece = self.samples[self.offsets[index] : self.offsets[index + 1]]
        return piece.astype(np.float32) / np.float32(32768.0)

    def subset(self, keep: Callable[[Recording], bool]) -> list[int]:
        """Indices of the recordings for which ``keep`` is true."""
        return [i for i, r in enumerate(self.recordings) if keep(r)]

    @property
    def hours(self) -> float:
        """Hours of audio in all."""
        return len(self.samples) / self.sample_rate / 3600


def load_corpus(
    recordings: Sequence[Recording],
    sample_rate: int,
    cache: Path,
    progress: Progress | None = None,
) -> Corpus:
    """Decode ``recordings`` to mono at a rate, or load what an earlier call left in ``cache``.

    The cache is keyed by rate, path, size and time of change of every file, so a changed recording
    is decoded again; so is everything where the cache is damaged. Beyond ``CACHES_KEPT`` sets of
    recordings, the one that was used longest ago goes.

    Raises
    ------
    ManifestError
        There are no recordings.
    AudioError
        A recording cannot be read.
    """
    if not recordings:
        raise ManifestError("there are no recordings to load: is the split the right one?")
    key = hashlib.sha256()
    for r in recordings:
        stat = r.path.stat()
        key.update(f"{r.path.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    path = cache / f"audio-{sample_rate}-{key.hexdigest()[:16]}.npz"
    stored = _load(path)
    if stored is None:
        cache.mkdir(parents=True, exist_ok=True)
        pieces = _decode_all(recordings, sample_rate, progress)
        offsets = np.cumsum([0] + [len(p) for p in pieces], dtype=np.int64)
        stored = offsets, np.concatenate(pieces)
        with atomic_write(path, "wb") as file:
            np.savez(file, offsets=stored[0], samples=stored[1])
        _forget_oldest(cache)
    with suppress(OSError):  # a cache that may only be read is used all the same
        os.utime(path)
    return Corpus(tuple(recordings), *stored, sample_rate)


def _load(path: Path) -> tuple[NDArray[np.int64], NDArray[np.int16]] | None:
    """Offsets and samples of a cache, or None where it is missing or damaged."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            return stored["offsets"], stored["samples"]
    except (FileNotFoundError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        return None


def _forget_oldest(cache: Path) -> None:
    with suppress(OSError):  # another run may just read it, or forget it too: the next one will
        used = sorted(cache.glob("audio-*.npz"), key=lambda path: path.stat().st_mtime_ns)
        for path in used[:-CACHES_KEPT]:
            path.unlink()


def _decode_all(
    recordings: Sequence[Recording], sample_rate: int, progress: Progress | None
) -> list[NDArray[np.int16]]:
    def decode(recording: Recording) -> NDArray[np.int16]:
        audio = read_audio(recording.path, sample_rate)
        return np.asarray(np.clip(np.rint(audio * 32768.0), -32768, 32767), np.int16)

    pieces: list[NDArray[np.int16]] = []
    with ThreadPoolExecutor() as pool:
        try:
            for piece in pool.map(decode, recordings):
                pieces.append(piece)
                if progress:
                    progress(1)
        except BaseException:  # Ctrl-C must not wait for thousands of recordings
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return pieces
