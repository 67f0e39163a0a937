"""The picture of ``wakeword score --plot``, in bounded memory for recordings of any length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wakeword.audio.pcm import Samples
from wakeword.errors import MissingExtraError
from wakeword.files import atomic_write
from wakeword.frontend import Frontend
from wakeword.runtime import Detection, Spotter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_COLUMNS = 2000
"""Points across a picture; a recording with more is thinned out."""

Reduce = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""(pairs, 2, values) to (pairs, values): how two neighbouring columns become one."""


def require_matplotlib(purpose: str = "--plot") -> None:
    """Raise MissingExtraError now rather than after the work."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as why:
        raise MissingExtraError("matplotlib", "plot", purpose) from why


class Thinned:
    """A growing sequence of columns (n, values) that never holds more than 2 ``MAX_COLUMNS``.

    When it is full, neighbours are joined and from then on twice as many rows make a column.
    """

    def __init__(self, values: int, reduce: Reduce) -> None:
        self._reduce = reduce
        self._columns = np.zeros((0, values), np.float32)
        self._rest = self._columns
        self.rows_per_column = 1
        self.rows = 0

    def add(self, rows: NDArray[np.float32]) -> None:
        """Append rows (n, values)."""
        self.rows += len(rows)
        rest = np.concatenate([self._rest, rows])
        while len(rest) >= self.rows_per_column:
            room = 2 * MAX_COLUMNS - len(self._columns)
            take = min(len(rest) // self.rows_per_column, room) * self.rows_per_column
            self._columns = np.concatenate([self._columns, self._joined(rest[:take])])
            rest = rest[take:]
            if len(self._columns) == 2 * MAX_COLUMNS:
                self._columns = self._pairs(self._columns)
                self.rows_per_column *= 2
        self._rest = rest

    def columns(self) -> NDArray[np.float32]:
        """What there is so far (columns, values), an incomplete last column included."""
        if not len(self._rest):
            return self._columns
        missing = self.rows_per_column - len(self._rest)
        padded = np.concatenate([self._rest, np.repeat(self._rest[-1:], missing, axis=0)])
        return np.concatenate([self._columns, self._joined(padded)])

    def _joined(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        for _ in range(self.rows_per_column.bit_length() - 1):
            rows = self._pairs(rows)
        return rows

    def _pairs(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._reduce(rows.reshape(len(rows) // 2, 2, rows.shape[1]))


def _extremes(pairs: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = pairs[:, :, 0].min(axis=1), pairs[:, :, 1].max(axis=1)
    return np.stack([low, high], axis=1)


def _mean(pairs: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(pairs.mean(axis=1))


def _maximum(pairs: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(pairs.max(axis=1))


class Picture:
    """Collects what one recording's picture shows, then draws it."""

    def __init__(self, title: str, spotter: Spotter) -> None:
        engine = max((s.engine for s in spotter.streams), key=lambda engine: engine.sample_rate)
        self._title = Path(title).name
        self._rate = engine.sample_rate
        self._step_s = engine.step_samples / engine.sample_rate
        self._words = [
            (word, threshold) for s in spotter.streams for word, threshold in s.thresholds.items()
        ]
        self._frontend = Frontend(engine.bundle.metadata.frontend.drawn)
        self._state = self._frontend.initial_state()
        self._waveform, self._features = (
            Thinned(2, _extremes),
            Thinned(self._frontend.config.channels, _mean),
        )
        self._posteriors = Thinned(len(self._words), _maximum)
        self._detections: list[Detection] = []

    def add_samples(self, samples: Samples) -> None:
        """The next samples (n,) at the models' rate."""
        self._waveform.add(np.repeat(samples[:, None], 2, axis=1))
        features, self._state = self._frontend.process(samples[None], self._state)
        self._features.add(features[0])

    def add_posteriors(self, row: Sequence[float]) -> None:
        """The smoothed posteriors (words,) of the next step."""
        self._posteriors.add(np.array([row], np.float32))

    def add_detections(self, detections: Iterable[Detection]) -> None:
        """What was heard in that step."""
        self._detections += detections

    def save(self, path: Path) -> None:
        """Draw it into a PNG file."""
        figure = self.draw()
        with atomic_write(path, "wb") as file:
            figure.savefig(file, format="png", dpi=120)

    def draw(self) -> Figure:
        """Waveform, features and posteriors over the same seconds, detections across all."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(12, 8), layout="constrained")
        waveform, features, posteriors = figure.subplots(
            3, 1, sharex=True, gridspec_kw={"height_ratios": [1, 2, 2]}
        )
        waveform.set_title(self._title, parse_math=False)
        self._draw_waveform(waveform)
        self._draw_features(features)
        self._draw_posteriors(posteriors)
        for detection in self._detections:
            for axes in (waveform, features, posteriors):
                axes.axvline(detection.end_s, color="black", linewidth=0.8, linestyle=":")
        return figure

    def _draw_waveform(self, axes: Any) -> None:
        columns = self._waveform.columns()
        times = np.arange(len(columns)) * self._waveform.rows_per_column / self._rate
        axes.fill_between(times, columns[:, 0], columns[:, 1], step="post", linewidth=0.5)
        axes.set_ylabel("amplitude")
        axes.set_xlim(0.0, max(self._waveform.rows / self._rate, self._step_s))

    def _draw_features(self, axes: Any) -> None:
        config = self._frontend.config
        columns = self._features.columns()
        hop_s = config.hop_samples * self._features.rows_per_column / self._rate
        end_s = len(columns) * hop_s
        if len(columns):
            axes.imshow(columns.T, origin="lower", aspect="auto", interpolation="nearest",
                        extent=(0.0, end_s, -0.5, config.channels - 0.5))  # fmt: skip
        axes.set_ylabel(f"{config.kind} channel")

    def _draw_posteriors(self, axes: Any) -> None:
        columns = self._posteriors.columns()
        times = (np.arange(len(columns)) + 1) * self._step_s * self._posteriors.rows_per_column
        for index, (word, threshold) in enumerate(self._words):
            label = f"{word} (threshold {threshold:.2f})"
            (line,) = axes.plot(times, columns[:, index], label=label)
            axes.axhline(threshold, color=line.get_color(), linestyle="--", linewidth=0.7)
        for detection in self._detections:
            axes.annotate(detection.keyword, (detection.end_s, 1.02), fontsize=8, ha="center",
                          annotation_clip=False)  # fmt: skip
        axes.set_ylim(0.0, 1.1)
        axes.set_ylabel("smoothed posterior")
        axes.set_xlabel("time (s)")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
