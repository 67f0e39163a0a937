"""Where a word lies inside its clip, from energy alone (issue: the window has to hold the word).

Clips hold one word and 0.5 to 2 s of room around it. The word is the stretch of high energy
with the largest sum of dB above the floor, gaps of plosives bridged. :func:`align_word` returns
the times with a confidence; ``wakeword align`` draws them for a person to check. Alignment from
what is said is in ``wakeword.alignment``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import ConfigError

SHORTEST_WORD_S = 0.2
"""What is shorter is no word but a click: training leaves such clips out."""


@dataclass(frozen=True)
class AlignConfig:
    """Thresholds of the energy alignment; defaults fit words of 0.3 to 1.2 s.

    A frame is active from ``below_peak_db`` below the clip's peak on, if it is
    ``above_floor_db`` above its floor (10th percentile); active runs that are at most
    ``bridge_s`` apart are one. Both ends then move out by at most ``edge_s`` while the level
    stays above ``edge_below_peak_db`` below the peak.
    """

    hop_s: float = 0.01
    window_s: float = 0.03
    below_peak_db: float = 26.0
    above_floor_db: float = 9.0
    bridge_s: float = 0.2
    edge_below_peak_db: float = 34.0
    edge_s: float = 0.12
    max_word_s: float = 1.3
    low_hz: float = 120.0
    high_hz: float = 7_000.0

    def __post_init__(self) -> None:
        for name in ("hop_s", "window_s", "below_peak_db", "above_floor_db", "max_word_s"):
            if not 0.0 < getattr(self, name) < 1000.0:
                raise ConfigError(f"align.{name} = {getattr(self, name)} must be above 0")
        for name in ("bridge_s", "edge_s"):
            if not 0.0 <= getattr(self, name) < 1000.0:
                raise ConfigError(f"align.{name} = {getattr(self, name)} must be at least 0")
        if not self.hop_s <= self.window_s:
            raise ConfigError(
                f"align.hop_s = {self.hop_s} must be at most window_s = {self.window_s}"
            )
        if not self.below_peak_db <= self.edge_below_peak_db < 1000.0:
            raise ConfigError(
                f"align.edge_below_peak_db = {self.edge_below_peak_db} must be at least "
                f"below_peak_db = {self.below_peak_db}"
            )
        if not 0.0 <= self.low_hz < self.high_hz:
            raise ConfigError(
                f"align.low_hz = {self.low_hz} must be below high_hz = {self.high_hz}"
            )


@dataclass(frozen=True)
class WordTimes:
    """Begin and end of a word in its clip, and the dB of its peak above the clip's floor.

    ``log_likelihood`` is what a network that reads letters gives to the text, natural logarithm
    for each character; None where no network was asked.
    """

    start_s: float
    end_s: float
    contrast_db: float
    log_likelihood: float | None = None

    @property
    def seconds(self) -> float:
        """Length of the word."""
        return self.end_s - self.start_s


class Aligner(Protocol):
    """A way to find a word in (n,) samples in which ``transcript`` is said, the word in it."""

    def __call__(
        self, samples: NDArray[np.float32], sample_rate: int, word: str, transcript: str
    ) -> WordTimes | None: ...


DEFAULT_ALIGN = AlignConfig()


def level_db(
    samples: NDArray[np.float32], sample_rate: int, config: AlignConfig = DEFAULT_ALIGN
) -> NDArray[np.float32]:
    """Level (frames,) in dB of the speech band, one frame a hop, frame k centred on k hops."""
    hop, window = round(config.hop_s * sample_rate), round(config.window_s * sample_rate)
    padded = np.pad(samples, (window // 2, window))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[: len(samples) : hop]
    power = np.abs(np.fft.rfft(frames * np.hanning(window).astype(np.float32))) ** 2
    hz = np.fft.rfftfreq(window, 1.0 / sample_rate)
    band = (hz >= config.low_hz) & (hz <= config.high_hz)
    out: NDArray[np.float32] = (10.0 * np.log10(power[:, band].sum(1) + 1e-9)).astype(np.float32)
    return out


def floor_and_peak_db(level: NDArray[np.float32]) -> tuple[float, float]:
    """Background and loudest sound of a clip: 10th and 99.5th percentile of its level (frames,)."""
    return float(np.percentile(level, 10)), float(np.percentile(level, 99.5))


def edge_bar_db(level: NDArray[np.float32], config: AlignConfig = DEFAULT_ALIGN) -> float:
    """What is below this level (frames,) is not even the soft edge of a word."""
    floor, peak = floor_and_peak_db(level)
    return max(peak - config.edge_below_peak_db, floor + 0.6 * config.above_floor_db)


def align_word(
    samples: NDArray[np.float32], sample_rate: int, config: AlignConfig = DEFAULT_ALIGN
) -> WordTimes | None:
    """Find the word in a clip (n,) float32; None where nothing stands out of the floor."""
    if len(samples) < round(0.1 * sample_rate):
        return None
    level = level_db(samples, sample_rate, config)
    floor, peak = floor_and_peak_db(level)
    if not peak - floor >= config.above_floor_db:  # also where a sample is NaN
        return None
    bar = max(peak - config.below_peak_db, floor + config.above_floor_db)
    runs = _bridge(_runs(level >= bar), round(config.bridge_s / config.hop_s))
    start, end = max(runs, key=lambda run: float((level[run[0] : run[1]] - bar).sum()))
    start, end = _widen(
        level >= edge_bar_db(level, config), start, end, round(config.edge_s / config.hop_s)
    )
    longest = round(config.max_word_s / config.hop_s)
    if end - start > longest:
        start, end = _loudest(level, start, end, longest)
    return WordTimes(start * config.hop_s, end * config.hop_s, peak - floor)


def align_by_energy(
    samples: NDArray[np.float32], sample_rate: int, word: str, transcript: str
) -> WordTimes | None:
    """:func:`align_word` as an :class:`Aligner`; only for clips that hold the word alone."""
    return align_word(samples, sample_rate) if word == transcript else None


def _runs(active: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Half-open intervals where ``active`` holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _bridge(runs: list[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """Join runs that are at most ``gap`` frames apart: the closures of plosives."""
    joined = [runs[0]]
    for start, end in runs[1:]:
        if start - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _widen(active: NDArray[np.bool_], start: int, end: int, most: int) -> tuple[int, int]:
    """Move both ends outwards over frames above the lower bar: soft onsets and releases."""
    first, last = max(0, start - most), min(len(active), end + most)
    while start > first and active[start - 1]:
        start -= 1
    while end < last and active[end]:
        end += 1
    return start, end


def _loudest(level: NDArray[np.float32], start: int, end: int, longest: int) -> tuple[int, int]:
    """The stretch of ``longest`` frames with the most energy inside [start, end)."""
    sums = np.convolve(level[start:end] - level[start:end].min(), np.ones(longest), "valid")
    best = start + int(np.argmax(sums))
    return best, best + longest
