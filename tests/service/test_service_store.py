"""The state on disk: whole, private, and there again after anything."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from wakeword_service.keys import Key
from wakeword_service.store import (
    STATE_FILE,
    LiveKey,
    LiveSums,
    RevisionConflict,
    StorageFull,
    Store,
    StoreError,
    ThresholdChange,
)
from wakeword_service.store import database as databases

from wakeword.errors import ConfigError

CHANGE = ThresholdChange(
    id=0, model="tiny", word="low tone", model_sha256="ab", when_s=1.5, key_id=None,
    key_name="local", from_threshold=0.6, from_source="model", threshold=0.7, source="site",
    request={"threshold": 0.7}, expected={"basis": "measured"},
)  # fmt: skip


def fill(store: Store, pages: int = 0) -> None:
    """Let the disk be full: SQLite may not make the file any larger than it is, plus ``pages``."""
    with store._database.write() as connection:
        (count,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {count + pages}")


def until_full(write: Callable[[], Any]) -> int:
    """How many writes succeed before the disk is full."""
    for done in range(100_000):
        try:
            write()
        except StorageFull as why:
            assert STATE_FILE in str(why) and "full" in str(why)
            return done
    raise AssertionError("the disk was never full")


def test_a_change_is_there_when_the_store_is_opened_again(tmp_path: Path) -> None:
    for number in range(3):
        store = Store(tmp_path)
        written = store.thresholds.add(replace(CHANGE, threshold=0.5 + number / 10), number)
        assert written.id == number + 1
        store.close()
    store = Store(tmp_path)
    assert store.thresholds.last("tiny", "low tone") == replace(CHANGE, id=3, threshold=0.7)
    assert [c.id for c in store.thresholds.history("tiny", "low tone", 2)] == [3, 2]
    assert [c.id for c in store.thresholds.history("tiny", "low tone", 9, before=2)] == [1]
    assert store.thresholds.last("tiny", "high tone") is None
    store.close()


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_only_the_owner_can_read_the_state(store: Store) -> None:
    store.thresholds.add(CHANGE, 0)
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    for path in store.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_the_one_who_was_slower_is_told(store: Store) -> None:
    store.thresholds.add(CHANGE, 0)
    with pytest.raises(RevisionConflict) as refused:
        store.thresholds.add(CHANGE, 0)
    assert refused.value.found == 1
    assert len(store.thresholds.history("tiny", "low tone", 10)) == 1


def test_of_many_writers_at_once_one_wins_each_round(tmp_path: Path) -> None:
    stores = [Store(tmp_path), Store(tmp_path)]  # two connections, as two processes have
    won: list[int] = []

    def write(number: int) -> None:
        for revision in range(5):
            try:
                stores[number % 2].thresholds.add(CHANGE, revision)
                won.append(revision)
            except RevisionConflict as lost:
                assert lost.found != revision

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = stores[0].thresholds.history("tiny", "low tone", 100)
    assert len(won) == len(set(won)) == len(history)
    for store in stores:
        store.close()


def test_old_changes_are_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wakeword_service.store.thresholds.MAX_CHANGES_PER_WORD", 3)
    for revision in range(7):
        store.thresholds.add(CHANGE, revision)
    assert [c.id for c in store.thresholds.history("tiny", "low tone", 100)] == [7, 6, 5]


def test_a_full_disk_keeps_the_last_threshold_and_the_service_goes_on(store: Store) -> None:
    store.thresholds.add(CHANGE, 0)
    fill(store)
    big = replace(CHANGE, request={"note": "x" * 500})
    done = until_full(
        lambda: store.thresholds.add(big, store.thresholds.last("tiny", "low tone").id)
    )
    last = store.thresholds.last("tiny", "low tone")
    assert last is not None and last.id == done + 1
    with store._database.write() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    assert store.thresholds.add(CHANGE, done + 1).id == done + 2


def test_a_full_disk_loses_nothing_of_the_sums(store: Store) -> None:
    key = LiveKey(1, "tiny", "ab", "low tone")
    store.live.add({key: LiveSums(10.0, {0.5: 2})})
    fill(store)
    minutes = iter(range(2, 100_000))
    sums = LiveSums(1.0, {t / 100: 1 for t in range(1, 90)})
    until_full(lambda: store.live.add({key._replace(minute=next(minutes)): sums}))
    assert store.live.sums("tiny", "ab", 1, 1) == {"low tone": LiveSums(10.0, {0.5: 2})}


def test_sums_add_up_by_time_model_and_word(store: Store) -> None:
    for minute in (10, 11, 12):
        for word in ("a", "b"):
            key = LiveKey(minute, "m", "sha", word)
            store.live.add({key: LiveSums(6.0, {0.5: 1, 0.9: minute})})
            store.live.add({key: LiveSums(4.0, {0.5: 1})})
    store.live.add({LiveKey(11, "m", "other version", "a"): LiveSums(99.0, {0.5: 99})})
    found = store.live.sums("m", "sha", 11, 12)
    assert found == {w: LiveSums(20.0, {0.5: 4, 0.9: 23}) for w in ("a", "b")}
    store.live.forget_before(12)
    assert store.live.sums("m", "sha", 0, 99) == {
        w: LiveSums(10.0, {0.5: 2, 0.9: 12}) for w in ("a", "b")
    }


def test_keys_are_kept_and_names_are_unique(store: Store) -> None:
    key = Key("0" * 12, "kitchen", b"hash", ("read", "tune"), None, 1.0, None)
    store.keys.add_key(key)
    with pytest.raises(ConfigError, match="kitchen"):
        store.keys.add_key(replace(key, id="1" * 12))
    store.keys.touch_keys({key.id: 7.0})
    assert store.keys.keys() == [replace(key, last_used_s=7.0)]
    assert store.keys.remove_key("kitchen") and not store.keys.remove_key("kitchen")


def test_what_is_no_state_is_refused(tmp_path: Path) -> None:
    (tmp_path / STATE_FILE).write_bytes(b"this is not a database, and it is long enough " * 50)
    with pytest.raises(StoreError, match="not a database"):
        Store(tmp_path)
    with pytest.raises(StoreError, match=r"Not a directory|exists"):
        Store(tmp_path / STATE_FILE)


def test_the_state_of_a_newer_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    Store(tmp_path).close()
    with sqlite3.connect(tmp_path / STATE_FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="version 99"):
        Store(tmp_path)


def test_a_migration_that_breaks_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / STATE_FILE
    broken = [("CREATE TABLE a (x)",), ("CREATE TABLE b (x)", "this is no SQL")]
    with pytest.raises(StoreError, match="syntax"):
        databases.Database(path, broken)
    whole = databases.Database(path, broken[:1])
    with whole.read() as connection:
        names = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert [row["name"] for row in names] == ["a"]
    whole.close()


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.thresholds.last("tiny", "low tone")
    with pytest.raises(StoreError, match="closed"):
        store.thresholds.add(CHANGE, 0)


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from test_service_store import CHANGE
from wakeword_service.store import Store
store = Store(Path(sys.argv[1]))
last = store.thresholds.last("tiny", "low tone")
revision = last.id if last else 0
while True:
    revision = store.thresholds.add(replace(CHANGE, threshold=1 / (revision + 2)), revision).id
    print(revision, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")
def test_a_kill_in_the_middle_of_writing_keeps_every_threshold_that_was_said(
    tmp_path: Path,
) -> None:
    said = 0
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    for round_ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        assert process.stdout is not None
        for _ in range(5 + 7 * round_):
            said = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        process.communicate()
        store = Store(tmp_path)
        last = store.thresholds.last("tiny", "low tone")
        store.close()
        assert last is not None and last.id >= said
        assert last.threshold == 1 / (last.id + 1)
