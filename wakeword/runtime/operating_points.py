"""From the alarms per hour that somebody accepts to the threshold that gives them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from wakeword.errors import BundleError, ConfigError
from wakeword.runtime.checks import require, require_list
from wakeword.tables import from_table


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold for one word, and what was measured with it.

    fa_per_hour, its bounds, alarms and hours come from negative audio; frr, its bounds, missed
    and clips (what ``condition`` describes) from clips of the word, and are None where there
    were no clips. ``supported`` is False where the hours cannot carry the target, and
    ``statement`` says it in one sentence.
    """

    target_fa_per_hour: float
    threshold: float
    fa_per_hour: float
    fa_per_hour_low: float
    fa_per_hour_high: float
    alarms: int
    hours: float
    frr: float | None
    frr_low: float | None
    frr_high: float | None
    missed: int
    clips: int
    condition: str
    supported: bool
    statement: str

    def __post_init__(self) -> None:
        require(
            self.target_fa_per_hour > 0.0, "target_fa_per_hour", self.target_fa_per_hour, "above 0"
        )
        require(
            0.0 < self.threshold < 1.0,
            "threshold",
            self.threshold,
            "between 0 and 1, both excluded",
        )
        require(
            0.0 <= self.fa_per_hour_low <= self.fa_per_hour <= self.fa_per_hour_high,
            "fa_per_hour",
            self.fa_per_hour,
            f"between its bounds {self.fa_per_hour_low} and {self.fa_per_hour_high}",
        )
        require(self.alarms >= 0, "alarms", self.alarms, "at least 0")
        require(self.hours > 0.0, "hours", self.hours, "above 0")
        require(
            0 <= self.missed <= self.clips,
            "missed",
            self.missed,
            f"between 0 and clips = {self.clips}",
        )
        rates = (self.frr_low, self.frr, self.frr_high)
        if self.clips == 0:
            require(rates == (None, None, None), "frr", self.frr, "null where clips = 0")
            return
        low, rate, high = (math.nan if r is None else r for r in rates)
        require(
            0.0 <= low <= rate <= high <= 1.0,
            "frr",
            self.frr,
            f"in [0, 1] and between its bounds {self.frr_low} and {self.frr_high}",
        )


@dataclass(frozen=True)
class OperatingPoints:
    """The table of one word, ascending by target; more alarms never need a higher threshold.

    Raises
    ------
    BundleError
        No points, a target twice, or a threshold that rises with the target.
    """

    word: str
    points: tuple[OperatingPoint, ...]

    def __post_init__(self) -> None:
        points = tuple(sorted(self.points, key=lambda p: p.target_fa_per_hour))
        object.__setattr__(self, "points", points)
        require(bool(points), f"operating_points of '{self.word}'", [], "at least one")
        for lower, upper in pairwise(points):
            require(
                lower.target_fa_per_hour < upper.target_fa_per_hour,
                "target_fa_per_hour",
                upper.target_fa_per_hour,
                f"given once for '{self.word}'",
            )
            require(
                upper.threshold <= lower.threshold,
                f"threshold of '{self.word}'",
                upper.threshold,
                f"at most {lower.threshold}, that of the lower target",
            )

    @property
    def targets(self) -> tuple[float, ...]:
        """False alarms per hour for which there is an entry, ascending."""
        return tuple(p.target_fa_per_hour for p in self.points)

    def at(self, target_fa_per_hour: float) -> OperatingPoint:
        """The entry for exactly this target.

        Raises
        ------
        ConfigError
            The table has no such entry; the message lists those it has.
        """
        for point in self.points:
            if point.target_fa_per_hour == target_fa_per_hour:
                return point
        raise ConfigError(
            f"'{self.word}' has no operating point for {target_fa_per_hour:g} false alarms per "
            f"hour; there are: {', '.join(f'{t:g}' for t in self.targets)}"
        )

    def threshold(self, target_fa_per_hour: float) -> float:
        """Threshold for a target; between two entries linear over the logarithm of the target.

        Raises
        ------
        ConfigError
            The target lies outside the measured range; the message names it.
        """
        low, high = self.targets[0], self.targets[-1]
        if not low <= target_fa_per_hour <= high:
            raise ConfigError(
                f"{target_fa_per_hour:g} false alarms per hour is outside the range that was "
                f"measured for '{self.word}': {low:g} to {high:g}"
            )
        for lower, upper in pairwise(self.points):
            if lower.target_fa_per_hour < target_fa_per_hour < upper.target_fa_per_hour:
                span = math.log(upper.target_fa_per_hour / lower.target_fa_per_hour)
                part = math.log(target_fa_per_hour / lower.target_fa_per_hour) / span
                return lower.threshold + part * (upper.threshold - lower.threshold)
        return self.at(target_fa_per_hour).threshold

    def unsupported(self, target_fa_per_hour: float) -> str | None:
        """The statement of the entry that a threshold rests on, where its hours are too few.

        Between two entries that is the lower target's: fewer alarms need more hours.
        """
        below = [p for p in self.points if p.target_fa_per_hour <= target_fa_per_hour]
        return below[-1].statement if below and not below[-1].supported else None

    def to_list(self) -> list[dict[str, Any]]:
        """Plain values for metadata.json."""
        return [asdict(point) for point in self.points]

    @classmethod
    def from_list(cls, items: Any, word: str) -> OperatingPoints:
        """The inverse of :meth:`to_list`."""
        where = f"metadata.json: operating_points.{word}"
        return cls(
            word,
            tuple(
                from_table(OperatingPoint, item, f"{where}[{index}]", BundleError)
                for index, item in enumerate(require_list(items, where))
            ),
        )
