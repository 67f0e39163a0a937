"""All recordings of a manifest in memory, decoded once and cached as 16 bit samples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wakeword.audio.files import read_audio
from wakeword.data.manifest import Recording
from wakeword.files import atomic_write

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Corpus:
    """Recordings with their samples, 16 kHz mono int16, back to back in one array."""

    recordings: tuple[Recording, ...]
    offsets: NDArray[np.int64]
    samples: NDArray[np.int16]

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
        return len(self.samples) / 16_000 / 3600


def load_corpus(
    recordings: Sequence[Recording], cache: Path, progress: Progress | None = None
) -> Corpus:
    """Decode ``recordings`` to 16 kHz mono, or map what an earlier call left in ``cache``.

    The cache is keyed by path, size and time of change of every file, so a changed recording
    is decoded again.
    """
    key = hashlib.sha256()
    for r in recordings:
        stat = r.path.stat()
        key.update(f"{r.path.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    path = cache / f"audio-{key.hexdigest()[:16]}.npz"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        pieces = _decode_all(recordings, progress)
        offsets = np.cumsum([0] + [len(p) for p in pieces])
        with atomic_write(path, "wb") as file:
            np.savez(file, offsets=offsets, samples=np.concatenate(pieces))
    with np.load(path, allow_pickle=False) as stored:
        return Corpus(tuple(recordings), stored["offsets"], stored["samples"])


def _decode_all(
    recordings: Sequence[Recording], progress: Progress | None
) -> list[NDArray[np.int16]]:
    def decode(recording: Recording) -> NDArray[np.int16]:
        audio = read_audio(recording.path)
        return np.asarray(np.clip(np.rint(audio * 32768.0), -32768, 32767), np.int16)

    pieces: list[NDArray[np.int16]] = []
    with ThreadPoolExecutor() as pool:
        for piece in pool.map(decode, recordings):
            pieces.append(piece)
            if progress:
                progress(1)
    return pieces
