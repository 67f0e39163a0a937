"""Who may open a stream now: limits, and the policy when the machine is overloaded."""

from __future__ import annotations

import math
from collections import Counter

from wakeword.protocol import ErrorCode, refusal
from wakeword_service.live import Caller
from wakeword_service.metrics import Metrics
from wakeword_service.problems import Problem
from wakeword_service.sayings import RETRY_AFTER_S
from wakeword_service.settings import Settings

SPARE_SOCKETS = 64
"""Websockets beyond ``max_streams``: those that have not said ``start`` yet, and those that are
being told that the server is full."""


class Admission:
    """Counts streams and sockets, and refuses what is too much. For the event loop only."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._keys: Counter[str | None] = Counter()
        self.sockets = 0
        self.draining = False
        self.overloaded = False
        self.lag_s = 0.0

    @property
    def max_sockets(self) -> int:
        """Websockets that may be open at a time."""
        return self._settings.max_streams + SPARE_SOCKETS

    def room_for_socket(self) -> bool:
        """Whether one more websocket may be accepted at all."""
        return self.sockets < self.max_sockets and not self.draining

    def enter(self, caller: Caller) -> None:
        """Count a new stream of ``caller``; :meth:`leave` takes it back.

        Raises
        ------
        ProtocolError
            There are too many, or the server is overloaded or going away.
        """
        settings = self._settings
        if self.draining:
            raise refusal(ErrorCode.RESTARTING, "the server is shutting down")
        if self.overloaded:
            lag_ms, limit_ms = round(1000 * self.lag_s), settings.lag_limit_ms
            raise refusal(
                ErrorCode.OVERLOADED,
                f"the server is overloaded: scoring is {lag_ms} ms late, the limit is "
                f"{limit_ms:g} ms",
                lag_ms,
                limit_ms,
            )
        total = self._keys.total()
        if total >= settings.max_streams:
            raise refusal(
                ErrorCode.OVERLOADED,
                f"the server has {total} streams, its limit is {settings.max_streams}",
                total,
                settings.max_streams,
            )
        own, most = self._keys[caller.key_id], self._limit(caller)
        if own >= most:
            raise refusal(
                ErrorCode.TOO_MANY_STREAMS,
                f"'{caller.name}' has {own} streams, its limit is {most}",
                own,
                most,
            )
        self._keys[caller.key_id] += 1

    def leave(self, caller: Caller) -> None:
        """A stream of ``caller`` has ended."""
        self._keys[caller.key_id] -= 1
        if not self._keys[caller.key_id]:
            del self._keys[caller.key_id]

    def judge(self, lag_s: float) -> None:
        """Note how late scoring is: above the limit is overload, until it is below half of it."""
        limit_s = self._settings.lag_limit_ms / 1000
        self.lag_s = lag_s
        self.overloaded = lag_s > (limit_s / 2 if self.overloaded else limit_s)
        self._metrics.lag.set(lag_s)
        self._metrics.overloaded.set(self.overloaded)

    def check_rest(self) -> None:
        """Refuse a request that costs while streams are late; a route's dependency.

        Raises
        ------
        Problem
            503 with ``Retry-After``.
        """
        if not self.overloaded and not self.draining:
            return
        self._metrics.refused.labels("rest_overloaded").inc()
        lag_ms = math.ceil(1000 * self.lag_s)
        raise Problem(
            503,
            "overloaded",
            "The server is overloaded",
            f"scoring is {lag_ms} ms late, the limit is {self._settings.lag_limit_ms:g} ms: "
            f"streams go first; try again in {RETRY_AFTER_S} s",
            headers={"Retry-After": str(RETRY_AFTER_S)},
            value=lag_ms,
            limit=self._settings.lag_limit_ms,
        )

    def _limit(self, caller: Caller) -> int:
        if caller.max_streams is not None:
            return caller.max_streams
        if caller.key_id is None:
            return self._settings.max_streams
        return self._settings.max_streams_per_key
