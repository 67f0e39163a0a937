"""What a mining run has scored so far: a line a segment, so that a stopped run goes on."""

from __future__ import annotations

import base64
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from wakeword.data.manifest import Recording
from wakeword.errors import ConfigError
from wakeword.files import atomic_write, parse_json, sync_folder
from wakeword.runtime import Bundle
from wakeword.training.hard_negatives.found import FLOOR, Peak
from wakeword.training.hard_negatives.segments import Cut, Segment
from wakeword.training.hard_negatives.sounds import BANDS, CELLS

JOURNAL_FILE = "scored.jsonl"
VERSION = 1


def run_key(bundle: Bundle, words: Sequence[str], cut: Cut) -> dict[str, Any]:
    """What must be equal for a run to be gone on with."""
    return {
        "version": VERSION,
        "model": bundle.sha256,
        "smoother_steps": bundle.metadata.smoother.steps,
        "words": sorted(words),
        "floor": FLOOR,
        "segment": cut.segment,
        "lead": cut.lead,
    }


class Journal:
    """The lines of one run in ``folder``, read at the start, written on as segments are scored.

    A recording that has changed since (size or time) is scored anew.

    Raises
    ------
    ConfigError
        The journal is of another model or other words, or is damaged before its last line.
    """

    def __init__(self, folder: Path, key: Mapping[str, Any]) -> None:
        self._path = folder / JOURNAL_FILE
        self._done: dict[tuple[str, str], dict[int, list[Peak]]] = {}
        self._ended: set[tuple[str, str]] = set()
        self._samples: Counter[tuple[str, str]] = Counter()
        if self._path.exists():
            self._read(key)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            with atomic_write(self._path) as file:
                file.write(json.dumps(key) + "\n")
            sync_folder(folder)
        self._file: IO[str] = open(self._path, "a", encoding="utf-8")  # noqa: SIM115 - closed below

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def done(self, recording: Recording) -> frozenset[int]:
        """Numbers of the segments of a recording that were scored."""
        return frozenset(self._done.get(_name(recording.path), {}))

    def ended(self, recording: Recording) -> bool:
        """Whether all of a recording was scored."""
        return _name(recording.path) in self._ended

    def add(self, segment: Segment, peaks: Sequence[Peak]) -> None:
        """Write down what was found in a segment, before anything else is done with it."""
        path, state = name = _name(segment.recording.path)
        line = {
            "path": path,
            "state": state,
            "segment": segment.number,
            "last": segment.last,
            "samples": segment.length,
            "peaks": [[p.word, p.score, p.end, _encode(p)] for p in peaks],
        }
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()
        self._remember(name, segment.number, segment.last, list(peaks))
        self._samples[name] += segment.length

    def scored_samples(self, recording: Recording) -> int:
        """How much of a recording was scored."""
        return self._samples[_name(recording.path)]

    def peaks(self, recordings: Sequence[Recording]) -> Iterator[Peak]:
        """All peaks of these recordings, in their order, under the paths that they have here."""
        for recording in recordings:
            found = self._done.get(_name(recording.path), {})
            for number in sorted(found):
                yield from (replace(peak, path=recording.path) for peak in found[number])

    def _remember(self, name: tuple[str, str], number: int, last: bool, peaks: list[Peak]) -> None:
        self._done.setdefault(name, {})[number] = peaks
        if last:
            self._ended.add(name)

    def _read(self, key: Mapping[str, Any]) -> None:
        data = self._path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]  # a kill in mid-line leaves the rest of it
        lines = whole.decode("utf-8", "replace").splitlines()
        try:
            stated = parse_json(lines[0]) if lines else None
            if stated != dict(key):
                raise ConfigError(
                    f"{self._path} is of another model, other words or another version; name "
                    "another folder, or remove it"
                )
            for line in lines[1:]:
                self._take(parse_json(line))
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise ConfigError(f"{self._path} is damaged: {error}; remove it") from error
        if len(whole) < len(data):
            os.truncate(self._path, len(whole))

    def _take(self, line: dict[str, Any]) -> None:
        path = Path(line["path"])
        peaks = [
            Peak(path, str(word), float(score), int(end), _decode(sound))
            for word, score, end, sound in line["peaks"]
        ]
        name = (str(line["path"]), str(line["state"]))
        self._remember(name, int(line["segment"]), bool(line["last"]), peaks)
        self._samples[name] += int(line["samples"])


def _name(path: Path) -> tuple[str, str]:
    """A recording and the state of its file."""
    stat = path.stat()
    return str(path.resolve()), f"{stat.st_size} {stat.st_mtime_ns}"


def _encode(peak: Peak) -> str:
    return base64.b64encode(peak.sound.tobytes()).decode("ascii")


def _decode(text: str) -> np.ndarray[Any, np.dtype[np.int8]]:
    sound = np.frombuffer(base64.b64decode(text, validate=True), np.int8)
    if len(sound) != CELLS * BANDS:
        raise ValueError(f"a sound of {len(sound)} cells, not {CELLS * BANDS}")
    return sound
