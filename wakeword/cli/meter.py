"""The live line of ``wakeword listen``: sound level and, for each word, its smoothed posterior."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from types import TracebackType

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.text import Text

from wakeword.audio.pcm import Samples
from wakeword.runtime import StepResult

FLOOR_DBFS = -60.0
"""Left end of the level bar, and what silence is shown as."""

_BAR_CELLS = 16
_EIGHTHS = " ▁▂▃▄▅▆▇█"


class LiveMeter:
    """One line at the bottom of the terminal, ten times a second; other output goes above it.

    Parameters
    ----------
    thresholds
        Of each word: its posterior turns red at or above it.
    """

    def __init__(self, thresholds: Mapping[str, float], console: Console | None = None) -> None:
        self._thresholds = thresholds
        self._posteriors = dict.fromkeys(thresholds, 0.0)
        self._level_dbfs = FLOOR_DBFS
        self._live = Live(
            get_renderable=self._line,
            console=console or Console(stderr=True),
            refresh_per_second=10,
            transient=True,
            # Detections that go to a file must not be taken for something to draw.
            redirect_stdout=sys.stdout.isatty(),
        )

    def __enter__(self) -> LiveMeter:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def hear(self, samples: Samples) -> None:
        """Show the level of samples (n,)."""
        self._level_dbfs = level_dbfs(samples)

    def score(self, result: StepResult) -> None:
        """Show the smoothed posteriors of a step."""
        self.show(dict(zip(result.stream.words, map(float, result.smoothed), strict=True)))

    def show(self, posteriors: Mapping[str, float]) -> None:
        """Show smoothed posteriors by word."""
        self._posteriors = {**self._posteriors, **posteriors}

    def expect(self, thresholds: Mapping[str, float]) -> None:
        """Take over other words and thresholds."""
        self._thresholds = thresholds
        self._posteriors = dict.fromkeys(thresholds, 0.0)

    def _line(self) -> Text:
        line = Text(no_wrap=True, overflow="ellipsis")
        filled = round((1.0 - self._level_dbfs / FLOOR_DBFS) * _BAR_CELLS)
        line.append(f"{self._level_dbfs:6.1f} dBFS ", "dim")
        line.append("█" * filled, "red" if self._level_dbfs > -3.0 else "green")
        line.append("░" * (_BAR_CELLS - filled), "dim")
        thresholds = self._thresholds
        for word, posterior in self._posteriors.items():
            loud = posterior >= thresholds.get(word, 1.0)
            bar = _EIGHTHS[round(posterior * (len(_EIGHTHS) - 1))]
            line.append(f"  {word} ", "bold red" if loud else "default")
            line.append(f"{bar} {posterior:.2f}", "bold red" if loud else "dim")
        return line


def level_dbfs(samples: Samples) -> float:
    """Root mean square of samples (n,) in dB below full scale, -60 to 0."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return min(0.0, max(FLOOR_DBFS, 10.0 * math.log10(power))) if power > 0.0 else FLOOR_DBFS
