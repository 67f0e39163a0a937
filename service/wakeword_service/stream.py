"""``WS /v1/stream``: which websockets are served, and that none stays behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from wakeword_service import sayings
from wakeword_service.connection import Connection
from wakeword_service.problems import Problem

if TYPE_CHECKING:
    from wakeword_service.service import Service

PATH = "/v1/stream"


class StreamSockets:
    """Serves the websocket :data:`PATH`; everything else goes on to ``app``.

    It is the outermost middleware, because every layer of a framework between would cost time
    for each message, and because a client that reads nothing can only be got rid of with what
    the server itself handed out.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One call for each connection, until it is closed."""
        if scope["type"] != "websocket" or _path(scope) != PATH:
            await self._app(scope, receive, send)
            return
        service: Service = scope["app"].state.service
        websocket = WebSocket(scope, receive, send)
        if not service.admission.room_for_socket():
            await _turn_away(websocket, service)
            return
        service.admission.sockets += 1
        service.metrics.sockets.inc()
        connection = Connection(service, websocket, receive, send)
        service.connections.add(connection)
        try:
            await connection.serve()
        finally:
            service.connections.discard(connection)
            service.admission.sockets -= 1
            service.metrics.sockets.dec()
            connection.forget()


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


async def _turn_away(websocket: WebSocket, service: Service) -> None:
    """Too many sockets even to say so over them."""
    service.metrics.refused.labels("sockets").inc()
    limit = service.admission.max_sockets
    problem = Problem(
        503, "overloaded", "The server has too many connections",
        f"{service.admission.sockets} websockets are open, the limit is {limit}",
        headers={"Retry-After": str(sayings.RETRY_AFTER_S)}, value=service.admission.sockets,
        limit=limit,
    )  # fmt: skip
    await websocket.receive()
    await websocket.send_denial_response(problem.response())
