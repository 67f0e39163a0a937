"""How often each threshold would have fired in live use: sums by minute, model and word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from wakeword_service.store.database import Database


class LiveKey(NamedTuple):
    """What is summed up together; ``minute`` counts from 1970 by the wall clock."""

    minute: int
    model: str
    model_sha256: str
    word: str


@dataclass
class LiveSums:
    """What was heard, and how often each threshold would have fired."""

    seconds: float = 0.0
    fired: dict[float, int] = field(default_factory=dict)

    def add(self, other: LiveSums) -> None:
        """Add what another stretch of time held."""
        self.seconds += other.seconds
        for threshold, times in other.fired.items():
            self.fired[threshold] = self.fired.get(threshold, 0) + times


class LiveTable:
    """Sums that only grow, until they are old and go."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, sums: Mapping[LiveKey, LiveSums]) -> None:
        """Add to what is there, in one transaction."""
        heard = [(*key, value.seconds) for key, value in sums.items()]
        fired = [
            (*key, threshold, times)
            for key, value in sums.items()
            for threshold, times in value.fired.items()
        ]
        with self._database.write() as connection:
            connection.executemany(
                "INSERT INTO live_heard VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET seconds = seconds + excluded.seconds",
                heard,
            )
            connection.executemany(
                "INSERT INTO live_fired VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET times = times + excluded.times",
                fired,
            )

    def sums(
        self, model: str, model_sha256: str, first_minute: int, last_minute: int
    ) -> dict[str, LiveSums]:
        """By word, over the minutes from ``first_minute`` to ``last_minute``, both included."""
        found: dict[str, LiveSums] = {}
        where = "WHERE model = ? AND model_sha256 = ? AND minute BETWEEN ? AND ?"
        values = (model, model_sha256, first_minute, last_minute)
        with self._database.read() as connection:
            for word, seconds in connection.execute(
                f"SELECT word, SUM(seconds) FROM live_heard {where} GROUP BY word", values
            ):
                found[word] = LiveSums(seconds)
            for word, threshold, times in connection.execute(
                f"SELECT word, threshold, SUM(times) FROM live_fired {where} "
                "GROUP BY word, threshold",
                values,
            ):
                found.setdefault(word, LiveSums()).fired[threshold] = times
        return found

    def forget_before(self, minute: int) -> None:
        """Remove everything before ``minute``."""
        with self._database.write() as connection:
            for table in ("live_heard", "live_fired"):
                connection.execute(f"DELETE FROM {table} WHERE minute < ?", (minute,))
