"""``/v1/calibrations``: operating points from recordings of one's own rooms."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from wakeword.evaluation.calibration import TARGETS_FA_PER_HOUR
from wakeword.runtime import Bundle
from wakeword_service.jobs.calibrations import Progress
from wakeword_service.jobs.measure import Recording, Task, bundle_path
from wakeword_service.problems import Problem, responses
from wakeword_service.routes.common import Before, Limit, Parts, Reader, Service, Tuner, date
from wakeword_service.store import CalibrationRow
from wakeword_service.store.calibrations import CalibrationStatus
from wakeword_service.uploads import Form, UploadedFile, receive_form

router = APIRouter(prefix="/v1/calibrations", tags=["calibrations"])

MAX_TARGETS = 20
MAX_TARGET = 1000.0

CalibrationId = Annotated[
    str, Path(max_length=64, description="`id` of a job.", examples=["0123456789abcdef"])
]


class Calibration(BaseModel):
    """A job. ``operating_points`` are there when it is done."""

    id: str = Field(examples=["0123456789abcdef"])
    status: CalibrationStatus
    created: datetime
    finished: datetime | None
    model: str = Field(examples=["seven"])
    model_sha256: str
    by: str = Field(description="Name of the key that asked.")
    words: list[str]
    targets: list[float] = Field(description="False alarms per hour.")
    negatives: int = Field(description="Recordings without the word.")
    positives: int = Field(description="Clips of the word.")
    progress: float | None = Field(description="From 0 to 1; null while it is not known.")
    scored_s: float | None = Field(description="Seconds of audio that were scored.")
    negative_h: float | None = Field(description="Hours without the word that were scored.")
    operating_points: dict[str, list[dict[str, Any]]] | None = Field(
        description="By word, as in a model's metadata.json; `supported` and `statement` say "
        "whether the hours are enough for the target."
    )
    error: str | None


class CalibrationPage(BaseModel):
    """Jobs, newest first."""

    calibrations: list[Calibration]
    next: int | None = Field(description="`before` of the next page.")


_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["model", "negatives"],
    "additionalProperties": False,
    "properties": {
        "model": {"type": "string", "description": "Name of a model.", "examples": ["seven"]},
        "words": {
            "type": "array", "items": {"type": "string"}, "maxItems": 64,
            "description": "Of its words; by default all. Exactly one where there are positives.",
        },
        "targets": {
            "type": "array", "maxItems": MAX_TARGETS,
            "items": {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_TARGET},
            "description": f"False alarms per hour; by default {TARGETS_FA_PER_HOUR}.",
        },
        "negatives": {
            "type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1,
            "description": "Recordings without the word: wav, flac, ogg, opus, mp3, at any rate.",
        },
        "positives": {
            "type": "array", "items": {"type": "string", "format": "binary"},
            "description": "Clips of the word, one utterance in each, at most 30 s.",
        },
    },
}  # fmt: skip


@router.post(
    "",
    summary="Calibrate on own recordings",
    description="Upload what the microphones hear when nobody says the word - hours of it, the "
    "more the better - and, if there are some, clips of the word. The answer comes at once; the "
    "job says how far it is, and in the end yields operating points that `PUT "
    ".../operating-point` takes by the job's id. Recordings are deleted when the job ends.",
    status_code=202,
    responses={
        202: {"headers": {"Location": {"schema": {"type": "string"}, "description": "The job."}}},
        **responses(404, 507),
    },
    openapi_extra={
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}
    },
)
async def post_calibration(
    request: Request, response: Response, service: Service, caller: Tuner
) -> Calibration:
    uploads = service.calibrations.uploads
    with uploads.turn():
        folder = await run_in_threadpool(uploads.make)
        try:
            form = await receive_form(request, folder)
            row = await run_in_threadpool(_submit, service, form, folder, caller.name)
        except BaseException:
            uploads.remove(folder)
            raise
    response.headers["Location"] = f"/v1/calibrations/{row.id}"
    return _answer(row, service.calibrations.progress(row.id))


@router.get("", summary="All calibrations")
def list_calibrations(
    service: Service, _: Reader, limit: Limit = 100, before: Before = None
) -> CalibrationPage:
    rows = service.store.calibrations.page(limit, before)
    following = rows[-1].seq if len(rows) == limit else None
    jobs = [_answer(row, service.calibrations.progress(row.id)) for row in rows]
    return CalibrationPage(calibrations=jobs, next=following)


@router.get("/{calibration}", summary="A calibration", responses=responses(404))
def get_calibration(calibration: CalibrationId, service: Service, _: Reader) -> Calibration:
    return _answer(_row(service, calibration), service.calibrations.progress(calibration))


@router.delete(
    "/{calibration}",
    summary="Cancel and forget a calibration",
    description="Thresholds that were chosen from it stay.",
    status_code=204,
    responses=responses(404, 507),
)
def delete_calibration(calibration: CalibrationId, service: Service, _: Tuner) -> None:
    if not service.calibrations.remove(calibration):
        raise _unknown(calibration)


def _submit(service: Parts, form: Form, folder: FilePath, key_name: str) -> CalibrationRow:
    for name in {name for name, _ in form.fields} - {"model", "words", "targets"}:
        raise _bad(f"unknown field '{name}'", name, ["model", "words", "targets"])
    for file in form.files:
        if file.field not in ("negatives", "positives"):
            raise _bad(f"unknown file '{file.field}'", file.field, ["negatives", "positives"])
    names = form.values("model")
    if len(names) != 1:
        raise _bad(f"'model' is given {len(names)} times, but it must be once", len(names), 1)
    bundle = service.models.engine(names[0]).bundle
    negatives = [file for file in form.files if file.field == "negatives"]
    positives = [file for file in form.files if file.field == "positives"]
    words = _words(bundle, form.values("words"))
    if not negatives:
        raise _bad("there are no 'negatives': alarms are counted in them", 0, 1)
    if positives and len(words) != 1:
        raise _bad("with 'positives', 'words' must be the one word in them", list(words), 1)
    task = Task(
        bundle=bundle_path(bundle), sha256=bundle.sha256, words=words,
        targets=_targets(form.values("targets")),
        negatives=_recordings(negatives), positives=_recordings(positives),
    )  # fmt: skip
    request = {
        "words": words, "targets": task.targets,
        "negatives": len(negatives), "positives": len(positives),
    }  # fmt: skip
    return service.calibrations.submit(bundle.name, task, folder, request, key_name)


def _words(bundle: Bundle, given: list[str]) -> tuple[str, ...]:
    for word in given:
        bundle.operating_points(word)
    return tuple(dict.fromkeys(given)) or bundle.words


def _targets(given: list[str]) -> tuple[float, ...]:
    if len(given) > MAX_TARGETS:
        raise _bad(f"{len(given)} targets, but at most {MAX_TARGETS}", len(given), MAX_TARGETS)
    targets = []
    for text in given:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0.0 < value <= MAX_TARGET:
            raise _bad(
                f"target '{text}' is not a number above 0 and at most {MAX_TARGET:g}",
                text,
                MAX_TARGET,
            )
        targets.append(value)
    return tuple(sorted(set(targets))) or TARGETS_FA_PER_HOUR


def _recordings(files: list[UploadedFile]) -> tuple[Recording, ...]:
    return tuple(Recording(str(file.path), file.name) for file in files)


def _bad(detail: str, value: object, limit: object) -> Problem:
    return Problem(422, detail=detail, value=value, limit=limit)


def _row(service: Parts, calibration: str) -> CalibrationRow:
    row = service.store.calibrations.get(calibration)
    if row is None:
        raise _unknown(calibration)
    return row


def _unknown(calibration: str) -> Problem:
    detail = f"there is no calibration '{calibration}', or it was forgotten"
    return Problem(404, "unknown_calibration", "No such calibration", detail, value=calibration)


def _answer(row: CalibrationRow, progress: Progress | None) -> Calibration:
    result = row.result or {}
    part = 1.0 if row.status == "done" else None
    if row.finished_s is not None:
        progress = None  # of a job that has just ended: its last word may be old
    if progress is not None and progress.total_s:
        part = min(1.0, progress.done_s / progress.total_s)
    return Calibration(
        id=row.id,
        status=row.status,
        created=date(row.created_s),
        finished=None if row.finished_s is None else date(row.finished_s),
        model=row.model,
        model_sha256=row.model_sha256,
        by=row.key_name,
        **row.request,
        progress=part,
        scored_s=progress.done_s if progress else None,
        negative_h=result.get("negative_h"),
        operating_points=result.get("operating_points"),
        error=row.error,
    )
