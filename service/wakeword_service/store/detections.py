"""Detections, what people said of them, and how large their clips are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from wakeword_service.store.database import Database, row_values

Verdict = Literal["confirmed", "rejected"]

MAX_DETECTIONS = 100_000
"""The oldest are forgotten beyond this."""


@dataclass(frozen=True)
class DetectionRow:
    """One detection. ``when_s`` is the wall clock, all other times are the stream's.

    peak
        Highest smoothed score of the utterance: the highest threshold that would have fired.
    clip_bytes
        Size of its clip; 0 for none.
    """

    id: str
    when_s: float
    stream_id: str
    stream_name: str
    model: str
    model_sha256: str
    word: str
    score: float
    peak: float
    threshold: float
    start_s: float
    end_s: float
    verdict: Verdict | None = None
    verdict_s: float | None = None
    verdict_by: str | None = None
    clip_bytes: int = 0
    seq: int = field(default=0, compare=False)


@dataclass(frozen=True)
class DetectionFilter:
    """Which detections; None is all. ``verdict`` "none" is those without one."""

    model: str | None = None
    model_sha256: str | None = None
    word: str | None = None
    stream: str | None = None
    verdict: str | None = None
    since_s: float | None = None
    until_s: float | None = None
    min_score: float | None = None

    def where(self) -> tuple[str, dict[str, Any]]:
        """The condition in SQL, and its values."""
        conditions = {
            "model": "model = :model",
            "model_sha256": "model_sha256 = :model_sha256",
            "word": "word = :word",
            "stream": "(stream_id = :stream OR stream_name = :stream)",
            "verdict": "COALESCE(verdict, 'none') = :verdict",
            "since_s": "when_s >= :since_s",
            "until_s": "when_s < :until_s",
            "min_score": "score >= :min_score",
        }
        values = {name: value for name, value in vars(self).items() if value is not None}
        return " AND ".join(["1", *(conditions[name] for name in values)]), values


class DetectionTable:
    """All detections that are remembered."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, rows: Sequence[DetectionRow]) -> list[str]:
        """Remember detections; returns the ids of old ones with clips that gave way."""
        columns = [name for name in DetectionRow.__dataclass_fields__ if name != "seq"]
        with self._database.write() as connection:
            connection.executemany(
                f"INSERT OR IGNORE INTO detections ({', '.join(columns)}) "
                f"VALUES ({', '.join(':' + name for name in columns)})",
                [vars(row) for row in rows],
            )
            oldest = "seq <= (SELECT MAX(seq) FROM detections) - ?"
            gone = connection.execute(
                f"DELETE FROM detections WHERE {oldest} RETURNING id, clip_bytes",
                (MAX_DETECTIONS,),
            ).fetchall()
        return [row["id"] for row in gone if row["clip_bytes"]]

    def set_peaks(self, peaks: Mapping[str, float]) -> None:
        """Note the highest score of utterances that are over, by detection."""
        with self._database.write() as connection:
            connection.executemany(
                "UPDATE detections SET peak = ? WHERE id = ?",
                [(peak, detection) for detection, peak in peaks.items()],
            )

    def judged(
        self, model: str, model_sha256: str, word: str, since_s: float, until_s: float
    ) -> list[DetectionRow]:
        """Detections of a word that have a verdict."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT * FROM detections WHERE model = ? AND model_sha256 = ? AND word = ? "
                "AND when_s BETWEEN ? AND ? AND verdict IS NOT NULL",
                (model, model_sha256, word, since_s, until_s),
            ).fetchall()
        return [DetectionRow(**row_values(row)) for row in rows]

    def get(self, detection: str) -> DetectionRow | None:
        """One detection."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT * FROM detections WHERE id = ?", (detection,)
            ).fetchone()
        return None if row is None else DetectionRow(**row_values(row))

    def page(
        self, wanted: DetectionFilter, limit: int, before: int | None = None
    ) -> list[DetectionRow]:
        """Detections, newest first, those with a smaller ``seq`` than ``before`` only."""
        condition, values = wanted.where()
        values |= {"before": 2**62 if before is None else before, "limit": limit}
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT * FROM detections WHERE {condition} AND seq < :before "
                "ORDER BY seq DESC LIMIT :limit",
                values,
            ).fetchall()
        return [DetectionRow(**row_values(row)) for row in rows]

    def give_verdict(
        self, detection: str, verdict: Verdict | None, when_s: float, by: str
    ) -> DetectionRow | None:
        """Note what somebody said of a detection (None takes it back); None where it is gone."""
        with self._database.write() as connection:
            row = connection.execute(
                "UPDATE detections SET verdict = ?, verdict_s = ?, verdict_by = ? WHERE id = ? "
                "RETURNING *",
                (verdict, when_s, by, detection),
            ).fetchone()
        return None if row is None else DetectionRow(**row_values(row))

    def remove(self, detection: str) -> bool:
        """Forget a detection; False where there is none."""
        with self._database.write() as connection:
            gone = connection.execute("DELETE FROM detections WHERE id = ?", (detection,))
            return gone.rowcount > 0

    def clips(self) -> list[tuple[str, float, int]]:
        """Id, time and bytes of each clip, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT id, when_s, clip_bytes FROM detections WHERE clip_bytes > 0 ORDER BY seq"
            ).fetchall()
        return [(row["id"], row["when_s"], row["clip_bytes"]) for row in rows]

    def drop_clips(self, detections: Sequence[str]) -> None:
        """Note that these have no clips any more."""
        with self._database.write() as connection:
            connection.executemany(
                "UPDATE detections SET clip_bytes = 0 WHERE id = ?", [(d,) for d in detections]
            )
