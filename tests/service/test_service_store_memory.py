"""What connections to the state keep in memory while it grows."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from wakeword_service.store.database import CACHE_KIB, READERS, Database

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for resident memory")

ROW = bytes(4_000)


def resident_kib() -> int:
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def read_with_all(database: Database) -> None:
    """Read everything over each connection."""
    with ExitStack() as stack:
        for _ in range(READERS):
            connection = stack.enter_context(database.read())
            assert connection.execute("SELECT sum(length(body)) FROM rows").fetchone()[0]


def test_connections_do_not_grow_with_the_file(tmp_path: Path) -> None:
    """By SQLite's default each would keep 2 MiB of it in the end, ten together."""
    database = Database(tmp_path / "state", [["CREATE TABLE rows (body BLOB)"]])
    sizes = []
    for _ in range(6):
        with database.write() as connection:
            connection.executemany("INSERT INTO rows VALUES (?)", [(ROW,)] * 256)
        read_with_all(database)
        sizes.append(resident_kib())
    database.close()
    assert sizes[-1] - sizes[0] < (READERS + 1) * CACHE_KIB
