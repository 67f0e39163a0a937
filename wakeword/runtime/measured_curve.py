"""What one word was measured to do at many thresholds: counts, as a bundle keeps them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from wakeword.errors import BundleError
from wakeword.runtime.checks import require
from wakeword.runtime.tail import TAIL_ALARMS, tail_threshold
from wakeword.tables import from_table

MAX_POINTS = 100
MAX_ALARMS = 100_000
_MAX_CLIPS = 1_000_000_000
_MAX_HOURS = 1e9
_MIN_HOURS = 1e-6


@dataclass(frozen=True)
class CountBounds:
    """The least and the most that was counted at a threshold; equal where that is exact."""

    alarms_low: int
    alarms_high: int
    missed_low: int
    missed_high: int


@dataclass(frozen=True)
class MeasuredCurve:
    """Alarms and misses of one word at some thresholds, all from one measurement.

    At each of the thresholds the counts are exact. Alarms never rise with the threshold and
    misses never fall, here and at all thresholds between two of these: there both lie between
    the counts of the two neighbours.

    Parameters
    ----------
    hours
        Length of the audio without the word in which alarms were counted, in hours.
    clips
        Utterances of the word in which misses were counted; 0 where there were none.
    condition
        How those sounded; empty where there were none.
    thresholds (points,)
        Ascending, inside (0, 1); 1 to ``MAX_POINTS`` of them.
    alarms (points,)
        False alarms in all hours at each threshold, at most ``MAX_ALARMS``.
    missed (points,)
        Utterances missed at each threshold.

    Raises
    ------
    BundleError
        A value is outside its limits, or the counts go the wrong way.
    """

    hours: float
    clips: int
    condition: str
    thresholds: tuple[float, ...]
    alarms: tuple[int, ...]
    missed: tuple[int, ...]

    def __post_init__(self) -> None:
        limit = f"between {_MIN_HOURS:g} and {_MAX_HOURS:g}"
        require(_MIN_HOURS <= self.hours <= _MAX_HOURS, "hours", self.hours, limit)
        require(
            0 <= self.clips <= _MAX_CLIPS, "clips", self.clips, f"between 0 and {_MAX_CLIPS}"
        )
        count = len(self.thresholds)
        require(1 <= count <= MAX_POINTS, "points", count, f"between 1 and {MAX_POINTS}")
        for name in ("alarms", "missed"):
            length = len(getattr(self, name))
            require(length == count, f"length of {name}", length, f"{count}, one a threshold")
        ends = (self.thresholds[0], self.thresholds[-1])
        require(ends[0] > 0.0 and ends[1] < 1.0, "thresholds", ends, "between 0 and 1")
        for lower, upper in pairwise(self.thresholds):
            require(lower < upper, "thresholds", upper, f"above {lower}, the one before")
        self._check_counts("alarms", self.alarms[::-1], MAX_ALARMS)
        self._check_counts("missed", self.missed, self.clips)

    @staticmethod
    def _check_counts(name: str, rising: tuple[int, ...], most: int) -> None:
        require(rising[0] >= 0, name, rising[0], "at least 0")
        require(rising[-1] <= most, name, rising[-1], f"at most {most}")
        for lower, upper in pairwise(rising):
            fits = lower <= upper
            way = "fall or stay" if name == "alarms" else "rise or stay"
            require(fits, name, [lower, upper], f"counts that {way} as the threshold rises")

    @property
    def highest_rate(self) -> float:
        """False alarms per hour at the lowest threshold: none higher was measured."""
        return self.alarms[0] / self.hours

    def counts(self, threshold: float) -> CountBounds | None:
        """What is known of ``threshold``; None outside of the thresholds."""
        at = bisect_left(self.thresholds, threshold)
        if at == len(self.thresholds):
            return None
        before = at if self.thresholds[at] == threshold else at - 1
        if before < 0:
            return None
        return CountBounds(
            self.alarms[at], self.alarms[before], self.missed[before], self.missed[at]
        )

    def threshold(self, target_fa_per_hour: float) -> float:
        """The lowest of the thresholds from which on the target is kept.

        Where the hours have no room for even one alarm, it is where the tail of the highest
        alarms reaches the target, and never below the highest score of the negative audio. That
        is the rule of ``wakeword calibrate``, and where all alarms are among the points the
        same threshold.

        Returns
        -------
        threshold
            The highest of all where none keeps the target.
        """
        room = target_fa_per_hour * self.hours * (1.0 + 1e-12)
        kept = [at for at, alarms in enumerate(self.alarms) if alarms <= room]
        lowest = kept[0] if kept else len(self.alarms) - 1
        if self.alarms[lowest] > 0:
            return self.thresholds[lowest]
        found = tail_threshold(self._highest_alarms(), self.hours, target_fa_per_hour)
        return max(self.thresholds[lowest], found)

    def _highest_alarms(self) -> list[float]:
        """Scores of the highest alarms, as far as they are among the points."""
        most = min(self.alarms[0], TAIL_ALARMS)
        rising = self.alarms[::-1]
        return [self.thresholds[-1 - bisect_left(rising, n)] for n in range(1, most + 1)]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for metadata.json."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Any, word: str) -> MeasuredCurve:
        """The inverse of :meth:`to_dict`."""
        return from_table(cls, values, f"metadata.json: curves.{word}", BundleError)
