"""API keys at rest: hashes only."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from wakeword.errors import ConfigError
from wakeword_service.keys import Key
from wakeword_service.store.database import Database, row_values


class KeyTable:
    """What :class:`wakeword_service.keys.Keys` needs of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keys(self) -> list[Key]:
        """All keys, those that another process has just committed included."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT * FROM keys").fetchall()
        return [_key(row) for row in rows]

    def has_keys(self) -> bool:
        """Whether there is any."""
        with self._database.read() as connection:
            return bool(connection.execute("SELECT EXISTS (SELECT 1 FROM keys)").fetchone()[0])

    def key(self, key_id: str) -> Key | None:
        """The key of this id."""
        with self._database.read() as connection:
            row = connection.execute("SELECT * FROM keys WHERE id = ?", (key_id,)).fetchone()
        return None if row is None else _key(row)

    def add_key(self, key: Key) -> None:
        """Keep a key for good; a name or an id that is taken raises ConfigError."""
        values = {**vars(key), "scopes": " ".join(key.scopes)}
        with self._database.write() as connection:
            try:
                connection.execute(
                    f"INSERT INTO keys ({', '.join(values)}) "
                    f"VALUES ({', '.join(':' + name for name in values)})",
                    values,
                )
            except sqlite3.IntegrityError:
                raise ConfigError(
                    f"a key is called {key.name!r} already, or has the id {key.id} already; "
                    f"to change it, remove it first"
                ) from None

    def remove_key(self, name: str) -> bool:
        """Forget the key of this name; False where there is none."""
        with self._database.write() as connection:
            return connection.execute("DELETE FROM keys WHERE name = ?", (name,)).rowcount > 0

    def touch_keys(self, used_s: Mapping[str, float]) -> None:
        """Note when keys, by id, were last used."""
        rows = [(when, key_id) for key_id, when in used_s.items()]
        with self._database.write() as connection:
            connection.executemany("UPDATE keys SET last_used_s = ? WHERE id = ?", rows)


def _key(row: sqlite3.Row) -> Key:
    values = row_values(row)
    values["scopes"] = tuple(values["scopes"].split())
    return Key(**values)
