"""API keys: made and removed by ``wakeword keys``, checked at every login.

A key reads ``ww_<id>_<secret>``: the id finds its row, the secret is 256 random bits. Of the key
only its SHA-256 is stored. A slow hash such as argon2 protects secrets that people invent, by
making each guess dear; nobody guesses 256 random bits, at any price, and a slow hash would hand
everyone without a key a way to keep our processor busy.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import math
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from wakeword.errors import ConfigError, WakewordError

SCOPES = ("stream", "read", "tune", "admin")
MAX_NAME_CHARS = 64
MAX_STREAMS = 1_000_000
MAX_DAYS = 36_500
USED_EVERY_S = 60.0
"""``last_used_s`` is as coarse as this: a login must not cost a write each time."""
ENDED_FOR_POLLS = 60
"""So often who subscribed is told of an ended key: a login may be half way while it ends."""

_TOKEN = re.compile(r"ww_(?P<id>[0-9a-f]{12})_[0-9a-f]{64}")
_NO_HASH = hashlib.sha256(b"no key has this hash").digest()

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Key:
    """What is known of a key; from its ``hash`` the key cannot be made again.

    Times are seconds since 1970; ``max_streams`` and ``expires_s`` are None for no limit.
    """

    id: str
    name: str
    hash: bytes = field(repr=False)
    scopes: tuple[str, ...]
    max_streams: int | None
    created_s: float
    expires_s: float | None
    last_used_s: float | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= MAX_NAME_CHARS or not self.name.isprintable():
            raise ConfigError(
                f"name {self.name[:80]!r} must have 1 to {MAX_NAME_CHARS} printable characters"
            )
        if not self.scopes:
            raise ConfigError(f"a key needs at least one scope of {', '.join(SCOPES)}")
        for scope in self.scopes:
            if scope not in SCOPES:
                raise ConfigError(f"unknown scope {scope!r}; the scopes are {', '.join(SCOPES)}")
        if self.max_streams is not None and not 0 < self.max_streams <= MAX_STREAMS:
            raise ConfigError(f"max_streams = {self.max_streams}, but it must be 1..{MAX_STREAMS}")

    def is_valid(self, now_s: float) -> bool:
        """Whether the key has not expired."""
        return self.expires_s is None or now_s < self.expires_s

    def says_the_same_as(self, other: Key) -> bool:
        """Whether both are the same secret with the same name and rights, whenever it was made."""
        mine, theirs = (
            (k.id, k.name, k.hash, k.scopes, k.max_streams, k.expires_s is None)
            for k in (self, other)
        )
        return mine == theirs


class KeyStore(Protocol):
    """The part of the store that keys need; calls may come from any thread."""

    def keys(self) -> list[Key]:
        """All keys, those that another process has just committed included."""

    def has_keys(self) -> bool:
        """Whether there is any."""

    def key(self, key_id: str) -> Key | None:
        """The key of this id."""

    def add_key(self, key: Key) -> None:
        """Keep a key for good; a name or an id that is taken raises ConfigError."""

    def remove_key(self, name: str) -> bool:
        """Forget the key of this name; False where there is none."""

    def touch_keys(self, used_s: Mapping[str, float]) -> None:
        """Note when keys, by id, were last used."""


class Keys:
    """The keys of a service, and who wants to know when one ends."""

    def __init__(self, store: KeyStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._watchers: list[Callable[[str], None]] = []
        self._lock = Lock()
        self._known: set[str] = set()
        self._ended: dict[str, int] = {}
        self._used: dict[str, float] = {}
        self._unwritten: dict[str, float] = {}

    def exist(self) -> bool:
        """Whether any key was made, expired ones too: time alone must not open a service."""
        return self._store.has_keys()

    def all(self) -> list[Key]:
        """All keys, oldest first."""
        return sorted(self._store.keys(), key=lambda key: (key.created_s, key.name))

    def add(
        self,
        name: str,
        scopes: Iterable[str],
        max_streams: int | None = None,
        expires_days: float | None = None,
        token: str | None = None,
    ) -> tuple[Key, str]:
        """Make a key; its text is returned this once and kept nowhere.

        Parameters
        ----------
        token
            The text of a key that was made elsewhere, so that several services know the same.
            If it is here already, under this name and with these rights, nothing changes.

        Raises
        ------
        ConfigError
            The name is taken or not printable, a scope is unknown or none is given, a number is
            outside its limits, or ``token`` is no key.
        """
        if expires_days is not None and not 0 < expires_days <= MAX_DAYS:
            raise ConfigError(f"expires in {expires_days} days, but it must be 0 to {MAX_DAYS}")
        parts = _TOKEN.fullmatch(token) if token is not None else None
        if token is not None and parts is None:
            raise ConfigError("this is not the text of a key, which 'wakeword keys add' prints")
        key_id = parts["id"] if parts else secrets.token_hex(6)
        token = token or f"ww_{key_id}_{secrets.token_hex(32)}"
        now = self._clock()
        chosen = set(scopes)
        key = Key(
            id=key_id,
            name=name,
            hash=_hash(token),
            scopes=tuple(s for s in SCOPES if s in chosen) + tuple(sorted(chosen - set(SCOPES))),
            max_streams=max_streams,
            created_s=now,
            expires_s=None if expires_days is None else now + expires_days * 86_400,
        )
        known = self._store.key(key_id) if parts else None
        if known is not None and known.says_the_same_as(key):
            return known, token
        self._store.add_key(key)
        return key, token

    def remove(self, name: str) -> None:
        """Forget the key called ``name``; its running streams end within seconds.

        Raises
        ------
        ConfigError
            There is no such key.
        """
        if not self._store.remove_key(name):
            known = ", ".join(key.name for key in self.all()) or "none"
            raise ConfigError(f"no key is called {name!r}; there are: {known}")

    def check(self, token: str) -> Key | None:
        """The key that ``token`` is, or None; notes its use.

        The row is found by the id, which is no secret, and an unknown id does the same work, so
        that the time taken tells nothing about any secret.
        """
        parts = _TOKEN.fullmatch(token)
        key = self._store.key(parts["id"]) if parts else None
        fits = hmac.compare_digest(_hash(token), key.hash if key else _NO_HASH)
        now = self._clock()
        if key is None or not fits or not key.is_valid(now):
            return None
        with self._lock:
            self._known.add(key.id)  # it may be removed before the next look
            if abs(now - self._used.get(key.id, -math.inf)) >= USED_EVERY_S:
                self._used[key.id] = self._unwritten[key.id] = now
        return key

    def subscribe(self, callback: Callable[[str], None]) -> None:
        """Call ``callback(key_id)`` when a key was removed or has expired, and then some times
        again, so that what a login begun before is ended too."""
        self._watchers.append(callback)

    def poll(self) -> None:
        """Tell who subscribed which keys have ended since the last look; note what was used."""
        for key_id in self._look():
            for callback in self._watchers:
                try:
                    callback(key_id)
                except Exception:  # the others must hear of it all the same
                    logger.exception("key %s has ended, but who was told failed", key_id)
        self._write_uses()

    def _look(self) -> list[str]:
        now = self._clock()
        with self._lock:  # around the reading too: no key may be used before it is read
            valid = {key.id for key in self.all() if key.is_valid(now)}
            left = {key_id: polls - 1 for key_id, polls in self._ended.items() if polls > 1}
            left |= dict.fromkeys(self._known - valid, ENDED_FOR_POLLS)
            self._ended = {key_id: polls for key_id, polls in left.items() if key_id not in valid}
            self._known = valid
            self._used = {key_id: then for key_id, then in self._used.items() if key_id in valid}
            return sorted(self._ended)

    def _write_uses(self) -> None:
        """Here and not at the login, which so waits for no disk, and fails for no full one."""
        with self._lock:
            uses, self._unwritten = self._unwritten, {}
        try:
            if uses:
                self._store.touch_keys(uses)
        except WakewordError as why:
            logger.warning("could not note that keys were used: %s", why)

    async def watch(self, interval_s: float = 1.0) -> None:
        """Poll until cancelled; a store that fails now is asked again."""
        while True:
            try:
                await asyncio.to_thread(self.poll)
            except Exception:
                logger.exception("could not look for keys that have ended")
            await asyncio.sleep(interval_s)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
