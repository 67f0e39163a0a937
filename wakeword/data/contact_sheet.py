"""Pictures of alignments, many clips a page, for a person to check (plot extra)."""

from __future__ import annotations

import io
from collections.abc import Sequence
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


def contact_sheet(alignments: Sequence[Alignment], title: str) -> bytes:
    """Draw up to ``CLIPS_PER_PAGE`` clips as a PNG.

    Each with its mel spectrogram, its level (orange, from the clip's floor to its peak), the
    word that was found (red) and the one that the manifest states (blue, dashed).

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
        raise MissingExtraError("matplotlib", "plot", "drawing alignments") from error
    figure = Figure(figsize=(20.0, 11.0))
    figure.suptitle(
        f"{title}    (red: found, blue: stated by the manifest, orange: level)",
        fontsize=11, parse_math=False,
    )  # fmt: skip
    grid = figure.subplots(ROWS, COLUMNS, squeeze=False).ravel()
    figure.subplots_adjust(0.01, 0.03, 0.99, 0.92, wspace=0.06, hspace=0.4)
    frontend = Frontend(preset("logmel-40"))
    for axes, alignment in zip(grid, alignments, strict=False):
        _draw(axes, alignment, frontend)
    for axes in grid[len(alignments) :]:
        axes.set_axis_off()
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=80, metadata={"Software": None})
    return out.getvalue()


def _draw(axes: Axes, alignment: Alignment, frontend: Frontend) -> None:
    recording, found = alignment.recording, alignment.found
    samples = read_audio(recording.path, RATE)
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
    if recording.word_start_s == recording.word_start_s:  # not NaN: the manifest states them
        for at in (recording.word_start_s, recording.word_end_s):
            axes.axvline(at, color=KNOWN, linewidth=1.2, linestyle="--")
    if found is not None:
        for at in (found.start_s, found.end_s):
            axes.axvline(at, color=FOUND, linewidth=1.2)
    what = f"{found.seconds:.2f} s, {found.contrast_db:.0f} dB" if found else "no word found"
    axes.set_title(f"{recording.path.stem[:26]}: {what}", fontsize=7, pad=2, parse_math=False)
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
