"""How a client behaves, apart from what it asks the service for."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, fields
from urllib.parse import urlsplit, urlunsplit

from wakeword.errors import ConfigError

STREAM_PATH = "/v1/stream"
_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}


@dataclass(frozen=True)
class ClientOptions:
    """Reconnecting, and how much is kept for it.

    live
        The sound happens now: ``send`` never waits, and what is too much for ``keep_s`` is
        forgotten, the oldest first, and counted. Otherwise ``send`` waits and nothing is lost.
    keep_s
        Unacknowledged sound that is kept: an outage of so many seconds loses nothing, and so
        much is taken before ``send`` waits.
    give_up_s
        An outage may last so long; 0: the first one is the end.
    first_delay_s, longest_delay_s
        Time before a new try: doubled each time, of which between a tenth and all is waited.
    window_s
        Unacknowledged sound that is on its way at most, while acknowledgements come.
    ack_patience_s
        Where none came for so long although the window is full, they are waited for no more.
    timeout_s
        For the service's ``ready`` and, at the end, for its next message.
    patient
        A service that is away when the stream begins is waited for as later ones are;
        otherwise that is the end.
    """

    live: bool = False
    keep_s: float = 60.0
    give_up_s: float = 300.0
    first_delay_s: float = 1.0
    longest_delay_s: float = 30.0
    window_s: float = 10.0
    ack_patience_s: float = 10.0
    timeout_s: float = 30.0
    patient: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            low = 0.0 if field.name == "give_up_s" else 1e-3
            if field.type == "float" and not low <= value < math.inf:
                raise ConfigError(f"{field.name} = {value:g}, but it must be at least {low:g}")

    def delays_s(self) -> Iterator[float]:
        """Times before each new try of one outage, without end."""
        delay = self.first_delay_s
        while True:
            # Jitter: a thousand clients of a service that restarts must not come at once.
            yield random.uniform(0.1, 1.0) * delay
            delay = min(2.0 * delay, self.longest_delay_s)


def stream_url(url: str) -> str:
    """The websocket address for what a user gave: ``host:port`` of a service will do.

    Raises
    ------
    ConfigError
        It is no address of a service.
    """
    given = url.strip()
    try:
        parts = urlsplit(given)
        host, _ = parts.hostname, parts.port
    except ValueError as why:
        raise ConfigError(f"'{url}' is no address of a service: {why}") from why
    if parts.scheme not in _SCHEMES or not host:
        raise ConfigError(
            f"'{url}' is no address of a service: it must look like ws://localhost:8765 or "
            "wss://example.org"
        )
    path = parts.path if parts.path.strip("/") else STREAM_PATH
    return urlunsplit((_SCHEMES[parts.scheme], parts.netloc, path, parts.query, ""))
