"""Calibration jobs: what was asked, what became of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from wakeword_service.store.database import Database, row_values

CalibrationStatus = Literal["queued", "running", "done", "failed"]

MAX_ENDED = 1000
"""Of jobs that have ended only so many are kept, the newest."""


@dataclass(frozen=True)
class CalibrationRow:
    """A job. ``result`` is there when it is done, ``error`` when it failed."""

    id: str
    created_s: float
    status: CalibrationStatus
    model: str
    model_sha256: str
    key_name: str
    request: Mapping[str, Any]
    finished_s: float | None = None
    result: Mapping[str, Any] | None = None
    error: str | None = None
    seq: int = field(default=0, compare=False)


class CalibrationTable:
    """All jobs that are remembered."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: CalibrationRow) -> None:
        """Remember a new job."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO calibrations (id, created_s, status, model, model_sha256, key_name, "
                "request) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (row.id, row.created_s, row.status, row.model, row.model_sha256, row.key_name,
                 json.dumps(row.request)),
            )  # fmt: skip
            connection.execute(
                "DELETE FROM calibrations WHERE seq IN (SELECT seq FROM calibrations "
                "WHERE finished_s IS NOT NULL ORDER BY seq DESC LIMIT -1 OFFSET ?)",
                (MAX_ENDED,),
            )

    def start(self, job: str) -> bool:
        """Mark a queued job as running; False where it is not queued any more."""
        with self._database.write() as connection:
            changed = connection.execute(
                "UPDATE calibrations SET status = 'running' WHERE id = ? AND status = 'queued'",
                (job,),
            )
            return changed.rowcount > 0

    def end(
        self,
        job: str,
        status: CalibrationStatus,
        when_s: float,
        result: Mapping[str, Any] | None = None,
        error: str | None = None,
    ) -> bool:
        """Say how a job ended; False where it has ended before, or was removed."""
        with self._database.write() as connection:
            changed = connection.execute(
                "UPDATE calibrations SET status = ?, finished_s = ?, result = ?, error = ? "
                "WHERE id = ? AND finished_s IS NULL",
                (status, when_s, None if result is None else json.dumps(result), error, job),
            )
            return changed.rowcount > 0

    def remove(self, job: str) -> bool:
        """Forget a job; False where there is none."""
        with self._database.write() as connection:
            gone = connection.execute("DELETE FROM calibrations WHERE id = ?", (job,))
            return gone.rowcount > 0

    def get(self, job: str) -> CalibrationRow | None:
        """One job."""
        with self._database.read() as connection:
            row = connection.execute("SELECT * FROM calibrations WHERE id = ?", (job,)).fetchone()
        return None if row is None else _job(row)

    def page(self, limit: int, before: int | None = None) -> list[CalibrationRow]:
        """Jobs, newest first, those with a smaller ``seq`` than ``before`` only."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT * FROM calibrations WHERE seq < ? ORDER BY seq DESC LIMIT ?",
                (2**62 if before is None else before, limit),
            ).fetchall()
        return [_job(row) for row in rows]

    def unfinished(self) -> list[CalibrationRow]:
        """Jobs that have not ended, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT * FROM calibrations WHERE finished_s IS NULL ORDER BY seq"
            ).fetchall()
        return [_job(row) for row in rows]


def _job(row: sqlite3.Row) -> CalibrationRow:
    values = row_values(row)
    values["request"] = json.loads(values["request"])
    values["result"] = None if values["result"] is None else json.loads(values["result"])
    return CalibrationRow(**values)
