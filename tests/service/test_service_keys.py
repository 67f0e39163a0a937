"""API keys: made once, kept as a hash, seen by every process at once, ended within a look."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from contextlib import closing, suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inprocess import run
from wakeword_service.keys import ENDED_FOR_POLLS, SCOPES, USED_EVERY_S, Keys
from wakeword_service.store import STATE_FILE, Store, StoreError

import wakeword.cli.keys
from wakeword.errors import ConfigError

DAY_S = 86_400.0


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keys(store, clock):
    return Keys(store.keys, clock)


def test_a_key_is_known_by_its_text_and_nothing_else(keys, clock):
    key, token = keys.add("kitchen", ["read", "stream"], max_streams=2, expires_days=1)
    assert re.fullmatch(r"ww_[0-9a-f]{12}_[0-9a-f]{64}", token)
    assert key.scopes == ("stream", "read") and key.max_streams == 2
    assert key.expires_s == clock.now + DAY_S
    assert keys.check(token) == key
    other = keys.add("hall", ["read"])[1]
    swapped = token[:15] + other[15:]  # the id of one, the secret of the other
    for wrong in (swapped, token[:-1], token + "0", token.upper(), "", "ww_", f" {token}"):
        assert keys.check(wrong) is None


@given(st.text(max_size=200))
def test_any_text_is_refused_quietly(text):
    class Nothing:
        def key(self, _):
            return None

    assert Keys(Nothing()).check(text) is None
    assert Keys(Nothing()).check("ww_" + text) is None


def test_the_secret_is_not_on_the_disk(keys, store, tmp_path):
    key, token = keys.add("kitchen", ["stream"])
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    kept = b"".join(path.read_bytes() for path in files)
    assert token.encode() not in kept and token.split("_")[2].encode() not in kept
    assert key.hash == hashlib.sha256(token.encode()).digest() and key.hash in kept
    assert key.hash.hex() not in repr(key)


def test_an_unknown_id_costs_the_same_comparison(keys, monkeypatch):
    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append((a, b)) or real(a, b))
    _, token = keys.add("kitchen", ["stream"])
    for text in (token, "ww_" + "0" * 12 + "_" + "0" * 64, "nonsense"):
        keys.check(text)
    assert [(len(a), len(b)) for a, b in compared] == [(32, 32)] * 3


def test_a_key_expires(keys, clock):
    _, token = keys.add("guest", ["stream"], expires_days=0.5)
    clock.now += DAY_S / 2 - 1
    assert keys.check(token)
    clock.now += 1
    assert keys.check(token) is None
    assert keys.exist(), "time alone must not open a service"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "1 to 64 printable"),
        ({"name": "x" * 65}, "1 to 64 printable"),
        ({"name": "a\nb"}, "1 to 64 printable"),
        ({"name": "kitchen"}, "'kitchen' already"),
        ({"scopes": []}, "at least one scope of stream, read, tune, admin"),
        ({"scopes": ["stream", "root"]}, "unknown scope 'root'"),
        ({"max_streams": 0}, "max_streams = 0"),
        ({"max_streams": 10**7}, "must be 1"),
        ({"expires_days": 0.0}, "expires in 0.0 days"),
        ({"expires_days": float("nan")}, "expires in nan days"),
        ({"expires_days": 1e9}, "0 to 36500"),
        ({"token": "hunter2"}, "not the text of a key"),
    ],
)
def test_impossible_keys_are_refused(keys, change, says):
    keys.add("kitchen", ["stream"])
    with pytest.raises(ConfigError, match=re.escape(says)):
        keys.add(**({"name": "hall", "scopes": ["stream"]} | change))
    assert [key.name for key in keys.all()] == ["kitchen"]


def test_several_services_can_know_the_same_key(keys, tmp_path):
    key, token = keys.add("fleet", ["stream"], max_streams=9)
    with closing(Store(tmp_path / "other")) as second:
        others = Keys(second.keys)
        for _ in range(2):  # a container that starts again adds it again
            copy, text = others.add("fleet", ["stream"], max_streams=9, token=token)
            assert (copy.id, copy.hash, text) == (key.id, key.hash, token)
        assert len(others.all()) == 1 and others.check(token)
        with pytest.raises(ConfigError, match="remove it first"):
            others.add("fleet", ["stream", "admin"], max_streams=9, token=token)


def test_another_process_is_seen_at_once(keys, tmp_path, clock):
    assert not keys.exist()
    with closing(Store(tmp_path / "state")) as second:  # as `wakeword keys` opens it
        elsewhere = Keys(second.keys, clock)
        _, token = elsewhere.add("kitchen", ["stream"])
        assert keys.exist() and keys.check(token).name == "kitchen"
        elsewhere.remove("kitchen")
    assert keys.check(token) is None and not keys.exist()


def test_who_asked_hears_of_each_ended_key(keys, clock, caplog):
    heard = []

    def fails(_: str) -> None:
        raise RuntimeError("a subscriber with a bug")

    keys.subscribe(fails)
    keys.subscribe(heard.append)
    removed, _ = keys.add("removed", ["stream"])
    expired, _ = keys.add("expired", ["stream"], expires_days=1)
    kept, _ = keys.add("kept", ["stream"])
    keys.poll()
    assert heard == []
    keys.remove("removed")
    clock.now += 2 * DAY_S
    for _ in range(ENDED_FOR_POLLS + 5):  # told again: a login may have been half way
        keys.poll()
    assert sorted(set(heard)) == sorted([removed.id, expired.id]) and kept.id not in heard
    assert len(heard) == 2 * ENDED_FOR_POLLS
    assert "who was told failed" in caplog.text


def test_a_key_that_lives_between_two_looks_is_not_forgotten(keys):
    heard = []
    keys.subscribe(heard.append)
    keys.poll()
    key, token = keys.add("short", ["stream"])
    assert keys.check(token)
    keys.remove("short")
    keys.poll()
    assert heard == [key.id]
    keys.add("short", ["stream"], token=token)  # it comes back, as from a file of the fleet's keys
    keys.poll()
    assert heard == [key.id]


def test_watching_goes_on_after_a_failure(keys, store, monkeypatch, caplog):
    heard = []
    keys.subscribe(heard.append)
    key, _ = keys.add("kitchen", ["stream"])
    keys.poll()
    keys.remove("kitchen")
    real, failures = keys.poll, [StoreError("database is locked")]

    def poll() -> None:
        if failures:
            raise failures.pop()
        real()

    monkeypatch.setattr(keys, "poll", poll)

    async def watched() -> None:
        task = asyncio.create_task(keys.watch(interval_s=0.01))
        while not heard:
            await asyncio.sleep(0.01)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(watched(), 20))
    assert heard == [key.id] and "database is locked" in caplog.text


def test_the_last_use_is_noted_coarsely_and_never_in_the_way(
    keys, store, clock, monkeypatch, caplog
):
    key, token = keys.add("kitchen", ["stream"])
    noted = []
    real = store.keys.touch_keys
    monkeypatch.setattr(store.keys, "touch_keys", lambda used: noted.append(used) or real(used))
    first = clock.now
    for _ in range(5):
        keys.check(token)
    assert noted == [], "a login waits for no disk"
    for _ in range(3):
        keys.poll()
    clock.now += USED_EVERY_S
    keys.check(token)
    keys.poll()
    assert noted == [{key.id: first}, {key.id: clock.now}]
    assert keys.all() == [replace(key, last_used_s=clock.now)]

    def full(_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(store.keys, "touch_keys", full)
    clock.now -= 10 * DAY_S  # a clock that jumps back is noted too, and locks nobody out
    assert keys.check(token)
    keys.poll()
    assert "the disk is full" in caplog.text


def test_the_command_makes_lists_and_removes(capsys, tmp_path):
    state = tmp_path / "state"
    where = ("--state-dir", state)
    made = run(capsys, "keys", "add", "kitchen", "--scope", "stream", "--max-streams", "2", *where)
    assert made.code == 0 and "shown only now" in made.err
    token = made.out.strip()
    with closing(Store(state)) as store:
        assert Keys(store.keys).check(token).max_streams == 2
    full = run(capsys, "keys", "add", "ui", "--scope", "read", "--expires", "1", "--json", *where)
    assert full.records[0]["key"].startswith(f"ww_{full.records[0]['id']}_")

    listed = run(capsys, "keys", "list", "--json", *where)
    assert [(k["name"], k["scopes"]) for k in listed.records] == [
        ("kitchen", ["stream"]), ("ui", ["read"]),
    ]  # fmt: skip
    text = run(capsys, "keys", "list", *where)
    assert "kitchen" in text.out and token not in text.out + listed.out
    for name in ("kitchen", "ui"):
        gone = run(capsys, "keys", "remove", name, *where)
        assert gone.code == 0 and gone.out == ""
    assert "this machine only" in gone.err
    assert run(capsys, "keys", "list", *where).out == ""


def test_the_command_takes_a_key_from_a_file(capsys, tmp_path):
    made = run(capsys, "keys", "add", "a", "--scope", "admin", "--state-dir", tmp_path / "one")
    (tmp_path / "key").write_text(made.out, "utf-8")
    add = ("keys", "add", "a", "--scope", "admin", "--key-file", tmp_path / "key")
    for _ in range(2):
        taken = run(capsys, *add, "--json", "--state-dir", tmp_path / "two")
        assert taken.code == 0 and "key" not in json.loads(taken.out)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "x"), "--scope"),
        (("add", "x", "--scope", "root"), "root"),
        (("add", "x", "--scope", "read", "--max-streams", "0"), "max_streams = 0"),
        (("add", "x", "--scope", "read", "--expires", "-1"), "-1.0 days"),
        (("remove", "x"), "no service has its state"),
        (("list",), "no service has its state"),
    ],
)
def test_the_command_refuses_cleanly(capsys, tmp_path, arguments, says):
    done = run(capsys, "keys", *arguments, "--state-dir", tmp_path / "state")
    assert done.code == 2 and done.out == "" and says in done.err
    if arguments[0] != "add":
        assert not (tmp_path / "state").exists()


def test_a_damaged_state_is_said(capsys, tmp_path):
    (tmp_path / STATE_FILE).write_bytes(b"this is no database" * 100)
    done = run(capsys, "keys", "list", "--state-dir", tmp_path)
    assert done.code == 2 and "not a database" in done.err


def test_help_knows_the_same_scopes():
    assert wakeword.cli.keys.SCOPES == SCOPES
