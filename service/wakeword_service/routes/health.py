"""For whoever watches the server: is it alive, should it get streams, what does it count."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from wakeword_service.auth import Caller, require
from wakeword_service.problems import Problem, responses
from wakeword_service.sayings import RETRY_AFTER_S

router = APIRouter(tags=["operation"])

TRY_LATER = {"Retry-After": str(RETRY_AFTER_S)}


class Health(BaseModel):
    """All is well; otherwise the answer is a problem."""

    status: str = "ok"


@router.get("/healthz", summary="Whether the process works", responses=responses(503))
async def healthz(request: Request) -> Health:
    """503 when a thread that scores has died: then it should be started again."""
    if not request.app.state.service.scheduler.alive:
        raise Problem(503, "broken", "The service is broken", "a scoring thread has ended")
    return Health()


@router.get("/readyz", summary="Whether new streams are taken", responses=responses(503))
async def readyz(request: Request) -> Health:
    """503 while it is shutting down or overloaded: send clients elsewhere."""
    service = request.app.state.service
    if service.draining:
        raise Problem(503, "draining", "The server is shutting down", headers=TRY_LATER)
    service.admission.check_rest()
    if not service.scheduler.alive:
        raise Problem(503, "broken", "The service is broken", "a scoring thread has ended")
    return Health()


@router.get(
    "/metrics", summary="Metrics for Prometheus", response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)  # fmt: skip
async def metrics(
    request: Request, caller: Annotated[Caller, Depends(require("read"))]
) -> Response:
    """In the text format of Prometheus."""
    counted = request.app.state.service.metrics
    counted.tasks.set(len(asyncio.all_tasks()))
    return Response(await asyncio.to_thread(counted.text), media_type=CONTENT_TYPE_LATEST)
