"""The tables, as the steps that make them. A step that was released is never changed."""

from __future__ import annotations

from wakeword_service.store.database import Migration

_FIRST: Migration = (
    # The threshold in force is that of a word's last change: there is no second place for it.
    """CREATE TABLE threshold_changes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        model TEXT NOT NULL, word TEXT NOT NULL, model_sha256 TEXT NOT NULL,
        when_s REAL NOT NULL, key_id TEXT, key_name TEXT NOT NULL,
        from_threshold REAL NOT NULL, from_source TEXT NOT NULL,
        threshold REAL NOT NULL, source TEXT NOT NULL,
        request TEXT NOT NULL, expected TEXT NOT NULL)""",
    "CREATE INDEX threshold_changes_by_word ON threshold_changes (model, word, id)",
    """CREATE TABLE detections (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
        when_s REAL NOT NULL, stream_id TEXT NOT NULL, stream_name TEXT NOT NULL,
        model TEXT NOT NULL, model_sha256 TEXT NOT NULL, word TEXT NOT NULL,
        score REAL NOT NULL, peak REAL NOT NULL, threshold REAL NOT NULL,
        start_s REAL NOT NULL, end_s REAL NOT NULL,
        verdict TEXT, verdict_s REAL, verdict_by TEXT, clip_bytes INTEGER NOT NULL)""",
    "CREATE INDEX detections_by_word ON detections (model, word, when_s)",
    "CREATE INDEX detections_with_clips ON detections (seq) WHERE clip_bytes > 0",
    """CREATE TABLE live_heard (
        minute INTEGER NOT NULL, model TEXT NOT NULL, model_sha256 TEXT NOT NULL,
        word TEXT NOT NULL, seconds REAL NOT NULL,
        PRIMARY KEY (minute, model, model_sha256, word)) WITHOUT ROWID""",
    """CREATE TABLE live_fired (
        minute INTEGER NOT NULL, model TEXT NOT NULL, model_sha256 TEXT NOT NULL,
        word TEXT NOT NULL, threshold REAL NOT NULL, times INTEGER NOT NULL,
        PRIMARY KEY (minute, model, model_sha256, word, threshold)) WITHOUT ROWID""",
    """CREATE TABLE calibrations (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
        created_s REAL NOT NULL, finished_s REAL, status TEXT NOT NULL,
        model TEXT NOT NULL, model_sha256 TEXT NOT NULL, key_name TEXT NOT NULL,
        request TEXT NOT NULL, result TEXT, error TEXT)""",
    """CREATE TABLE keys (
        id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, hash BLOB NOT NULL,
        scopes TEXT NOT NULL, max_streams INTEGER, created_s REAL NOT NULL,
        expires_s REAL, last_used_s REAL)""",
)

MIGRATIONS: tuple[Migration, ...] = (_FIRST,)
