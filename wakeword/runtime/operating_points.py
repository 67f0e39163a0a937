"""From the alarms per hour that somebody accepts to the threshold that gives them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from wakeword.errors import BundleError, ConfigError
from wakeword.runtime.checks import require, require_list
from wakeword.runtime.measured_curve import MeasuredCurve
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

    curve
        The same measurement at many more thresholds, where it was kept.

    Raises
    ------
    BundleError
        No points, a target twice, a threshold that rises with the target, or a curve from other
        audio than the points.
    """

    word: str
    points: tuple[OperatingPoint, ...]
    curve: MeasuredCurve | None = None

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
        if self.curve is not None:
            self._check_same_audio(self.curve)

    def _check_same_audio(self, curve: MeasuredCurve) -> None:
        of_curve = (curve.hours, curve.clips, curve.condition)
        for p in self.points:
            same = math.isclose(p.hours, curve.hours, rel_tol=1e-9)
            require(
                same and (p.clips, p.condition) == of_curve[1:],
                f"hours, clips and condition of the curve of '{self.word}'",
                of_curve,
                f"those of the operating points, {(p.hours, p.clips, p.condition)}",
            )

    @property
    def targets(self) -> tuple[float, ...]:
        """False alarms per hour for which there is an entry, ascending."""
        return tuple(p.target_fa_per_hour for p in self.points)

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest false alarms per hour that there is a threshold for."""
        high = self.targets[-1]
        if self.curve is not None:
            high = max(high, self.curve.highest_rate)
        return self.targets[0], high

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
        """Threshold for a target; between two entries the one that the curve gives.

        Without a curve it is linear over the logarithm of the target. With one, targets above the
        highest entry are answered too, as far as the curve goes.

        Raises
        ------
        ConfigError
            The target lies outside the measured range; the message names it.
        """
        low, high = self.limits
        if not low <= target_fa_per_hour <= high:
            raise ConfigError(
                f"{target_fa_per_hour:g} false alarms per hour is outside the range that was "
                f"measured for '{self.word}': {low:g} to {high:g}"
            )
        if target_fa_per_hour in self.targets:
            return self.at(target_fa_per_hour).threshold
        if self.curve is not None:
            return self._measured_threshold(self.curve, target_fa_per_hour)
        return self._interpolated_threshold(target_fa_per_hour)

    def _measured_threshold(self, curve: MeasuredCurve, target_fa_per_hour: float) -> float:
        """From the curve, and never on the wrong side of an entry."""
        found = curve.threshold(target_fa_per_hour)
        for point in self.points:
            below = point.target_fa_per_hour < target_fa_per_hour
            found = (min if below else max)(found, point.threshold)
        return found

    def _interpolated_threshold(self, target_fa_per_hour: float) -> float:
        for lower, upper in pairwise(self.points):
            if target_fa_per_hour < upper.target_fa_per_hour:
                span = math.log(upper.target_fa_per_hour / lower.target_fa_per_hour)
                part = math.log(target_fa_per_hour / lower.target_fa_per_hour) / span
                return lower.threshold + part * (upper.threshold - lower.threshold)
        raise AssertionError("the target lies between two entries")

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
    def from_list(cls, items: Any, word: str, curve: Any = None) -> OperatingPoints:
        """The inverse of :meth:`to_list`, and of the curve's ``to_dict`` where there is one."""
        where = f"metadata.json: operating_points.{word}"
        return cls(
            word,
            tuple(
                from_table(OperatingPoint, item, f"{where}[{index}]", BundleError)
                for index, item in enumerate(require_list(items, where))
            ),
            None if curve is None else MeasuredCurve.from_dict(curve, word),
        )
