"""``/v1/models/{name}/live``: how often each threshold would have fired here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from wakeword.runtime import Bundle
from wakeword_service.advice import Advice, LiveThreshold, advise, thresholds
from wakeword_service.problems import responses
from wakeword_service.routes.common import ModelName, Parts, Reader, Service
from wakeword_service.store import LiveSums

router = APIRouter(prefix="/v1/models", tags=["tuning"])

_MINUTES = {"hour": 60, "day": 24 * 60, "week": 7 * 24 * 60}


class Heard(BaseModel):
    """Hours of audio that all streams together had."""

    hour: float
    day: float
    week: float


class LiveWord(BaseModel):
    """What was heard of a word, and would have been at other thresholds."""

    word: str
    threshold: float = Field(description="In force now.")
    heard_h: Heard = Field(description="Hours heard in the last hour, day and week.")
    thresholds: list[LiveThreshold]
    advice: Advice


class LiveUse(BaseModel):
    """Live use of a model, up to the last second."""

    model: str
    model_sha256: str = Field(description="Scores of other versions of the model do not count.")
    words: list[LiveWord]


@router.get(
    "/{name}/live",
    summary="How often each threshold would have fired here",
    description="Over all streams of this server, as the real detector would have with that "
    "threshold. The hours of streams add up: two streams hear two hours in one.",
    responses=responses(404),
)
def get_live(
    name: ModelName,
    service: Service,
    _: Reader,
    false_alarms_per_hour: Annotated[
        float | None,
        Query(gt=0.0, le=1000.0, allow_inf_nan=False, description="For the advice."),
    ] = None,
) -> LiveUse:
    bundle = service.models.engine(name).bundle
    target = false_alarms_per_hour or bundle.metadata.default_target_fa_per_hour
    service.recorder.flush()
    now_s = service.recorder.now_s()
    minute = int(now_s // 60)
    sums = {
        span: service.store.live.sums(bundle.name, bundle.sha256, minute - minutes + 1, minute)
        for span, minutes in _MINUTES.items()
    }
    words = service.models.select([bundle.name])[0][1]
    return LiveUse(
        model=bundle.name,
        model_sha256=bundle.sha256,
        words=[_word(service, bundle, word, sums, now_s, target) for word in words],
    )


def _word(
    service: Parts,
    bundle: Bundle,
    word: str,
    sums: dict[str, dict[str, LiveSums]],
    now_s: float,
    target: float,
) -> LiveWord:
    hour, day, week = (sums[span].get(word, LiveSums()) for span in _MINUTES)
    since_s = now_s - _MINUTES["week"] * 60.0
    judged = service.store.detections.judged(bundle.name, bundle.sha256, word, since_s, now_s)
    return LiveWord(
        word=word,
        threshold=service.tuning.threshold(bundle.name, word)[0],
        heard_h=Heard(
            hour=hour.seconds / 3600.0, day=day.seconds / 3600.0, week=week.seconds / 3600.0
        ),
        thresholds=thresholds(hour, day, week, judged),
        advice=advise(week, judged, target),
    )
