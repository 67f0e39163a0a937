"""``/v1/detect``: a recording in, detections out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from wakeword.errors import AudioError, ConfigError
from wakeword.runtime import Engine
from wakeword_service.detect import detect_file
from wakeword_service.problems import Problem, of_error, responses
from wakeword_service.routes.common import Parts, Service, Streamer
from wakeword_service.uploads import MULTIPART, media_type, receive_file, receive_form

router = APIRouter(prefix="/v1/detect", tags=["detections"])

RAW_TYPES = ("application/octet-stream", "application/ogg", "video/ogg")


class Heard(BaseModel):
    """A word in the recording; samples are counted at the model's rate."""

    model_config = ConfigDict(from_attributes=True)

    keyword: str = Field(examples=["computer"])
    model: str = Field(examples=["seven"])
    score: float
    threshold: float
    start_s: float
    end_s: float
    start_sample: int
    end_sample: int
    sample_rate: int


class Found(BaseModel):
    """What was heard, in the order of time."""

    seconds: float = Field(description="Length of the recording.")
    detections: list[Heard]


class _Wanted(BaseModel):
    models: list[Annotated[str, Field(max_length=130)]] = Field(
        [], max_length=64, description="Models, words or `model:word`; by default all words."
    )
    threshold: float | None = Field(
        None, gt=0.0, lt=1.0, allow_inf_nan=False,
        description="For all words; by default each has the one that is in force here.",
    )  # fmt: skip
    false_alarms_per_hour: float | None = Field(
        None, gt=0.0, le=1000.0, allow_inf_nan=False,
        description="The model's own threshold for this target instead.",
    )  # fmt: skip


_SOUND = {"type": "string", "format": "binary"}
_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "audio/*": {"schema": _SOUND},
        "application/octet-stream": {"schema": _SOUND},
        MULTIPART: {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": _SOUND},
                "additionalProperties": False,
            }
        },
    },
}


@router.post(
    "",
    summary="Detect words in a recording",
    description="wav, flac, ogg, opus or mp3 at any rate, up to an hour; as the body, or as the "
    "only file of a form.",
    responses=responses(404, 507),
    openapi_extra={"requestBody": _BODY},
)
async def post_detect(
    request: Request, wanted: Annotated[_Wanted, Query()], service: Service, _: Streamer
) -> Found:
    service.admission.check_rest()
    uploads = service.calibrations.uploads
    with uploads.turn():
        async with uploads.temporary() as folder:
            path, name = await _receive(request, folder)
            return await run_in_threadpool(_detect, service, wanted, path, name)


async def _receive(request: Request, folder: Path) -> tuple[Path, str]:
    kind, _ = media_type(request)
    if kind == MULTIPART:
        form = await receive_form(request, folder)
        if len(form.files) != 1 or form.fields:
            count = len(form.files) + len(form.fields)
            raise Problem(422, detail="the form must hold one file only", value=count, limit=1)
        return form.files[0].path, form.files[0].name
    if not kind.startswith("audio/") and kind not in RAW_TYPES:
        allowed = ["audio/*", *RAW_TYPES, MULTIPART]
        raise Problem(415, detail="the body must be audio", value=kind, limit=allowed)
    path = folder / "0000"
    await receive_file(request, path)
    return path, "the recording"


def _detect(service: Parts, wanted: _Wanted, path: Path, name: str) -> Found:
    chosen = [
        (engine, {word: _threshold(service, wanted, engine, word) for word in words})
        for engine, words in service.models.select(wanted.models)
    ]
    try:
        seconds, found = detect_file(path, chosen)
    except AudioError as why:
        problem = of_error(why)
        problem.detail = problem.detail.replace(str(path), name)
        raise problem from why
    return Found(seconds=seconds, detections=[Heard.model_validate(d) for d in found])


def _threshold(service: Parts, wanted: _Wanted, engine: Engine, word: str) -> float:
    if wanted.threshold is not None:
        if wanted.false_alarms_per_hour is not None:
            raise ConfigError("give a threshold or false alarms per hour: each decides the other")
        return wanted.threshold
    if wanted.false_alarms_per_hour is not None:
        return engine.bundle.threshold(word, wanted.false_alarms_per_hour)
    return service.tuning.threshold(engine.bundle.name, word)[0]
