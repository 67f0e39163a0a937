"""The application: ``uvicorn --factory wakeword_service.app:create_app``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from wakeword import __version__
from wakeword_service import auth, bodies, logs, problems
from wakeword_service.routes import (
    calibrations,
    detect,
    detections,
    health,
    live,
    models,
    streams,
    tuning,
)
from wakeword_service.service import Service
from wakeword_service.settings import Settings, load_settings
from wakeword_service.shutdown import drain_on_signals
from wakeword_service.stream import StreamSockets

ROUTES = (models, tuning, live, calibrations, detections, detect, streams, health)

DESCRIPTION = """\
Hears wake words in many streams of audio at once. Audio comes over the websocket
`/v1/stream` (see docs/protocol.md); everything else is here.
"""


def create_app(settings: Settings | None = None, service: Service | None = None) -> FastAPI:
    """The application.

    Parameters
    ----------
    settings
        By default those of the environment.
    service
        Made from ``settings``; by default it is made when the server starts.

    Raises
    ------
    ConfigError
        The environment holds a setting that is outside its limits.
    """
    chosen = settings if settings is not None else load_settings()
    logs.configure(chosen)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        made = service if service is not None else await asyncio.to_thread(Service, chosen)
        app.state.service = made
        await asyncio.to_thread(app.openapi)  # slow the first time: not while streams run
        await made.start()
        with drain_on_signals(made.drain):
            yield
        await made.stop()

    app = FastAPI(
        title="wakeword", version=__version__, description=DESCRIPTION, lifespan=lifespan,
        docs_url="/docs", redoc_url=None,
    )  # fmt: skip
    for module in ROUTES:
        app.include_router(module.router)
    problems.install(app)
    bodies.install(app, chosen)
    auth.install(app, chosen)
    app.add_middleware(StreamSockets)
    return app
