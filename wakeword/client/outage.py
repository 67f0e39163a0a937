"""Whether to try again after a connection was lost, and when."""

from __future__ import annotations

import time
from collections.abc import Iterator

from wakeword.client.settings import ClientOptions
from wakeword.client.websocket import LinkLostError
from wakeword.errors import ConnectionLostError, RefusedError
from wakeword.protocol import CloseCode

IDLE_S = 1.0
"""A service that closes an idle stream is right where less than this waits to be heard."""


class Outages:
    """Follows the outages of one stream; one ends when a connection has brought it forward."""

    def __init__(self, url: str, options: ClientOptions) -> None:
        self._url = url
        self._options = options
        self._delays: Iterator[float] | None = None
        self._since_s = 0.0

    def over(self) -> None:
        """A connection has brought the stream forward: the next loss is a new outage."""
        self._delays = None

    def delay_s(self, lost: LinkLostError, *, was_ready: bool, waiting_s: float) -> float:
        """How long to wait before the next try.

        Parameters
        ----------
        was_ready
            The service has accepted this stream before.
        waiting_s
            Sound that it has not acknowledged.

        Raises
        ------
        ConnectionLostError
            The service cannot be reached, or the outage lasts too long.
        RefusedError
            Trying again makes no sense.
        """
        if not (was_ready or lost.answered or self._options.patient):
            raise ConnectionLostError(f"cannot reach {self._url}: {lost}") from lost
        # A service may not have noticed yet that the old connection is gone, or that it was the
        # network that kept still: what looks like a refusal then passes.
        if _is_timing(lost) and not (was_ready and waiting_s > IDLE_S):
            raise refused(lost) from lost
        now_s = time.monotonic()
        if self._delays is None:
            self._delays, self._since_s = self._options.delays_s(), now_s
        delay_s = max(next(self._delays), min(lost.retry_after_s, self._options.longest_delay_s))
        if now_s - self._since_s + delay_s > self._options.give_up_s:
            raise ConnectionLostError(
                f"the connection to {self._url} is lost for good: {lost}; tried for "
                f"{now_s - self._since_s:.0f} s, {waiting_s:.1f} s of sound were not heard"
            ) from lost
        return delay_s


def refused(lost: LinkLostError) -> RefusedError:
    """The error that tells the owner what the service said."""
    error = lost.error
    if error is None:
        return RefusedError(f"the service ended the stream: {lost}", "", lost.close_code)
    return RefusedError(error.message, error.code, lost.close_code, error.value, error.limit)


def _is_timing(lost: LinkLostError) -> bool:
    return lost.close_code in (CloseCode.TIMED_OUT, CloseCode.TOO_MANY_STREAMS)
