"""Manifests: CSV lists of recordings with what is said in them, by whom, and for which split."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

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
TIMES_SLACK_S = 0.1
"""Word times may end so far after the recording: both are rounded by whoever wrote them."""


@dataclass(frozen=True)
class Recording:
    """One row of a manifest.

    ``text`` is the word or transcript, lower case; for noise its class; empty where unknown.
    ``speaker`` is empty or ``unknown`` where nobody knows. ``word_start_s`` and ``word_end_s``
    are NaN where the times are not known.
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
        """Whether the transcript holds ``word`` (may be several words) as whole words.

        Punctuation, hyphens and quotes around and inside do not matter: "'smart-mirror's".
        """
        return self.times_said(word) > 0

    def times_said(self, word: str) -> int:
        """How often the transcript holds ``word``, as :meth:`says` understands it."""
        return len(_whole_words(word).findall(self.text))


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
        a recording or a speaker of one corpus that is in two splits, no rows at all.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"manifest {path} cannot be read: {error}") from error
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    recordings: list[Recording] = []
    warnings: list[str] = []
    try:
        _check_header(path, rows.fieldnames)
        for row in rows:
            if len(recordings) >= MAX_ROWS:
                raise ManifestError(f"manifest {path} has over {MAX_ROWS} rows")
            recordings.append(_parse(path, rows.line_num, row, warnings))
    except csv.Error as error:
        raise ManifestError(f"manifest {path}, line {rows.reader.line_num}: {error}") from error
    if not recordings:
        raise ManifestError(f"manifest {path} lists no recordings")
    _check_splits(path, recordings)
    if check_files:
        missing = [r.path for r in recordings if not r.path.is_file()]
        if missing:
            raise ManifestError(
                f"manifest {path}: {len(missing)} of {len(recordings)} files are missing, "
                f"the first is {missing[0]}"
            )
    return Manifest(path, tuple(recordings), hashlib.sha256(raw).hexdigest(), tuple(warnings))


def join_manifests(first: Manifest, others: Sequence[Manifest]) -> Manifest:
    """All recordings of several manifests, those of ``first`` first; alone, it is as it was.

    Raises
    ------
    ManifestError
        A recording, or a speaker of one corpus, is in two splits.
    """
    if not others:
        return first
    joined = [r for manifest in (first, *others) for r in manifest]
    _check_splits(first.path, joined)
    digest = hashlib.sha256("".join(m.sha256 for m in (first, *others)).encode())
    warnings = [w for manifest in (first, *others) for w in manifest.warnings]
    return Manifest(first.path, tuple(joined), digest.hexdigest(), tuple(warnings))


def _check_header(path: Path, names: object) -> None:
    if not isinstance(names, list):
        raise ManifestError(f"manifest {path} is empty; its first line must be {','.join(COLUMNS)}")
    unknown = [n for n in names if n not in COLUMNS]
    missing = [n for n in COLUMNS if n not in names]
    twice = sorted({n for n in names if names.count(n) > 1})
    for what, found in (("unknown", unknown), ("missing", missing), ("repeated", twice)):
        if found:
            raise ManifestError(
                f"manifest {path}: {what} columns {', '.join(map(repr, found))}; "
                f"the columns are {','.join(COLUMNS)}"
            )


def _parse(path: Path, line: int, row: dict[Any, Any], warnings: list[str]) -> Recording:
    def bad(what: str) -> ManifestError:
        return ManifestError(f"manifest {path}, line {line}: {what}")

    values = [v for k, v in row.items() if k is not None and v is not None]
    fields = len(values) + len(row.get(None) or ())  # DictReader's key of what is too much
    if fields != len(COLUMNS):
        raise bad(f"has {fields} fields, not {len(COLUMNS)}")
    if row["split"] not in SPLITS:
        raise bad(f"split '{row['split']}' is not one of {', '.join(SPLITS)}")
    if not row["path"] or not row["corpus"]:
        raise bad("path and corpus must not be empty")
    try:
        seconds = float(row["seconds"])
    except ValueError:
        raise bad(f"seconds '{row['seconds']}' is not a number") from None
    if not 0.0 < seconds < math.inf:
        raise bad(f"seconds '{row['seconds']}' must be above 0 and finite")
    times = _word_times(row["word_start_s"], row["word_end_s"], seconds)
    if times is None:
        warnings.append(
            f"line {line}: word times '{row['word_start_s']}' to '{row['word_end_s']}' are not an "
            f"interval of a recording of {seconds:g} s and are ignored"
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


def _word_times(start: str, end: str, seconds: float) -> tuple[float, float] | None:
    """Both times, NaN where not given (equal times mean "not in this recording"); None if bad."""
    if not start and not end:
        return (math.nan, math.nan)
    try:
        times = (float(start), float(end))
    except ValueError:
        return None
    if times[0] == times[1]:
        return (math.nan, math.nan)
    return times if 0.0 <= times[0] < times[1] <= seconds + TIMES_SLACK_S else None


@lru_cache(maxsize=1024)
def _whole_words(word: str) -> re.Pattern[str]:
    parts = r"[\W_]+".join(map(re.escape, word.split()))
    return re.compile(rf"(?<![^\W_]){parts}(?![^\W_])")


def _check_splits(path: Path, recordings: list[Recording]) -> None:
    """What was trained on proves nothing: no recording, and no known speaker, in two splits."""
    split_of: dict[tuple[str, ...], str] = {}
    for r in recordings:
        claims: dict[tuple[str, ...], str] = {("recording", str(r.path)): str(r.path)}
        if r.speaker.lower() not in ("", "unknown"):
            claims["speaker", r.corpus, r.speaker] = f"speaker '{r.speaker}' of {r.corpus}"
        for key, what in claims.items():
            if split_of.setdefault(key, r.split) != r.split:
                raise ManifestError(
                    f"manifest {path}: {what} is in the splits {split_of[key]} and {r.split}; "
                    f"they must be disjoint"
                )
