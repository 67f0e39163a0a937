"""Synthetic recordings in a folder, with a manifest: made once, gone on with after a break."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from wakeword.audio.files import read_audio
from wakeword.audio.flac_file import write_flac
from wakeword.audio.resample import MODEL_RATE
from wakeword.data.corpus import Progress
from wakeword.data.manifest import COLUMNS
from wakeword.data.synthesis.engines import Samples, synthesise
from wakeword.data.synthesis.takes import NEAR_MISSES, WORDS, Take
from wakeword.errors import AudioError, SynthesisError
from wakeword.files import atomic_write

MANIFEST_FILE = "manifest.csv"
MOST_FAILED = 0.05
"""More failures than this share of all takes are no accident."""


@dataclass(frozen=True)
class Made:
    """What is in the folder now.

    seconds
        Of each take that could be made.
    failed
        Why a take could not be made, one message each.
    reused
        So many of them had been made before.
    """

    seconds: dict[Take, float]
    failed: tuple[str, ...]
    reused: int


def is_ours(name: str) -> bool:
    """Whether something in the folder is part of synthetic recordings."""
    return name in (MANIFEST_FILE, WORDS, NEAR_MISSES)


def make_recordings(
    folder: Path, takes: Sequence[Take], split: Mapping[str, str], progress: Progress | None = None
) -> Made:
    """Say every take into ``folder`` and list them in its manifest.

    What is there already is kept, so that an interrupted call is simply repeated.

    Parameters
    ----------
    split
        Split of each speaker.
    progress
        Called with the number of takes made since the last call.

    Raises
    ------
    SynthesisError
        More than one take in twenty failed: the message says why. No manifest is written.
    OSError
        As from any writing.
    """
    unique = list({take.path: take for take in takes}.values())
    for parent in {folder / take.path.parent for take in unique}:
        parent.mkdir(parents=True, exist_ok=True)
    seconds: dict[Take, float] = {}
    failed: list[str] = []
    reused = 0
    for take, (length_s, why, was_there) in zip(unique, _made(folder, unique), strict=True):
        if why:
            failed.append(why)
        else:
            seconds[take] = length_s
        reused += was_there
        if progress is not None:
            progress(1)
    if len(failed) > MOST_FAILED * len(unique):
        raise SynthesisError(f"{len(failed)} of {len(unique)} takes failed, the first: {failed[0]}")
    _write_manifest(folder, seconds, split)
    return Made(seconds, tuple(failed), reused)


def _made(folder: Path, takes: Sequence[Take]) -> Iterator[tuple[float, str, bool]]:
    def make(take: Take) -> tuple[float, str, bool]:
        path = folder / take.path
        there = _length_s(path)
        if there is not None:
            return there, "", True
        try:
            samples: Samples = synthesise(take)
        except SynthesisError as error:
            return 0.0, str(error), False
        write_flac(path, samples, MODEL_RATE)
        return len(samples) / MODEL_RATE, "", False

    yield from _in_threads(make, takes)


def _in_threads(
    work: Callable[[Take], tuple[float, str, bool]], takes: Sequence[Take]
) -> Iterator[tuple[float, str, bool]]:
    """The synthesisers are processes of their own: threads keep all cores busy."""
    with ThreadPoolExecutor() as pool:
        try:
            yield from pool.map(work, takes)
        except BaseException:  # Ctrl-C must not wait for thousands of takes
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _length_s(path: Path) -> float | None:
    """Length of a recording that an earlier call made; None where it has to be made."""
    if not path.exists():
        return None
    try:
        return len(read_audio(path, MODEL_RATE)) / MODEL_RATE
    except AudioError:
        return None


def _write_manifest(folder: Path, seconds: Mapping[Take, float], split: Mapping[str, str]) -> None:
    with atomic_write(folder / MANIFEST_FILE) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for take, length_s in seconds.items():
            speaker = take.voice.speaker
            table.writerow(
                [take.path, take.corpus, take.text, speaker, split[speaker], "", "",
                 f"{length_s:.3f}"]
            )  # fmt: skip
