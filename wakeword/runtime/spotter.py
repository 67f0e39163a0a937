"""The short way: one stream, all words, detections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from wakeword.errors import ConfigError
from wakeword.runtime.bundle import Bundle
from wakeword.runtime.detector import Detection
from wakeword.runtime.engine import Engine
from wakeword.runtime.registry import Selection, merge, select
from wakeword.runtime.results import StepResult
from wakeword.runtime.stream import Stream

Model = str | Path | Bundle | Selection
"""A name of a bundle or word, a bundle's folder, a loaded bundle, or some of its words."""


class Spotter:
    """Hears words in one stream of audio.

    >>> spotter = Spotter(["computer"], sample_rate=48_000, channels=2)
    >>> for chunk in chunks:
    ...     for detection in spotter.feed(chunk):
    ...         print(detection.keyword, detection.end_s)

    Parameters
    ----------
    models
        Names of bundles or words, folders of bundles, loaded bundles, or what :func:`select`
        returned, one or several; nothing means all installed words.
    sample_rate, channels
        Declared rate in Hz and number of channels of the samples.
    thresholds
        One for all words, or by word; by default those of the operating points.
    false_alarms_per_hour
        Which operating points, for each word; by default each bundle's own choice.
    threads
        Threads of ONNX Runtime.

    Raises
    ------
    UnknownModelError, BundleError
        A model does not exist or is damaged.
    ConfigError, SampleRateError, AudioError
        An impossible threshold, rate or number of channels.
    """

    def __init__(
        self,
        models: Model | Sequence[Model] = (),
        *,
        sample_rate: int = 16_000,
        channels: int = 1,
        thresholds: float | Mapping[str, float] | None = None,
        false_alarms_per_hour: float | None = None,
        threads: int = 1,
    ) -> None:
        chosen = _selections(models)
        self._thresholds = _by_word(thresholds, {w for s in chosen for w in s.words})
        self._false_alarms_per_hour = false_alarms_per_hour
        self._engines = [(Engine(s.bundle, threads=threads), s.words) for s in chosen]
        self.sample_rate, self.channels = sample_rate, channels
        self.reset()

    def reset(self, *, sample_rate: int | None = None, channels: int | None = None) -> None:
        """Begin a new stream, with another rate or number of channels where given."""
        rate = self.sample_rate if sample_rate is None else sample_rate
        count = self.channels if channels is None else channels
        self.streams: list[Stream] = [
            engine.open_stream(
                rate, count, self._own_thresholds(words), self._false_alarms_per_hour, words
            )
            for engine, words in self._engines
        ]
        self.sample_rate, self.channels = rate, count

    @property
    def model_rate(self) -> int:
        """The highest rate in which any of its models hears: audio need not be given at more."""
        return max(engine.sample_rate for engine, _ in self._engines)

    def feed(self, samples: NDArray[Any], last: bool = False) -> list[Detection]:
        """Take the next samples and return what was heard, in the order of time.

        Parameters
        ----------
        samples (n,) or (n, channels) int16, int32, float32 or float64, any n
        last
            The stream ends here; the end of it is scored too (see :meth:`Stream.finish`).
        """
        return [d for result in self.steps(samples, last) for d in result.detections]

    def finish(self) -> list[Detection]:
        """Declare the end of the stream and return what its end still holds."""
        return [d for result in self.finish_steps() for d in result.detections]

    def steps(self, samples: NDArray[Any], last: bool = False) -> list[StepResult]:
        """As :meth:`feed`, but every scored step of every model, in the order of time."""
        for stream in self.streams:
            stream.accept(samples)
        return self.finish_steps() if last else self._step()

    def finish_steps(self) -> list[StepResult]:
        """As :meth:`finish`, but every step that was scored."""
        for stream in self.streams:
            stream.finish()
        return self._step()

    def _own_thresholds(self, words: tuple[str, ...]) -> float | dict[str, float] | None:
        if isinstance(self._thresholds, Mapping):
            return {w: t for w, t in self._thresholds.items() if w in words}
        return self._thresholds

    def _step(self) -> list[StepResult]:
        results = [r for stream in self.streams for r in stream.engine.step([stream])]
        return sorted(results, key=lambda r: r.end_s) if len(self.streams) > 1 else results


def _selections(models: Model | Sequence[Model]) -> list[Selection]:
    given = [models] if isinstance(models, Model) else list(models)
    if not given:
        return select()
    chosen: list[Selection] = []
    for model in given:
        if isinstance(model, Selection):
            chosen.append(model)
        elif isinstance(model, Bundle):
            chosen.append(Selection(model, model.words))
        else:
            chosen += select([str(model)])
    return merge(chosen)


def _by_word(
    thresholds: float | Mapping[str, float] | None, words: set[str]
) -> float | Mapping[str, float] | None:
    for word in thresholds if isinstance(thresholds, Mapping) else ():
        if word not in words:
            raise ConfigError(
                f"a threshold was given for '{word}', but the words are: {', '.join(sorted(words))}"
            )
    return thresholds
