"""``/v1/detections``: what was heard, what people say of it, and its sound where it is kept."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from wakeword_service.problems import Problem, responses
from wakeword_service.routes.common import Before, Limit, Parts, Reader, Service, Tuner, date
from wakeword_service.store import DetectionFilter, DetectionRow, Verdict

router = APIRouter(prefix="/v1/detections", tags=["detections"])

DetectionId = Annotated[
    str, Path(max_length=64, description="`id` of a detection.", examples=["0123456789abcdef"])
]


class Detection(BaseModel):
    """One detection. Times are those of its stream, except ``when``."""

    id: str = Field(examples=["0123456789abcdef"])
    when: datetime
    stream_id: str
    stream_name: str = Field(description="What the client calls the stream.", examples=["kitchen"])
    model: str = Field(examples=["seven"])
    model_sha256: str
    word: str = Field(examples=["computer"])
    score: float = Field(description="When the threshold was crossed.")
    peak: float = Field(description="Highest of the utterance: so high a threshold still fires.")
    threshold: float
    start_s: float
    end_s: float
    verdict: Verdict | None
    verdict_by: str | None
    clip: bool = Field(description="Whether its sound is kept.")


class Detections(BaseModel):
    """Detections, newest first."""

    detections: list[Detection]
    next: int | None = Field(description="`before` of the next page.")


class GivenVerdict(BaseModel):
    """Whether the word was really said; null takes a verdict back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"verdict": "confirmed"}, {"verdict": "rejected"}]})  # fmt: skip

    verdict: Verdict | None


def _no_number(value: Any) -> Any:
    """Pydantic would take seconds since 1970 too, which the description does not say."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        raise ValueError("must be a date and time as RFC 3339 has them, with an offset")
    return value


_NUMBER = re.compile(r"[-+]?[0-9._]+([eE][-+]?[0-9]+)?")
Instant = Annotated[AwareDatetime, BeforeValidator(_no_number)]


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(None, max_length=64)
    word: str | None = Field(None, max_length=64)
    stream: str | None = Field(None, max_length=64, description="Id or name of a stream.")
    verdict: Literal["confirmed", "rejected", "none"] | None = None
    since: Instant | None = Field(None, description="Not before; RFC 3339.")
    until: Instant | None = Field(None, description="Before; RFC 3339.")
    min_score: float | None = Field(None, ge=0.0, le=1.0, allow_inf_nan=False)
    limit: Limit = 100
    before: Before = None


@router.get("", summary="What was heard")
def list_detections(wanted: Annotated[_Wanted, Query()], service: Service, _: Reader) -> Detections:
    service.recorder.settle()
    chosen = DetectionFilter(
        model=wanted.model, word=wanted.word, stream=wanted.stream, verdict=wanted.verdict,
        since_s=wanted.since.timestamp() if wanted.since else None,
        until_s=wanted.until.timestamp() if wanted.until else None,
        min_score=wanted.min_score,
    )  # fmt: skip
    rows = service.store.detections.page(chosen, wanted.limit, wanted.before)
    following = rows[-1].seq if len(rows) == wanted.limit else None
    return Detections(detections=[_answer(row) for row in rows], next=following)


@router.get("/{detection}", summary="One detection", responses=responses(404))
def get_detection(detection: DetectionId, service: Service, _: Reader) -> Detection:
    return _answer(_row(service, detection))


@router.post(
    "/{detection}/verdict", summary="Say whether the word was said", responses=responses(404, 507)
)
def give_verdict(
    detection: DetectionId, given: GivenVerdict, service: Service, caller: Tuner
) -> Detection:
    _row(service, detection)
    row = service.store.detections.give_verdict(
        detection, given.verdict, service.recorder.now_s(), caller.name
    )
    if row is None:
        raise _unknown(detection)
    return _answer(row)


@router.get(
    "/{detection}/clip",
    summary="The sound of a detection",
    description="Only where the owner keeps clips (`keep_clips`, off by default), and until they "
    "are deleted for their age or for space.",
    response_class=Response,
    responses={
        200: {"content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}},
        **responses(404),
    },
)
def get_clip(detection: DetectionId, service: Service, _: Reader) -> Response:
    row = _row(service, detection)
    if not service.settings.keep_clips:
        raise Problem(404, "clips_off", "No clips are kept", "this server keeps no clips")
    try:
        sound = service.recorder.clips.path(row.id).read_bytes()
    except FileNotFoundError:
        detail = f"no clip of {row.id} is kept"
        raise Problem(404, "no_clip", "This detection has no clip", detail) from None
    return Response(sound, media_type="audio/wav")


@router.delete(
    "/{detection}",
    summary="Forget a detection and its sound",
    status_code=204,
    responses=responses(404, 507),
)
def delete_detection(detection: DetectionId, service: Service, _: Tuner) -> None:
    row = _row(service, detection)
    service.recorder.clips.remove(row.id)
    if not service.store.detections.remove(row.id):
        raise _unknown(detection)


def _row(service: Parts, detection: str) -> DetectionRow:
    row = service.store.detections.get(detection)
    if row is None:
        service.recorder.settle()  # its stream may have been told just now
        row = service.store.detections.get(detection)
    if row is None:
        raise _unknown(detection)
    return row


def _unknown(detection: str) -> Problem:
    detail = f"there is no detection '{detection}', or it was forgotten"
    return Problem(404, "unknown_detection", "No such detection", detail, value=detection)


def _answer(row: DetectionRow) -> Detection:
    values = {name: getattr(row, name) for name in Detection.model_fields if hasattr(row, name)}
    return Detection(when=date(row.when_s), clip=row.clip_bytes > 0, **values)
