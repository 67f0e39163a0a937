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

from wakeword.runtime import Bundle, Engine
from wakeword_service.expectations import Expectation, expect
from wakeword_service.store import RevisionConflict, Store, ThresholdChange
from wakeword_service.store.thresholds import ThresholdSource
from wakeword_service.wishes import Wishes, audio_of, own_wish

logger = logging.getLogger(__name__)

Changed = Callable[[str, str], object]
"""Called with model and word after a change, in the thread that made it."""


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
        self._wishes = Wishes(store)
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
            own = own_wish(bundle, word)
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
            wish = self._wishes.resolve(now.bundle, word, request)
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
