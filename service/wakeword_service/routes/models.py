"""``/v1/models``: what is served, what it was measured to do, and reading it anew."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from wakeword.errors import BundleError
from wakeword.runtime import Bundle, CountBounds, MeasuredCurve, OperatingPoints
from wakeword_service.expectations import Estimate, Measurement, alarms_at, estimates, misses_at
from wakeword_service.problems import Problem, responses
from wakeword_service.routes.common import Admin, ModelName, Parts, Reader, Service
from wakeword_service.store.thresholds import ThresholdSource

router = APIRouter(prefix="/v1/models", tags=["models"])


class WordSummary(BaseModel):
    """A word, and the threshold it has here."""

    word: str = Field(examples=["computer"])
    threshold: float = Field(examples=[0.86])
    source: ThresholdSource = Field(description="`site`: chosen here; `model`: its own.")


class ModelHead(BaseModel):
    """Which model it is."""

    name: str = Field(examples=["seven"])
    version: str = Field(examples=["1.0.0"])
    description: str
    licence: str = Field(examples=["Apache-2.0"])
    sha256: str = Field(description="Of its network.")


class ModelSummary(ModelHead):
    """A model that is served."""

    words: list[WordSummary]


class Models(BaseModel):
    """All models that are served."""

    models: list[ModelSummary]


class CurvePoint(BaseModel):
    """What one threshold was measured to do: the counts, and the rates with 95 % bounds."""

    threshold: float = Field(examples=[0.86])
    alarms: int = Field(description="In all hours.", examples=[2])
    missed: int = Field(description="Of all clips.", examples=[1])
    false_alarms_per_hour: Estimate
    false_rejection_rate: Estimate


class Curve(BaseModel):
    """Misses over false alarms per hour, by rising threshold.

    At thresholds between two points both lie between those of the points.
    """

    source: str = Field(description="Which measurement the points are.")
    hours: float = Field(description="Hours without the word that were scored.")
    clips: int = Field(description="Clips of the word that were scored; 0: no misses are known.")
    condition: str = Field(description="How those clips sounded; empty where there were none.")
    points: list[CurvePoint]


class MeasuredWord(WordSummary):
    """A word with all that was measured of it."""

    operating_points: list[dict[str, Any]] = Field(
        description="As in the model's metadata.json: target, threshold, false alarms and misses "
        "with bounds, on how much audio, and whether that is enough."
    )
    curve: Curve


class Model(ModelHead):
    """A model with its card and its measurements."""

    parameters: int
    sample_rate: int = Field(description="In Hz, of the model; streams may have any rate.")
    step_ms: float = Field(description="Time between two scores.")
    default_target_fa_per_hour: float
    words: list[MeasuredWord]
    training_data: list[dict[str, Any]] = Field(description="Corpora with their licences.")
    card: str = Field(description="The model card, Markdown.")


@router.get("", summary="Which models are served")
def list_models(service: Service, _: Reader) -> Models:
    return Models(models=[_summary(service, bundle) for bundle in service.models.bundles()])


@router.get("/{name}", summary="A model: card, words, measurements", responses=responses(404))
def get_model(name: ModelName, service: Service, _: Reader) -> Model:
    bundle = service.models.engine(name).bundle
    metadata = bundle.metadata
    rate = metadata.frontend.sample_rate
    return Model(
        **_head(bundle),
        parameters=metadata.model.parameters,
        sample_rate=rate,
        step_ms=1000.0 * metadata.step_samples / rate,
        default_target_fa_per_hour=metadata.default_target_fa_per_hour,
        words=[_measured(service, bundle, word) for word in _words(service, bundle)],
        training_data=[asdict(source) for source in metadata.training.data],
        card=bundle.card,
    )


@router.post(
    "/{name}/reload",
    summary="Read a model's folder again",
    description="New streams get what is there now; running ones keep what they have. What "
    "cannot be used is refused, and the model that is loaded goes on.",
    responses=responses(404, 409),
)
def reload_model(name: ModelName, service: Service, _: Admin) -> ModelSummary:
    service.models.engine(name)  # an unknown name is 404, and not a bad folder
    try:
        bundle = service.models.reload(name)
    except BundleError as why:
        raise Problem(409, "bad_model", "The model's folder cannot be used", str(why)) from why
    return _summary(service, bundle)


def _words(service: Parts, bundle: Bundle) -> tuple[str, ...]:
    """The words of a model that this server offers."""
    return service.models.select([bundle.name])[0][1]


def _summary(service: Parts, bundle: Bundle) -> ModelSummary:
    words = [_word(service, bundle, word) for word in _words(service, bundle)]
    return ModelSummary(**_head(bundle), words=words)


def _head(bundle: Bundle) -> dict[str, str]:
    metadata = bundle.metadata
    return {
        "name": bundle.name,
        "version": metadata.version,
        "description": metadata.description,
        "licence": metadata.licence,
        "sha256": bundle.sha256,
    }


def _word(service: Parts, bundle: Bundle, word: str) -> WordSummary:
    threshold, source = service.tuning.threshold(bundle.name, word)
    return WordSummary(word=word, threshold=threshold, source=source)


def _measured(service: Parts, bundle: Bundle, word: str) -> MeasuredWord:
    points = bundle.operating_points(word)
    return MeasuredWord(
        **_word(service, bundle, word).model_dump(),
        operating_points=points.to_list(),
        curve=_points_only(points) if points.curve is None else _curve(points.curve),
    )


def _curve(curve: MeasuredCurve) -> Curve:
    found = [
        _point(threshold, alarms, missed,
               *estimates(curve, CountBounds(alarms, alarms, missed, missed)))
        for threshold, alarms, missed in zip(
            curve.thresholds, curve.alarms, curve.missed, strict=True
        )
    ]  # fmt: skip
    source = (
        f"{len(found)} thresholds of the measurement that the operating points are from, with the "
        "counts there"
    )
    return _shown(source, curve, found)


def _points_only(points: OperatingPoints) -> Curve:
    """Of a model that brings no curve."""
    found = [
        _point(p.threshold, p.alarms, p.missed, alarms_at(p), misses_at(p))
        for p in points.points[::-1]
    ]
    source = (
        f"the {len(found)} operating points of the model, each measured; it brings no figures of "
        "thresholds between them"
    )
    return _shown(source, points.points[0], found)


def _point(
    threshold: float, alarms: int, missed: int, rate: Estimate, share: Estimate
) -> CurvePoint:
    return CurvePoint(
        threshold=threshold, alarms=alarms, missed=missed,
        false_alarms_per_hour=rate, false_rejection_rate=share,
    )  # fmt: skip


def _shown(source: str, of: Measurement, points: list[CurvePoint]) -> Curve:
    return Curve(
        source=source, hours=of.hours, clips=of.clips, condition=of.condition, points=points
    )
