"""The web server around the application, set up for many streams."""

from __future__ import annotations

import contextlib
import gc
import math
import socket

import structlog
import uvicorn

from wakeword.errors import ConfigError
from wakeword.runtime.memory import keep_memory
from wakeword_service import logs
from wakeword_service.app import create_app
from wakeword_service.service import Service
from wakeword_service.settings import Settings
from wakeword_service.wire import AudioProtocol

log = structlog.get_logger(__name__)

BACKLOG = 2048


def serve(settings: Settings) -> None:
    """Serve until a signal says stop.

    Raises
    ------
    ConfigError
        The address cannot be listened on, or a setting cannot be used.
    WakewordError
        A model or the state cannot be used.
    """
    logs.configure(settings)
    allow_sockets()
    keep_memory()
    listener = listen(settings)
    with listener:
        service = Service(settings)
        host, port = listener.getsockname()[:2]
        scheme = "https" if settings.ssl_certfile else "http"
        shown = f"[{host}]" if ":" in host else host
        log.info("listening", url=f"{scheme}://{shown}:{port}")
        server = uvicorn.Server(uvicorn_config(settings, service))
        logs.take_over_uvicorn()
        # What was imported stays for good: without it the collector has little to look through.
        # Streams leave next to no cycles, so it need not come by for every few hundred objects.
        gc.collect()
        gc.freeze()
        gc.set_threshold(5_000, 10, 10)
        server.run(sockets=[listener])


def listen(settings: Settings) -> socket.socket:
    """A socket that listens where ``settings`` say; ConfigError where that is impossible."""
    where = f"{settings.host}:{settings.port}"
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, address = found[0]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
        # asyncio does this for sockets that it makes itself; without it an answer in two pieces,
        # or a small message after another, waits 40 ms for an acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as why:
        text = str(why.strerror or why).split(" (while")[0]  # create_server repeats the address
        raise ConfigError(f"cannot listen on {where}: {text}") from None


def allow_sockets() -> None:
    """Open as many files as this process may; by default that is often 1024."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS refuses "without limit"
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def uvicorn_config(settings: Settings, service: Service | None = None) -> uvicorn.Config:
    """How uvicorn runs the application. Audio does not compress, so nothing is compressed."""
    return uvicorn.Config(
        create_app(settings, service),
        host=settings.host,
        port=settings.port,
        ws=AudioProtocol,
        ws_max_size=settings.message_bytes,
        ws_ping_interval=settings.ping_s,
        ws_ping_timeout=settings.ping_s,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_s) + 1,
        ssl_certfile=settings.ssl_certfile,
        ssl_keyfile=settings.ssl_keyfile,
    )
