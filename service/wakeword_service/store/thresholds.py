"""Thresholds that the owner chose, as the list of all changes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wakeword_service.store.database import Database, row_values
from wakeword_service.store.errors import RevisionConflict

ThresholdSource = Literal["site", "model"]
"""Chosen here by the owner, or the operating point that the model brings."""

MAX_CHANGES_PER_WORD = 1000
"""Older changes are forgotten."""


@dataclass(frozen=True)
class ThresholdChange:
    """One change of the threshold of ``word``; ``id`` is also the word's revision after it.

    request
        What was asked for: a threshold, false alarms per hour, a calibration, a change to
        return to, or nothing (back to the model's own).
    expected
        What was known then of the new threshold; see ``expectations``.
    key_name
        Who did it; ``key_id`` is None for somebody on this machine without a key.
    """

    id: int
    model: str
    word: str
    model_sha256: str
    when_s: float
    key_id: str | None
    key_name: str
    from_threshold: float
    from_source: ThresholdSource
    threshold: float
    source: ThresholdSource
    request: Mapping[str, Any]
    expected: Mapping[str, Any]


class ThresholdTable:
    """All changes; a word without any has revision 0."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self, model: str, word: str) -> ThresholdChange | None:
        """The change that is in force."""
        with self._database.read() as connection:
            return _last(connection, model, word)

    def change(self, model: str, word: str, number: int) -> ThresholdChange | None:
        """Change ``number`` of a word."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT * FROM threshold_changes WHERE id = ? AND model = ? AND word = ?",
                (number, model, word),
            ).fetchone()
        return None if row is None else _change(row)

    def history(
        self, model: str, word: str, limit: int, before: int | None = None
    ) -> list[ThresholdChange]:
        """Changes, newest first, at most ``limit``, those before ``before`` only."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT * FROM threshold_changes WHERE model = ? AND word = ? AND id < ? "
                "ORDER BY id DESC LIMIT ?",
                (model, word, 2**62 if before is None else before, limit),
            ).fetchall()
        return [_change(row) for row in rows]

    def add(self, change: ThresholdChange, expected_revision: int) -> ThresholdChange:
        """Write ``change`` (its id does not count), unless somebody was quicker.

        Raises
        ------
        RevisionConflict
            The word is not at ``expected_revision``; nothing has changed.
        StorageFull, StoreError
            It could not be written; nothing has changed.
        """
        with self._database.write() as connection:
            last = _last(connection, change.model, change.word)
            found = last.id if last else 0
            if found != expected_revision:
                raise RevisionConflict(found)
            values = dict(vars(change))
            del values["id"]
            values["request"] = json.dumps(change.request)
            values["expected"] = json.dumps(change.expected)
            connection.execute(
                f"INSERT INTO threshold_changes ({', '.join(values)}) "
                f"VALUES ({', '.join(':' + name for name in values)})",
                values,
            )
            connection.execute(
                "DELETE FROM threshold_changes WHERE id IN (SELECT id FROM threshold_changes "
                "WHERE model = ? AND word = ? ORDER BY id DESC LIMIT -1 OFFSET ?)",
                (change.model, change.word, MAX_CHANGES_PER_WORD),
            )
            written = _last(connection, change.model, change.word)
        assert written is not None
        return written


def _last(connection: sqlite3.Connection, model: str, word: str) -> ThresholdChange | None:
    row = connection.execute(
        "SELECT * FROM threshold_changes WHERE model = ? AND word = ? ORDER BY id DESC LIMIT 1",
        (model, word),
    ).fetchone()
    return None if row is None else _change(row)


def _change(row: sqlite3.Row) -> ThresholdChange:
    values = row_values(row)
    for name in ("request", "expected"):
        values[name] = json.loads(values[name])
    return ThresholdChange(**values)
