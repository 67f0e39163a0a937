"""How many wrong keys an address may try: a bounded table of leaky buckets."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network, ip_address
from threading import Lock

MAX_ADDRESSES = 4096
"""The address that failed longest ago is forgotten first, so a flood cannot fill the memory."""


class FailedLogins:
    """Counts failures per address; each bucket leaks ``per_minute`` failures a minute.

    A refused attempt adds nothing: who waits as long as told is heard again.

    Parameters
    ----------
    per_minute
        Failures that an address may make at once, and again over each minute.
    clock
        Seconds that only go forward; a wall clock that jumps must not free or lock anybody.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def fail(self, address: str | None) -> float:
        """Note a failure; seconds until the next attempt is heard, 0 while there is room."""
        who, now = source_of(address), self._clock()
        with self._lock:
            level, then = self._levels.get(who, (0.0, now))
            level = max(0.0, level - (now - then) * self._per_minute / 60)
            excess = level + 1 - self._per_minute
            if excess > 1e-9:
                return excess * 60 / self._per_minute
            self._levels[who] = (level + 1, now)
            self._levels.move_to_end(who)
            if len(self._levels) > MAX_ADDRESSES:
                self._levels.popitem(last=False)
            return 0.0

    def __len__(self) -> int:
        """Addresses that are remembered."""
        return len(self._levels)


def source_of(address: str | None) -> str:
    """What is counted as one source: an IPv4 address, or the /64 that one IPv6 line gets."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"  # a Unix socket, or a server that does not say
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed), 64), strict=False))
