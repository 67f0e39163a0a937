"""Manifests: CSV lists of recordings with what is said in them, by whom, and for which split."""

from __future__ import annotations

import csv
import hashlib
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wakeword.errors import ManifestError

COLUMNS = (
    "path",
    "corpus",
    "text",
    "speaker",
    "split",
    "word_start_s",
    "word_end_s",
    "seconds",
)
SPLITS = ("train", "dev", "test")
MAX_ROWS = 5_000_000


@dataclass(frozen=True)
class Recording:
    """One row of a manifest.

    ``text`` is the word or transcript, lower case; for noise its class; empty where unknown.
    ``word_start_s`` and ``word_end_s`` are NaN where the times are not known.
    """

    path: Path
    corpus: str
    text: str
    speaker: str
    split: str
    word_start_s: float
    word_end_s: float
    seconds: float

    def says(self, word: str) -> bool:
        """Whether the transcript holds ``word`` (may be several words) as whole words."""
        return re.search(rf"(?<![a-z']){re.escape(word)}(?![a-z])", self.text) is not None


@dataclass(frozen=True)
class Manifest:
    """All recordings of one manifest file, in its order.

    ``warnings`` says what was wrong with it but could be lived with, a sentence each.
    """

    path: Path
    recordings: tuple[Recording, ...]
    sha256: str
    warnings: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Recording]:
        return iter(self.recordings)

    def __len__(self) -> int:
        return len(self.recordings)

    def where(self, keep: Callable[[Recording], bool]) -> list[Recording]:
        """The recordings for which ``keep`` is true."""
        return [r for r in self.recordings if keep(r)]


def read_manifest(path: str | Path, *, check_files: bool = True) -> Manifest:
    """Read and check a manifest.

    Parameters
    ----------
    path
        CSV with the header ``path,corpus,text,speaker,split,word_start_s,word_end_s,seconds``
        (any order); file paths are relative to the manifest's folder.
    check_files
        Look whether each recording exists.

    Raises
    ------
    ManifestError
        Missing or unknown column, a bad value (with its line), a file that does not exist,
        a speaker who is in two splits of one corpus, no rows at all.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"manifest {path} cannot be read: {error}") from error
    rows = csv.DictReader(text.splitlines(), strict=True)
    _check_header(path, rows.fieldnames)
    recordings: list[Recording] = []
    warnings: list[str] = []
    try:
        for row in rows:
            if len(recordings) >= MAX_ROWS:
                raise ManifestError(f"manifest {path} has over {MAX_ROWS} rows")
            recordings.append(_parse(path, rows.line_num, row, warnings))
    except csv.Error as error:
        raise ManifestError(f"manifest {path}, line {rows.line_num}: {error}") from error
    if not recordings:
        raise ManifestError(f"manifest {path} lists no recordings")
    _check_speakers(path, recordings)
    if check_files:
        missing = [r.path for r in recordings if not r.path.is_file()]
        if missing:
            raise ManifestError(
                f"manifest {path}: {len(missing)} of {len(recordings)} files are missing, "
                f"the first is {missing[0]}"
            )
    return Manifest(path, tuple(recordings), hashlib.sha256(raw).hexdigest(), tuple(warnings))


def _check_header(path: Path, names: object) -> None:
    if not isinstance(names, list):
        raise ManifestError(f"manifest {path} is empty; its first line must be {','.join(COLUMNS)}")
    unknown = [n for n in names if n not in COLUMNS]
    missing = [n for n in COLUMNS if n not in names]
    if unknown or missing or len(set(names)) != len(names):
        what = f"unknown columns {unknown}" if unknown else f"missing columns {missing}"
        raise ManifestError(f"manifest {path}: {what}; the columns are {','.join(COLUMNS)}")


def _parse(path: Path, line: int, row: dict[str, str], warnings: list[str]) -> Recording:
    def bad(what: str) -> ManifestError:
        return ManifestError(f"manifest {path}, line {line}: {what}")

    if None in row or None in row.values():
        raise bad(f"has {sum(v is not None for v in row.values())} fields, not {len(COLUMNS)}")
    if row["split"] not in SPLITS:
        raise bad(f"split '{row['split']}' is not one of {', '.join(SPLITS)}")
    if not row["path"] or not row["corpus"]:
        raise bad("path and corpus must not be empty")
    try:
        seconds = float(row["seconds"])
    except ValueError:
        raise bad(f"seconds '{row['seconds']}' is not a number") from None
    if not 0.0 < seconds < math.inf:
        raise bad(f"seconds '{row['seconds']}' must be above 0")
    times = _word_times(row["word_start_s"], row["word_end_s"])
    if times is None:
        warnings.append(
            f"line {line}: word times '{row['word_start_s']}' to '{row['word_end_s']}' are not an "
            f"interval and are ignored"
        )
        times = (math.nan, math.nan)
    return Recording(
        path.parent / row["path"],
        row["corpus"],
        row["text"].strip().lower(),
        row["speaker"],
        row["split"],
        *times,
        seconds,
    )


def _word_times(start: str, end: str) -> tuple[float, float] | None:
    """Both times, NaN where not given (equal times mean "not in this recording"); None if bad."""
    if not start and not end:
        return (math.nan, math.nan)
    try:
        times = (float(start), float(end))
    except ValueError:
        return None
    if times[0] == times[1]:
        return (math.nan, math.nan)
    return times if 0.0 <= times[0] < times[1] < math.inf else None


def _check_speakers(path: Path, recordings: list[Recording]) -> None:
    """A known speaker may be in one split only: measuring on a trained voice proves nothing."""
    split_of: dict[tuple[str, str], str] = {}
    for r in recordings:
        known = r.speaker not in ("", "unknown")
        if known and split_of.setdefault((r.corpus, r.speaker), r.split) != r.split:
            raise ManifestError(
                f"manifest {path}: speaker '{r.speaker}' of {r.corpus} is in the splits "
                f"{split_of[(r.corpus, r.speaker)]} and {r.split}; speakers must be disjoint"
            )
