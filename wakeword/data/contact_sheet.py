"""Pictures of clips, many a page, for a person to check (plot extra)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wakeword.audio.files import read_audio
from wakeword.data.align import DEFAULT_ALIGN, level_db
from wakeword.data.alignment import RATE, Alignment
from wakeword.errors import MissingExtraError
from wakeword.frontend import Frontend, preset

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROWS, COLUMNS = 5, 8
CLIPS_PER_PAGE = ROWS * COLUMNS
FOUND, KNOWN, LEVEL = "tab:red", "tab:blue", "tab:orange"
_DEPTH = 10.0
"""What is so much (natural logarithm of energy: 43 dB) below a clip's loudest is white."""


@dataclass(frozen=True)
class Tile:
    """One clip of a page.

    found, known
        Times in seconds: red lines, and blue dashed ones.
    """

    path: Path
    title: str
    found: tuple[float, ...] = ()
    known: tuple[float, ...] = ()


def contact_sheet(alignments: Sequence[Alignment], title: str) -> bytes:
    """Draw up to ``CLIPS_PER_PAGE`` clips as a PNG: :func:`draw_tiles`.

    Each with the word that was found (red) and the one that the manifest states (blue, dashed).
    """
    legend = "(red: found, blue: stated by the manifest, orange: level)"
    return draw_tiles([_tile(a) for a in alignments], f"{title}    {legend}")


def draw_tiles(tiles: Sequence[Tile], title: str) -> bytes:
    """Draw up to ``CLIPS_PER_PAGE`` clips as a PNG.

    Each with its mel spectrogram, its level (orange, from the clip's floor to its peak) and lines
    at the times that it names.

    Raises
    ------
    AudioError
        A recording cannot be read.
    MissingExtraError
        matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot", "drawing clips") from error
    figure = Figure(figsize=(20.0, 11.0))
    figure.suptitle(title, fontsize=11, parse_math=False)
    grid = figure.subplots(ROWS, COLUMNS, squeeze=False).ravel()
    figure.subplots_adjust(0.01, 0.03, 0.99, 0.92, wspace=0.06, hspace=0.4)
    frontend = Frontend(preset("logmel-40"))
    for axes, tile in zip(grid, tiles, strict=False):
        _draw(axes, tile, frontend)
    for axes in grid[len(tiles) :]:
        axes.set_axis_off()
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=80, metadata={"Software": None})
    return out.getvalue()


def _tile(alignment: Alignment) -> Tile:
    recording, found = alignment.recording, alignment.found
    stated = recording.word_start_s == recording.word_start_s  # not NaN
    what = f"{found.seconds:.2f} s, {found.contrast_db:.0f} dB" if found else "no word found"
    return Tile(
        recording.path,
        f"{recording.path.stem[:26]}: {what}",
        (found.start_s, found.end_s) if found else (),
        (recording.word_start_s, recording.word_end_s) if stated else (),
    )


def _draw(axes: Axes, tile: Tile, frontend: Frontend) -> None:
    samples = read_audio(tile.path, RATE)
    features, _ = frontend.process(samples[None], frontend.initial_state())
    seconds = len(samples) / RATE
    if features.shape[1]:
        hop_s = frontend.config.hop_samples / RATE
        first_s = (frontend.config.window_samples / RATE - hop_s) / 2  # frames are drawn centred
        peak = float(features.max())
        axes.imshow(
            features[0].T, cmap="gray_r", vmin=peak - _DEPTH, vmax=peak, origin="lower",
            aspect="auto", extent=(first_s, first_s + features.shape[1] * hop_s, 0.0, 1.0),
        )  # fmt: skip
    _draw_level(axes, samples)
    for at in tile.known:
        axes.axvline(at, color=KNOWN, linewidth=1.2, linestyle="--")
    for at in tile.found:
        axes.axvline(at, color=FOUND, linewidth=1.2)
    axes.set_title(tile.title, fontsize=7, pad=2, parse_math=False)
    axes.set_xlim(0.0, max(seconds, 0.1))
    axes.set_ylim(0.0, 1.0)
    axes.set_yticks([])
    axes.set_xticks(np.arange(0.0, seconds, 0.5), labels=[])
    axes.tick_params(length=2)


def _draw_level(axes: Axes, samples: np.ndarray) -> None:
    if not len(samples):
        return
    level = level_db(samples, RATE)
    floor, peak = float(np.percentile(level, 10)), float(level.max())
    height = (level - floor) / max(peak - floor, 1e-3)
    axes.plot(np.arange(len(level)) * DEFAULT_ALIGN.hop_s, height, color=LEVEL, linewidth=0.8)
