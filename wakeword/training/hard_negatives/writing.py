"""What mining leaves in its folder: a list, clips with a manifest, and pictures of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wakeword.audio.files import read_blocks
from wakeword.audio.flac_file import write_flac
from wakeword.data.corpus import Progress
from wakeword.data.manifest import COLUMNS, Recording
from wakeword.files import atomic_write, fresh_folder
from wakeword.training.hard_negatives.found import Chosen
from wakeword.training.hard_negatives.journal import JOURNAL_FILE
from wakeword.training.hard_negatives.segments import Samples

LIST_FILE, MANIFEST_FILE = "mined.jsonl", "manifest.csv"
CLIPS_FOLDER, SHEETS_FOLDER = "clips", "sheets"
BEFORE_S, AFTER_S = 2.0, 1.0
"""A clip holds this much before and after the end of the step with the peak."""


def is_ours(name: str) -> bool:
    """Whether something in the folder is of mining."""
    return name in (JOURNAL_FILE, LIST_FILE, MANIFEST_FILE, CLIPS_FOLDER, SHEETS_FOLDER)


@dataclass(frozen=True)
class Clip:
    """A mistake, its recording, and its sound as a file of its own.

    start, stop
        Samples of the recording that the file holds.
    """

    chosen: Chosen
    recording: Recording
    name: str
    start: int
    stop: int


def plan_clips(chosen: Sequence[Chosen], recordings: Sequence[Recording], rate: int) -> list[Clip]:
    """Names and stretches of the clips, in the order of ``chosen``."""
    by_path = {r.path: r for r in recordings}
    before, after = round(BEFORE_S * rate), round(AFTER_S * rate)
    return [
        Clip(
            c,
            by_path[c.peak.path],
            f"{number:05d}-{c.peak.word.replace(' ', '-')}.flac",
            max(0, c.peak.end - before),
            c.peak.end + after,
        )
        for number, c in enumerate(chosen, 1)
    ]


def write_list(folder: Path, clips: Sequence[Clip], rate: int, window_s: float) -> None:
    """Write ``mined.jsonl``: a line a mistake, the worst first."""
    with atomic_write(folder / LIST_FILE) as file:
        for clip in clips:
            peak, end_s = clip.chosen.peak, clip.chosen.peak.end / rate
            line = {
                "path": str(peak.path),
                "corpus": clip.recording.corpus,
                "word": peak.word,
                "score": peak.score,
                "start_s": round(max(0.0, end_s - window_s), 3),
                "end_s": round(end_s, 3),
                "cluster": clip.chosen.cluster,
                "cluster_size": clip.chosen.cluster_size,
                "clip": f"{CLIPS_FOLDER}/{clip.name}",
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def write_clips(
    folder: Path, clips: Sequence[Clip], rate: int, progress: Progress | None = None
) -> None:
    """Write each clip as FLAC, and the manifest that lists them.

    The manifest says of which corpus, speaker and split each is, and no text: nobody wrote down
    what is said there.

    Raises
    ------
    AudioError
        A recording cannot be read any more; the clips of an earlier call stay.
    """
    by_recording: dict[Path, list[Clip]] = {}
    for clip in clips:
        by_recording.setdefault(clip.recording.path, []).append(clip)
    seconds: dict[str, float] = {}
    with fresh_folder(folder / CLIPS_FOLDER) as fresh:
        for path, own in by_recording.items():
            spans = [(c.start, c.stop) for c in own]
            for clip, samples in zip(own, cut_out(read_blocks(path, rate), spans), strict=True):
                write_flac(fresh / clip.name, samples, rate)
                seconds[clip.name] = len(samples) / rate
            if progress is not None:
                progress(len(own))
    _write_manifest(folder, clips, seconds)


def cut_out(blocks: Iterable[Samples], spans: Sequence[tuple[int, int]]) -> list[Samples]:
    """The samples (n,) of each span of a stream, which is read once and no further than needed.

    A span that reaches beyond the end of the stream ends there.
    """
    pieces: list[list[Samples]] = [[] for _ in spans]
    last, heard = max((stop for _, stop in spans), default=0), 0
    for block in blocks:
        for piece, (start, stop) in zip(pieces, spans, strict=True):
            piece.append(block[max(0, start - heard) : max(0, stop - heard)].copy())
        heard += len(block)
        if heard >= last:
            break
    return [np.concatenate([np.zeros(0, np.float32), *piece]) for piece in pieces]


def write_sheets(folder: Path, clips: Sequence[Clip], rate: int, progress: Progress) -> None:
    """Draw the clips, forty a page, the worst first.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    from wakeword.data.contact_sheet import CLIPS_PER_PAGE, Tile, draw_tiles

    with fresh_folder(folder / SHEETS_FOLDER) as fresh:
        for first in range(0, len(clips), CLIPS_PER_PAGE):
            page = clips[first : first + CLIPS_PER_PAGE]
            tiles = [
                Tile(
                    folder / CLIPS_FOLDER / clip.name,
                    f"{clip.chosen.peak.word} {clip.chosen.peak.score:.2f}, sound "
                    f"{clip.chosen.cluster} ({clip.chosen.cluster_size} times)",
                    ((clip.chosen.peak.end - clip.start) / rate,),
                )
                for clip in page
            ]
            title = f"mistakes {first + 1} to {first + len(page)} of {len(clips)} (red: the peak)"
            name = f"{first // CLIPS_PER_PAGE + 1:03d}.png"
            with atomic_write(fresh / name, "wb") as png:
                png.write(draw_tiles(tiles, title))
            progress(1)


def _write_manifest(folder: Path, clips: Sequence[Clip], seconds: Mapping[str, float]) -> None:
    with atomic_write(folder / MANIFEST_FILE) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for clip in clips:
            r = clip.recording
            path = f"{CLIPS_FOLDER}/{clip.name}"
            length = f"{seconds[clip.name]:.3f}"
            table.writerow([path, r.corpus, "", r.speaker, r.split, "", "", length])
