"""Bounds on what a request may send: bytes altogether, and how long it may keep us waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wakeword_service.problems import Problem
from wakeword_service.settings import Settings

SMALL_BYTES = 64 * 1024
"""Largest body of anything but an upload."""

UPLOADS = ("/v1/calibrations", "/v1/detect")


def install(app: FastAPI, settings: Settings) -> None:
    """Bound the bodies of all requests of ``app``."""
    app.add_middleware(
        BodyLimit, max_upload_bytes=settings.max_upload_bytes, patience_s=settings.idle_s
    )


class BodyLimit:
    """Refuses a body as soon as it is known to be too large; the rest is kept nowhere.

    Parameters
    ----------
    max_upload_bytes
        Limit of the paths that take recordings; :data:`SMALL_BYTES` is that of all others.
    patience_s
        Longest time between two pieces of a body.
    """

    def __init__(self, app: ASGIApp, max_upload_bytes: int, patience_s: float) -> None:
        self._app = app
        self._max_upload_bytes = max_upload_bytes
        self._patience_s = patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._max_upload_bytes if scope["path"] in UPLOADS else SMALL_BYTES
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared[:20]) > limit:
            await _too_large(int(declared[:20]), limit).response()(scope, receive, send)
            return
        await self._app(scope, self._counted(receive, limit), send)

    def _counted(self, receive: Receive, limit: int) -> Callable[[], Awaitable[Message]]:
        taken, complete = 0, False

        async def counted() -> Message:
            nonlocal taken, complete
            if complete:  # the wait for a disconnect may be long
                return await receive()
            try:
                async with asyncio.timeout(self._patience_s):
                    message = await receive()
            except TimeoutError:
                raise Problem(
                    408, "too_slow", "The body does not arrive",
                    f"no byte of the body for {self._patience_s:g} s", limit=self._patience_s,
                ) from None  # fmt: skip
            taken += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if taken > limit:
                raise _too_large(taken, limit)
            return message

        return counted


def _too_large(value: int, limit: int) -> Problem:
    detail = f"the body has {value} bytes or more, but at most {limit} are taken here"
    return Problem(413, detail=detail, value=value, limit=limit)
