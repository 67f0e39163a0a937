"""Which threshold each word has here: the owner's, or else the model's own.

Streams that are running hear of every change at once, through :meth:`Tuning.subscribe`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from wakeword.errors import ConfigError
from wakeword.runtime import Bundle, Engine, OperatingPoints
from wakeword.runtime.detector import check_threshold
from wakeword_service.expectations import Expectation, expect
from wakeword_service.store import RevisionConflict, Store, ThresholdChange
from wakeword_service.store.thresholds import ThresholdSource

logger = logging.getLogger(__name__)

Changed = Callable[[str, str], object]
"""Called with model and word after a change, in the thread that made it."""


class TuningError(ConfigError):
    """A wish that cannot be met, with the value that was refused and the limit it broke."""

    def __init__(self, message: str, value: object, limit: object) -> None:
        super().__init__(message)
        self.value = value
        self.limit = limit


class Engines(Protocol):
    """What is asked of the loaded models."""

    def engine(self, name: str) -> Engine:
        """The engine of a loaded model; UnknownModelError for any other name."""
        ...


class Author(Protocol):
    """Who changes something; ``auth.Caller`` is one."""

    @property
    def key_id(self) -> str | None: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class Setting:
    """The threshold of a word as it is now.

    revision
        The number of the last change, 0 before the first.
    change
        That change.
    other_model
        It was chosen for another version of the model than the one that is loaded.
    """

    bundle: Bundle
    word: str
    threshold: float
    source: ThresholdSource
    revision: int
    change: ThresholdChange | None
    other_model: bool
    expected: Expectation

    @property
    def etag(self) -> str:
        """Stands for this state of the word, of the model's version too."""
        return f'"{self.revision}-{self.bundle.sha256[:12]}"'


Allow = Callable[[Setting], object]
"""Raises unless the setting as it is now may be changed."""


@dataclass(frozen=True)
class _Wish:
    """What a change is to lead to."""

    threshold: float
    source: ThresholdSource
    expected: Expectation


class Tuning:
    """Thresholds by model and word, kept in the store.

    Parameters
    ----------
    clock
        The wall clock in seconds; it dates changes and decides nothing.
    """

    def __init__(
        self, store: Store, models: Engines, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._models = models
        self._clock = clock
        self._watchers: list[Changed] = []
        self._telling = threading.Lock()

    def threshold(self, model: str, word: str) -> tuple[float, ThresholdSource]:
        """The threshold in force, and where it comes from.

        Raises
        ------
        UnknownModelError
            No such model is loaded, or it does not hear the word.
        """
        bundle = self._bundle(model, word)
        last = self._store.thresholds.last(model, word)
        if last is None or last.source == "model":
            return bundle.threshold(word), "model"
        return last.threshold, "site"

    def setting(self, model: str, word: str) -> Setting:
        """The threshold in force with all that is known of it; errors as :meth:`threshold`."""
        bundle = self._bundle(model, word)
        last = self._store.thresholds.last(model, word)
        revision = last.id if last else 0
        if last is None or last.source == "model":
            own = _model_wish(bundle, word)
            return Setting(
                bundle, word, own.threshold, "model", revision, last, False, own.expected
            )
        other = last.model_sha256 != bundle.sha256
        expected = (
            expect(bundle.operating_points(word), last.threshold, audio_of(bundle))
            if other
            else Expectation.model_validate(last.expected)
        )
        return Setting(bundle, word, last.threshold, "site", revision, last, other, expected)

    def change(
        self, model: str, word: str, request: Mapping[str, Any], author: Author, allow: Allow
    ) -> Setting:
        """Change the threshold, durably, and tell everyone.

        Parameters
        ----------
        request
            ``{"threshold": t}``, ``{"false_alarms_per_hour": r}``, ``{"calibration": id,
            "false_alarms_per_hour": r}``, ``{"history": n}`` (what change n led to), or nothing:
            back to the model's own.
        allow
            Looks at the setting that would be changed; no other change comes between.

        Raises
        ------
        UnknownModelError
            As :meth:`threshold`.
        ConfigError
            A value is outside its limits, or names something that is not there.
        StorageFull, StoreError
            It could not be written; the old threshold stays in force.
        """
        while True:
            now = self.setting(model, word)
            allow(now)
            wish = self._wish(now.bundle, word, request)
            change = ThresholdChange(
                id=0, model=model, word=word, model_sha256=now.bundle.sha256,
                when_s=self._clock(), key_id=author.key_id, key_name=author.name,
                from_threshold=now.threshold, from_source=now.source,
                threshold=wish.threshold, source=wish.source,
                request=dict(request), expected=wish.expected.model_dump(),
            )  # fmt: skip
            try:
                self._store.thresholds.add(change, now.revision)
            except RevisionConflict:
                continue  # somebody was quicker: whether this is still allowed is asked again
            self._tell(model, word)
            return self.setting(model, word)

    def history(
        self, model: str, word: str, limit: int, before: int | None = None
    ) -> list[ThresholdChange]:
        """Changes of a word, newest first; errors as :meth:`threshold`."""
        self._bundle(model, word)
        return self._store.thresholds.history(model, word, limit, before)

    def subscribe(self, callback: Changed) -> None:
        """Call ``callback(model, word)`` after every change; its errors reach the log only."""
        self._watchers.append(callback)

    def _tell(self, model: str, word: str) -> None:
        with self._telling:  # one at a time, so that the last one told reads the last value
            for callback in self._watchers:
                try:
                    callback(model, word)
                except Exception:
                    logger.exception("a subscriber failed on the threshold of %s:%s", model, word)

    def _bundle(self, model: str, word: str) -> Bundle:
        bundle = self._models.engine(model).bundle
        bundle.operating_points(word)
        return bundle

    def _wish(self, bundle: Bundle, word: str, request: Mapping[str, Any]) -> _Wish:
        points = bundle.operating_points(word)
        if not request:
            return _model_wish(bundle, word)
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
        return _Wish(threshold, "site", expect(points, threshold, audio))

    def _former(self, bundle: Bundle, word: str, number: int) -> _Wish:
        former = self._store.thresholds.change(bundle.name, word, number)
        if former is None:
            raise TuningError(
                f"history = {number}, but '{word}' has no such change",
                number,
                "a change of the word",
            )
        if former.source == "model":
            return _model_wish(bundle, word)
        if former.model_sha256 == bundle.sha256:
            expected = Expectation.model_validate(former.expected)
        else:
            points = bundle.operating_points(word)
            expected = expect(points, former.threshold, audio_of(bundle))
        return _Wish(former.threshold, "site", expected)

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
        return OperatingPoints.from_list(points[word], word)


def _threshold(points: OperatingPoints, target: float) -> float:
    try:
        return points.threshold(target)
    except ConfigError as why:
        raise TuningError(str(why), target, [points.targets[0], points.targets[-1]]) from None


def audio_of(bundle: Bundle) -> str:
    """How answers name the audio that a bundle's own figures were measured on."""
    return f"the measurements that model {bundle.name} {bundle.metadata.version} brings"


def _model_wish(bundle: Bundle, word: str) -> _Wish:
    threshold = bundle.threshold(word)
    expected = expect(bundle.operating_points(word), threshold, audio_of(bundle))
    return _Wish(threshold, "model", expected)
