"""One SQLite file: a writer, a few readers, and errors that say what to do.

The file is in WAL mode with ``synchronous = FULL``: what :meth:`Database.write` has returned from
is on the disk, whatever happens next to the process or the power; readers never wait for it.
"""

from __future__ import annotations

import errno
import os
import queue
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from wakeword_service.store.errors import StorageFull, StoreError

READERS = 4
CACHE_KIB = 256
"""Of each connection; SQLite's own 2 MiB fill as slowly as the file grows, which looks like a leak
for hours. The system keeps the file in memory too."""

BUSY_S = 10.0
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}

Migration = Sequence[str]
"""Statements that bring the file from one version to the next."""


class Database:
    """A file brought to the newest version.

    Raises
    ------
    StoreError
        The file is damaged, of a newer version, or cannot be opened.
    StorageFull
        There is no room to make it.
    """

    def __init__(self, path: Path, migrations: Sequence[Migration]) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._closed = False
        with _said(path):
            _create_private(path)
            self._writer = _connect(path)
        self._readers: queue.LifoQueue[sqlite3.Connection | None] = queue.LifoQueue()
        for _ in range(READERS):
            self._readers.put(None)  # opened when it is needed
        try:
            with _said(path):
                self._writer.execute("PRAGMA journal_mode = WAL")
                self._writer.execute("PRAGMA synchronous = FULL")
                self._migrate(migrations)
        except BaseException:
            self._writer.close()
            raise

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of the block is on the disk when it ends, or none of it.

        One at a time; others wait. It sees what other processes have committed.

        Raises
        ------
        StorageFull, StoreError
            It could not be written; nothing has changed.
        """
        with self._lock, _said(self.path):
            if self._closed:
                raise StoreError(f"{self.path} is closed")
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk has rolled it back already
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one consistent state for the length of the block."""
        with _said(self.path):
            connection = self._readers.get()
            try:
                if self._closed:
                    raise StoreError(f"{self.path} is closed")
                connection = connection or _connect(self.path)
                connection.execute("BEGIN")
                yield connection
            finally:
                if connection is not None and connection.in_transaction:
                    connection.rollback()
                self._readers.put(connection)

    def close(self) -> None:
        """Close all connections, when their blocks have ended; later calls are StoreErrors."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            readers = [self._readers.get() for _ in range(READERS)]
            for connection in (*readers, self._writer):
                if connection is not None:
                    connection.close()
            for _ in range(READERS):
                self._readers.put(None)

    def _migrate(self, migrations: Sequence[Migration]) -> None:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            (version,) = self._writer.execute("PRAGMA user_version").fetchone()
            if version > len(migrations):
                raise StoreError(
                    f"{self.path} has version {version}, but this program knows versions up to "
                    f"{len(migrations)}: a newer wakeword has written it"
                )
            for statements in migrations[version:]:
                for statement in statements:
                    self._writer.execute(statement)
            self._writer.execute(f"PRAGMA user_version = {len(migrations)}")
            self._writer.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._writer.execute("ROLLBACK")
            raise


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return connection


def _create_private(path: Path) -> None:
    """Make the folder and the file readable for their owner only: they tell about a home."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


@contextmanager
def _said(path: Path) -> Iterator[None]:
    """Let errors of SQLite and of the file system be ours."""
    try:
        yield
    except sqlite3.Error as why:
        code = getattr(why, "sqlite_errorcode", None)
        raise (StorageFull if code in _FULL else StoreError)(f"{path}: {why}") from why
    except OSError as why:
        kind = StorageFull if why.errno in (errno.ENOSPC, errno.EDQUOT) else StoreError
        raise kind(f"{path}: {why.strerror or why}") from why


def row_values(row: sqlite3.Row) -> dict[str, Any]:
    """A row by column name."""
    return dict(zip(row.keys(), row, strict=True))
