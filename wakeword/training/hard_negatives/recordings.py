"""Which recordings are mined: those of folders, files and manifests, without the words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wakeword.data.manifest import Recording, read_manifest
from wakeword.errors import ManifestError

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".caf")
"""What is taken for audio in a folder; a file that is named may end in anything."""
CORPUS = "mined"
"""Corpus of what no manifest lists."""


@dataclass(frozen=True)
class Audio:
    """What there is to mine.

    saying
        So many recordings were left out because their transcripts hold a word.
    warnings
        Of the manifests.
    """

    recordings: tuple[Recording, ...]
    saying: int
    warnings: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        """Length of everything; None where files are not listed with theirs."""
        total = sum(r.seconds for r in self.recordings)
        return None if math.isnan(total) else total


def find_audio(paths: Sequence[Path], words: Sequence[str], split: str) -> Audio:
    """Recordings of folders (with what is below them), audio files and manifests (``.csv``).

    Parameters
    ----------
    words
        Recordings whose transcript holds one of them are left out: a hit there is none.
    split
        The split of a manifest that is taken; what no manifest lists is said to be of it.

    Raises
    ------
    ManifestError
        A manifest is refused, a path does not exist, or there is nothing left to mine.
    """
    found: dict[Path, Recording] = {}
    warnings: list[str] = []
    saying = 0
    for path in paths:
        if path.suffix.lower() == ".csv":
            manifest = read_manifest(path)
            warnings += manifest.warnings
            of_split = manifest.where(lambda r: r.split == split)
            wanted = [r for r in of_split if not any(r.says(w) for w in words)]
            saying += len(of_split) - len(wanted)
        else:
            wanted = [_unlisted(file, split) for file in _files(path)]
        for recording in wanted:
            found.setdefault(recording.path.resolve(), recording)
    if not found:
        said = f", {saying} hold a word" if saying else ""
        raise ManifestError(f"there is no recording to mine of the split '{split}'{said}")
    return Audio(tuple(found.values()), saying, tuple(warnings))


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not path.is_file():
        raise ManifestError(f"{path}: there is no such file or folder")
    return [path]


def _unlisted(path: Path, split: str) -> Recording:
    return Recording(path, CORPUS, "", "", split, math.nan, math.nan, math.nan)
