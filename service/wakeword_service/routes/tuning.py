"""``/v1/models/{name}/words/{word}/operating-point``: which threshold a word has here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from wakeword_service.expectations import Expectation
from wakeword_service.problems import responses
from wakeword_service.routes.common import (
    Before,
    Limit,
    ModelName,
    Reader,
    Service,
    Tuner,
    Word,
    date,
)
from wakeword_service.routes.preconditions import Preconditions
from wakeword_service.store import ThresholdChange
from wakeword_service.store.thresholds import ThresholdSource
from wakeword_service.tuning import Setting

PATH = "/{name}/words/{word}/operating-point"
FORMS = (
    "{'threshold'}, {'false_alarms_per_hour'}, {'calibration', 'false_alarms_per_hour'} or "
    "{'history'}"
)

router = APIRouter(prefix="/v1/models", tags=["tuning"])

Target = Annotated[float, Field(gt=0.0, le=1000.0, allow_inf_nan=False)]


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ByThreshold(_Wish):
    """This threshold."""

    threshold: float = Field(gt=0.0, lt=1.0, examples=[0.9])


class ByTarget(_Wish):
    """The threshold that keeps this target on the model's own measurements."""

    false_alarms_per_hour: Target = Field(examples=[0.5])


class ByCalibration(_Wish):
    """The threshold that keeps this target on the recordings of a calibration."""

    calibration: str = Field(pattern="^[0-9a-f]{16}$", examples=["0123456789abcdef"])
    false_alarms_per_hour: Target = Field(examples=[0.5])


def _whole(value: Any) -> Any:
    """To JSON 1.0 is an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class ByHistory(_Wish):
    """What a former change led to."""

    history: Annotated[int, BeforeValidator(_whole)] = Field(ge=1, le=2**53, examples=[1])


def _form(value: Any) -> str | None:
    keys = set(value) if isinstance(value, dict) else set()
    for key in ("calibration", "history", "threshold", "false_alarms_per_hour"):
        if key in keys:
            return key
    return None


Wish = Annotated[
    Annotated[ByThreshold, Tag("threshold")]
    | Annotated[ByTarget, Tag("false_alarms_per_hour")]
    | Annotated[ByCalibration, Tag("calibration")]
    | Annotated[ByHistory, Tag("history")],
    Discriminator(
        _form, custom_error_type="form", custom_error_message=f"give exactly one of {FORMS}"
    ),
]

EXAMPLES: dict[str, Any] = {
    "threshold": {"summary": "A threshold", "value": {"threshold": 0.9}},
    "target": {"summary": "A target", "value": {"false_alarms_per_hour": 0.5}},
    "calibration": {
        "summary": "A target on own recordings",
        "value": {"calibration": "0123456789abcdef", "false_alarms_per_hour": 0.5},
    },
    "history": {"summary": "Back to what a change led to", "value": {"history": 1}},
}


class Change(BaseModel):
    """One change of a threshold."""

    id: int
    when: datetime
    by: str = Field(description="Name of the key, or `local`.", examples=["kitchen tablet"])
    key_id: str | None
    from_threshold: float
    from_source: ThresholdSource
    threshold: float
    source: ThresholdSource
    request: dict[str, Any] = Field(description="What was asked for; empty: back to the model's.")
    model_sha256: str = Field(description="The version of the model that it was chosen for.")


class History(BaseModel):
    """Changes, newest first."""

    changes: list[Change]
    next: int | None = Field(description="`before` of the next page.")


class WordOperatingPoint(BaseModel):
    """The threshold of a word here, and what to expect of it."""

    model: str = Field(examples=["seven"])
    word: str = Field(examples=["computer"])
    threshold: float = Field(examples=[0.86])
    source: ThresholdSource = Field(description="`site`: chosen here; `model`: its own.")
    expected: Expectation
    other_model: bool = Field(
        description="The threshold was chosen for another version of the model; what to expect "
        "is then said from the measurements of the one that is loaded."
    )
    last_change: Change | None


TAGGED: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"schema": {"type": "string"}, "description": "For If-Match."}}}
}


@router.get(PATH, summary="The threshold of a word", responses={**TAGGED, **responses(404)})
def get_operating_point(
    name: ModelName, word: Word, service: Service, response: Response, _: Reader
) -> WordOperatingPoint:
    return _answer(service.tuning.setting(name, word), response)


@router.put(
    PATH,
    summary="Choose the threshold of a word",
    description="By threshold, by target of false alarms per hour, from a calibration, or back to "
    "a former one. It is on the disk when the answer comes, and running streams have it already.",
    responses={**TAGGED, **responses(404, 412, 428, 507)},
)
def put_operating_point(
    name: ModelName,
    word: Word,
    wish: Annotated[Wish, Body(openapi_examples=EXAMPLES)],
    only_if: Preconditions,
    service: Service,
    response: Response,
    caller: Tuner,
) -> WordOperatingPoint:
    done = service.tuning.change(name, word, wish.model_dump(), caller, only_if.check)
    return _answer(done, response)


@router.delete(
    PATH,
    summary="Return to the model's own threshold",
    responses={**TAGGED, **responses(404, 412, 428, 507)},
)
def delete_operating_point(
    name: ModelName,
    word: Word,
    only_if: Preconditions,
    service: Service,
    response: Response,
    caller: Tuner,
) -> WordOperatingPoint:
    return _answer(service.tuning.change(name, word, {}, caller, only_if.check), response)


@router.get(f"{PATH}/history", summary="All changes of a threshold", responses=responses(404))
def get_history(
    name: ModelName, word: Word, service: Service, _: Reader,
    limit: Limit = 100, before: Before = None,
) -> History:  # fmt: skip
    changes = service.tuning.history(name, word, limit, before)
    following = changes[-1].id if len(changes) == limit else None
    return History(changes=[_change(change) for change in changes], next=following)


def _answer(setting: Setting, response: Response) -> WordOperatingPoint:
    response.headers["ETag"] = setting.etag
    return WordOperatingPoint(
        model=setting.bundle.name,
        word=setting.word,
        threshold=setting.threshold,
        source=setting.source,
        expected=setting.expected,
        other_model=setting.other_model,
        last_change=_change(setting.change) if setting.change else None,
    )


def _change(change: ThresholdChange) -> Change:
    values = {name: getattr(change, name) for name in Change.model_fields if hasattr(change, name)}
    return Change(when=date(change.when_s), by=change.key_name, **values)
