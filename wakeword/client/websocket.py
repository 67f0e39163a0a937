"""Opening a websocket, and what its failures mean to a stream."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from wakeword.errors import ConfigError, MissingExtraError, RefusedError
from wakeword.protocol import RETRY_CLOSE_CODES, CloseCode, ErrorMessage

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection
    from websockets.exceptions import ConnectionClosed, InvalidStatus

NO_CLOSE_FRAME = 1006
_OUR_FAULT = (1002, 1003, 1007, 1008, CloseCode.TOO_BIG, 1010)
_BUSY_STATUS = (408, 425, 429)
_MAX_MESSAGE_BYTES = 8 * 1024 * 1024
_OPEN_S, _PING_S, _CLOSE_S = 10.0, 20.0, 2.0


class LinkLostError(Exception):
    """The connection broke, and another one may go on.

    close_code: 1006 where no close frame came. answered: it was the service that spoke.
    error: the service's last word, where it said one.
    """

    def __init__(
        self,
        reason: str,
        close_code: int = NO_CLOSE_FRAME,
        *,
        answered: bool = False,
        error: ErrorMessage | None = None,
        retry_after_s: float = 0.0,
    ) -> None:
        super().__init__(reason)
        self.close_code = close_code
        self.answered = answered
        self.error = error
        self.retry_after_s = retry_after_s


def require_websockets() -> None:
    """Check that the library is there.

    Raises
    ------
    MissingExtraError
        It is not.
    """
    try:
        import websockets.asyncio.client  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("websockets", "client", "streaming to a service") from error


@asynccontextmanager
async def open_websocket(url: str) -> AsyncIterator[ClientConnection]:
    """An open websocket, closed behind the block.

    Raises
    ------
    LinkLostError
        It cannot be opened now.
    RefusedError, ConfigError
        The answer will be the same next time.
    """
    socket = await _connect(url)
    try:
        yield socket
    finally:
        await socket.close()


async def _connect(url: str) -> ClientConnection:
    from websockets import exceptions
    from websockets.asyncio.client import connect

    try:
        return await connect(
            url,
            compression=None,  # audio does not become smaller
            max_size=_MAX_MESSAGE_BYTES,
            open_timeout=_OPEN_S,
            ping_interval=_PING_S,
            ping_timeout=_PING_S,
            close_timeout=_CLOSE_S,
        )
    except exceptions.InvalidURI as error:
        raise ConfigError(f"'{url}' is no address of a service: {error}") from error
    except exceptions.InvalidStatus as error:
        raise _http_reason(error) from error
    except TimeoutError as error:
        raise LinkLostError(f"no answer within {_OPEN_S:g} s") from error
    except OSError as error:
        raise LinkLostError(_os_reason(error)) from error
    except exceptions.WebSocketException as error:
        raise LinkLostError(f"no websocket answers there: {error}") from error


def close_reason(
    closed: ConnectionClosed, error: ErrorMessage | None
) -> LinkLostError | RefusedError:
    """What to raise for a connection that was closed after the service said ``error``."""
    if closed.rcvd is None:
        return LinkLostError("the connection broke")
    code = closed.rcvd.code
    said = error.message if error else closed.rcvd.reason or "no reason given"
    if code in _OUR_FAULT or (code >= 4000 and code not in RETRY_CLOSE_CODES):
        value, limit = (error.value, error.limit) if error else (None, None)
        return RefusedError(said, error.code if error else "", code, value, limit)
    after_s = (error.retry_after_s if error else None) or 0.0
    reason = f"the service closed it with {code}: {said}"
    return LinkLostError(reason, code, answered=True, error=error, retry_after_s=after_s)


def _os_reason(error: OSError) -> str:
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)  # asyncio's own text is about its call
    return error.strerror or str(error) or type(error).__name__


def _http_reason(error: InvalidStatus) -> LinkLostError | RefusedError:
    status, headers = error.response.status_code, error.response.headers
    if status < 500 and status not in _BUSY_STATUS:
        return RefusedError(f"the service refuses the connection with HTTP {status}")
    after = headers.get("Retry-After", "")
    after_s = float(after) if after.isascii() and after.isdecimal() else 0.0
    return LinkLostError(f"the service answers HTTP {status}", answered=True, retry_after_s=after_s)
