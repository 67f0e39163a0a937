"""From what somebody asks for to a threshold, and to what can be expected of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wakeword.errors import ConfigError
from wakeword.runtime import Bundle, OperatingPoints
from wakeword.runtime.detector import check_threshold
from wakeword_service.expectations import Expectation, expect
from wakeword_service.store import Store
from wakeword_service.store.thresholds import ThresholdSource


class TuningError(ConfigError):
    """A wish that cannot be met, with the value that was refused and the limit it broke."""

    def __init__(self, message: str, value: object, limit: object) -> None:
        super().__init__(message)
        self.value = value
        self.limit = limit


@dataclass(frozen=True)
class Wish:
    """What a change is to lead to."""

    threshold: float
    source: ThresholdSource
    expected: Expectation


class Wishes:
    """Looks up former changes and calibrations in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def resolve(self, bundle: Bundle, word: str, request: Mapping[str, Any]) -> Wish:
        """What ``request`` means for a word; its forms are those of :meth:`Tuning.change`.

        Raises
        ------
        ConfigError
            A value is outside its limits, or names something that is not there.
        """
        points = bundle.operating_points(word)
        if not request:
            return own_wish(bundle, word)
        if "history" in request:
            return self._former(bundle, word, request["history"])
        audio = audio_of(bundle)
        if "calibration" in request:
            points = self._calibrated(bundle, word, request["calibration"])
            audio = f"calibration {request['calibration']}, recorded here"
        if "threshold" in request:
            threshold = check_threshold(request["threshold"])
        else:
            threshold = _threshold(points, request["false_alarms_per_hour"])
        return Wish(threshold, "site", expect(points, threshold, audio))

    def _former(self, bundle: Bundle, word: str, number: int) -> Wish:
        former = self._store.thresholds.change(bundle.name, word, number)
        if former is None:
            raise TuningError(
                f"history = {number}, but '{word}' has no such change",
                number,
                "a change of the word",
            )
        if former.source == "model":
            return own_wish(bundle, word)
        if former.model_sha256 == bundle.sha256:
            expected = Expectation.model_validate(former.expected)
        else:
            points = bundle.operating_points(word)
            expected = expect(points, former.threshold, audio_of(bundle))
        return Wish(former.threshold, "site", expected)

    def _calibrated(self, bundle: Bundle, word: str, number: str) -> OperatingPoints:
        job = self._store.calibrations.get(number)
        if job is None:
            raise TuningError(
                f"calibration = {number!r}, but there is none of this id", number, "an existing id"
            )
        if job.result is None:
            raise TuningError(
                f"calibration {number} is {job.status}: it has no operating points",
                job.status,
                "done",
            )
        if (job.model, job.model_sha256) != (bundle.name, bundle.sha256):
            raise TuningError(
                f"calibration {number} was made with another model than the '{bundle.name}' that "
                "is loaded",
                f"{job.model} {job.model_sha256[:12]}",
                f"{bundle.name} {bundle.sha256[:12]}",
            )
        points = job.result["operating_points"]
        if word not in points:
            raise TuningError(
                f"calibration {number} did not measure '{word}'; it measured: {', '.join(points)}",
                word,
                list(points),
            )
        curves = job.result.get("curves", {})  # jobs of older versions have none
        return OperatingPoints.from_list(points[word], word, curves.get(word))


def _threshold(points: OperatingPoints, target: float) -> float:
    try:
        return points.threshold(target)
    except ConfigError as why:
        raise TuningError(str(why), target, list(points.limits)) from None


def audio_of(bundle: Bundle) -> str:
    """How answers name the audio that a bundle's own figures were measured on."""
    return f"the measurements that model {bundle.name} {bundle.metadata.version} brings"


def own_wish(bundle: Bundle, word: str) -> Wish:
    """Back to the operating point that the model brings."""
    threshold = bundle.threshold(word)
    expected = expect(bundle.operating_points(word), threshold, audio_of(bundle))
    return Wish(threshold, "model", expected)
