"""What all routes share: the parts of the service they use, times, pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Protocol

from fastapi import Depends, Path, Query, Request

from wakeword_service.admission import Admission
from wakeword_service.auth import Caller, require
from wakeword_service.jobs import Calibrations
from wakeword_service.models import ModelHost
from wakeword_service.recorder import Recorder
from wakeword_service.settings import Settings
from wakeword_service.store import Store
from wakeword_service.tuning import Tuning


class Parts(Protocol):
    """What the routes use of ``app.state.service``."""

    settings: Settings
    models: ModelHost
    store: Store
    tuning: Tuning
    recorder: Recorder
    calibrations: Calibrations
    admission: Admission


def parts(request: Request) -> Any:
    """The dependency that gives a route the service."""
    return request.app.state.service


Service = Annotated[Parts, Depends(parts)]
Reader = Annotated[Caller, Depends(require("read"))]
Tuner = Annotated[Caller, Depends(require("tune"))]
Admin = Annotated[Caller, Depends(require("admin"))]
Streamer = Annotated[Caller, Depends(require("stream"))]

ModelName = Annotated[str, Path(max_length=64, description="Name of a model.", examples=["seven"])]
Word = Annotated[
    str, Path(max_length=64, description="One of its words.", examples=["smart mirror"])
]
Limit = Annotated[int, Query(ge=1, le=500, description="At most so many.")]
Before = Annotated[
    int | None,
    Query(ge=1, le=2**53, description="`next` of the page before; none for the first page."),
]


def date(when_s: float) -> datetime:
    """Seconds since 1970 as a date; a mad clock gives the nearest that a date can be."""
    return datetime.fromtimestamp(min(max(when_s, 0.0), 253_402_300_799.0), UTC)
