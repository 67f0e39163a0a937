"""Who may do what: keys, scopes, and whom to trust while there is no key.

While no key exists, only this machine is heard: the connection must begin and end on loopback,
pass no proxy, name loopback as its ``Host``, and come from no page of a stranger. As soon as one
key exists, an expired one too, every request needs a key, on loopback as well: a proxy on this
machine would otherwise lend its trust to everybody behind it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from fastapi import FastAPI, Request, Security, WebSocket
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection

from wakeword.errors import ConfigError, WakewordError
from wakeword.protocol.codes import ErrorCode, refusal
from wakeword_service.keys import SCOPES, Key, Keys
from wakeword_service.logins import FailedLogins
from wakeword_service.origins import ANY, host_is_loopback, is_local, origin_allowed
from wakeword_service.problems import Problem
from wakeword_service.settings import Settings

HOW = "make one with: wakeword keys add NAME --scope stream --scope read"
NO_KEY = "a key is needed: as 'Authorization: Bearer KEY', as 'X-API-Key', or in the start message"
BEARER = HTTPBearer(auto_error=False, description="`Authorization: Bearer ww_...`")
HEADER = APIKeyHeader(name="X-API-Key", auto_error=False)
EXPOSED_HEADERS = ("ETag", "Location", "Retry-After")


@dataclass(frozen=True)
class Caller:
    """Who asks. ``key_id`` is None where no key was needed; ``max_streams`` None is the server's.

    The scope ``admin`` holds all others.
    """

    key_id: str | None
    name: str
    scopes: frozenset[str]
    max_streams: int | None

    def may(self, scope: str) -> bool:
        """Whether the caller holds ``scope``."""
        return scope in self.scopes or "admin" in self.scopes


LOCAL = Caller(key_id=None, name="local", scopes=frozenset(SCOPES), max_streams=None)


class Refusal(WakewordError):
    """A caller is not let in: who it is (401), what it may (403), or how often it failed (429)."""

    def __init__(self, status: int, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


class Gate:
    """Lets callers in, or says why not.

    Parameters
    ----------
    on_failure
        Called for each wrong key, to be counted.
    """

    def __init__(
        self, settings: Settings, keys: Keys, on_failure: Callable[[], object] | None = None
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._on_failure = on_failure or (lambda: None)
        self._failures = FailedLogins(settings.login_failures_per_minute)

    def admit(self, connection: HTTPConnection, token: str | None, scope: str) -> Caller:
        """The caller behind ``connection``, which holds ``scope``; may wait for the store.

        Parameters
        ----------
        token
            The key that the caller presents.

        Raises
        ------
        Refusal
            The caller may not do this.
        """
        caller = self._identify(connection, token)
        if not caller.may(scope):
            held = ", ".join(sorted(caller.scopes))
            raise Refusal(403, f"key '{caller.name}' lacks the scope '{scope}'; it has: {held}")
        return caller

    def _identify(self, connection: HTTPConnection, token: str | None) -> Caller:
        key = None if token is None else self._keys.check(token)
        keyless = key is None and not self._keys.exist()
        allowed = self._settings.allowed_origins
        if keyless:  # a page is trusted for its key; without one, '*' would trust all of the web
            allowed = tuple(origin for origin in allowed if origin != ANY)
        if not origin_allowed(connection, allowed):
            origin = connection.headers.get("origin", "")[:200]
            raise Refusal(403, f"pages of {origin!r} are not in allowed_origins")
        if keyless:
            self._trust(connection)
            return LOCAL
        if token is None:
            raise Refusal(401, NO_KEY)
        if key is None:
            raise self._failed(connection)
        return caller_of(key)

    def _trust(self, connection: HTTPConnection) -> None:
        """Refuse whom nothing but a key could make trusted."""
        if self._settings.insecure_allow_anyone:
            return
        if not is_local(connection):
            raise Refusal(401, f"a key is needed beyond this machine, and there is none; {HOW}")
        if not host_is_loopback(connection):
            host = connection.headers.get("host", "")[:200]
            raise Refusal(403, f"Host {host!r} is not a name of this machine, and no key exists")

    def _failed(self, connection: HTTPConnection) -> Refusal:
        """Count a wrong key. A right one always passes, so that nobody behind the same address
        is locked out: the limit bounds noise, while guessing is hopeless at any rate."""
        self._on_failure()
        wait_s = self._failures.fail(connection.client.host if connection.client else None)
        if wait_s:
            return Refusal(
                429, f"too many failed logins: try again in {math.ceil(wait_s)} s", wait_s
            )
        return Refusal(401, "the key is wrong, was removed or has expired")


def caller_of(key: Key) -> Caller:
    """The caller that ``key`` identifies."""
    return Caller(key.id, key.name, frozenset(key.scopes), key.max_streams)


@cache
def require(scope: str) -> Callable[..., Caller]:
    """The FastAPI dependency that lets in callers with ``scope``; gives the :class:`Caller`.

    ``caller: Annotated[Caller, Depends(require("read"))]``
    """
    if scope not in SCOPES:
        raise ValueError(f"unknown scope {scope!r}")

    def admitted(
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
        header: Annotated[str | None, Security(HEADER)],
    ) -> Caller:
        token = bearer.credentials if bearer else header
        try:
            return _gate(request).admit(request, token, scope)
        except Refusal as why:
            raise _problem(why) from None

    return admitted


async def authenticate_socket(websocket: WebSocket, key: str | None) -> Caller:
    """The caller of a stream.

    Parameters
    ----------
    key
        Of the ``start`` message, for browsers, which cannot set headers; a header goes first.

    Raises
    ------
    wakeword.errors.ProtocolError
        With close code 4401 or 4403.
    """
    bearer = await BEARER(websocket)  # it reads nothing but headers
    header = bearer.credentials if bearer else websocket.headers.get("x-api-key")
    token = header if header is not None else key
    try:
        return await run_in_threadpool(_gate(websocket).admit, websocket, token, "stream")
    except Refusal as why:
        code = ErrorCode.FORBIDDEN if why.status == 403 else ErrorCode.UNAUTHORIZED
        raise refusal(code, str(why)) from None


def install(app: FastAPI, settings: Settings) -> None:
    """Let pages of ``allowed_origins`` read the answers."""
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.allowed_origins),
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=EXPOSED_HEADERS,
        )


def check_can_start(settings: Settings, keys: Keys) -> None:
    """Refuse to listen beyond this machine without a key.

    Raises
    ------
    ConfigError
        It would; the message says how to make a key.
    """
    if settings.is_loopback or settings.insecure_allow_anyone or keys.exist():
        return
    raise ConfigError(
        f"host {settings.host} is heard beyond this machine, so a key is needed; {HOW} "
        f"(with WAKEWORD_SERVICE_STATE_DIR={settings.state_dir})"
    )


def _gate(connection: HTTPConnection) -> Gate:
    gate: Gate = connection.app.state.service.gate
    return gate


def _problem(why: Refusal) -> Problem:
    headers: dict[str, str] = {}
    extra: dict[str, Any] = {}
    if why.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if why.status == 429:
        headers["Retry-After"] = str(max(1, math.ceil(why.retry_after_s)))
        extra["retry_after_s"] = max(1, math.ceil(why.retry_after_s))
    return Problem(why.status, detail=str(why), headers=headers, **extra)
