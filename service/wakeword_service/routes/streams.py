"""``GET /v1/streams``: who is connected."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from wakeword_service.auth import Caller, require
from wakeword_service.live import LiveStream

router = APIRouter(prefix="/v1", tags=["streams"])

SHOWN = 1000


class StreamState(BaseModel):
    """One connected stream."""

    id: str = Field(description="As in `ready` and in every detection.")
    name: str = Field(description="The label that the client gave it.")
    caller: str = Field(description="Name of its key; `local` where no key was needed.")
    since: datetime
    encoding: str
    sample_rate: int
    channels: int
    words: dict[str, dict[str, float]] = Field(description="Threshold of each word, by model.")
    audio_s: float = Field(description="Audio received.")
    waiting_s: float = Field(description="Audio received and not yet scored.")
    lag_ms: float = Field(description="Age of the oldest complete step that is not scored.")
    max_lag_ms: float
    real_time_factor: float = Field(
        description="Seconds of audio for each second since the first: 1 is live."
    )
    messages_waiting: int = Field(description="Messages that the client has not taken.")
    detections: dict[str, int]
    warnings: int


class StreamList(BaseModel):
    """All connected streams, oldest first."""

    count: int
    lag_ms: float = Field(description="How late scoring is, the worst of the last two seconds.")
    overloaded: bool = Field(description="New streams are refused.")
    streams: list[StreamState]


@router.get("/streams", summary="Who is connected, with lag and real-time factor")
async def streams(
    request: Request,
    caller: Annotated[Caller, Depends(require("read"))],
    limit: Annotated[int, Query(ge=1, le=SHOWN, description="At most so many.")] = 100,
) -> StreamList:
    """The streams that are connected now, oldest first."""
    service = request.app.state.service
    now = time.monotonic()
    lives: list[LiveStream] = list(service.scheduler.streams.values())
    return StreamList(
        count=len(lives),
        lag_ms=round(1000 * service.scheduler.lag_s(now), 1),
        overloaded=service.admission.overloaded,
        streams=[_state(live, now) for live in lives[:limit]],
    )


def _state(live: LiveStream, now: float) -> StreamState:
    start = live.start
    return StreamState(
        id=live.id,
        name=live.name,
        caller=live.caller.name,
        since=datetime.fromtimestamp(live.opened_at, UTC),
        encoding=start.encoding,
        sample_rate=start.sample_rate,
        channels=start.channels,
        words={stream.engine.bundle.name: stream.thresholds for stream in live.streams},
        audio_s=round(live.inbox.received_s, 3),
        waiting_s=round(live.waiting_s, 3),
        lag_ms=round(1000 * live.lag_s(now), 1),
        max_lag_ms=round(1000 * live.counters.max_lag_s, 1),
        real_time_factor=round(live.real_time_factor, 3),
        messages_waiting=len(live.outbox),
        detections=dict(live.counters.detections),
        warnings=live.counters.warnings,
    )
