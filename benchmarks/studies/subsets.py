"""Manifests with only some of the training recordings of the words: nested, drawn by name."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Collection
from pathlib import Path

from wakeword.data.manifest import COLUMNS, Manifest, Recording
from wakeword.errors import ConfigError
from wakeword.files import atomic_write


def keywords(
    manifest: Manifest, words: Collection[str], without: Collection[str]
) -> list[Recording]:
    """The training clips of the words, but for those of the corpora ``without``."""
    return manifest.where(
        lambda r: r.split == "train" and r.text in words and r.corpus not in without
    )


def subset(
    manifest: Manifest, words: Collection[str], without: Collection[str], share: float, out: Path
) -> list[Recording]:
    """Write ``manifest`` with that share of each word's training clips; returns these.

    The clips of a smaller share are among those of a larger one. All clips of the corpora
    ``without`` (synthetic voices) go: they would stand in for recordings.

    Raises
    ------
    ConfigError
        The share is not above 0 and at most 1.
    """
    if not 0.0 < share <= 1.0:
        raise ConfigError(f"a share of {share:g} of the recordings; it must be above 0, at most 1")
    clips = keywords(manifest, words, without)
    kept: set[Path] = set()
    for word in words:
        mine = sorted((r for r in clips if r.text == word), key=_lot)
        kept |= {r.path for r in mine[: max(1, round(share * len(mine)))]}
    rows = [r for r in manifest if not _is_keyword(r, words) or r.path in kept]
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(out) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for r in rows:
            times = ("", "") if r.word_start_s != r.word_start_s else (r.word_start_s, r.word_end_s)
            path = r.path.resolve()
            table.writerow((path, r.corpus, r.text, r.speaker, r.split, *times, r.seconds))
    return [r for r in clips if r.path in kept]


def _is_keyword(recording: Recording, words: Collection[str]) -> bool:
    return recording.split == "train" and recording.text in words


def _lot(recording: Recording) -> tuple[int, str]:
    name = f"{recording.path.parent.name}/{recording.path.name}"
    return (zlib.crc32(name.encode()), name)
