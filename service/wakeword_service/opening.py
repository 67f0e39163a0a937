"""From a ``start`` message to a stream that is ready to run, and what the client is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

import numpy as np

from wakeword.audio.resample import Resampler
from wakeword.errors import UnknownModelError
from wakeword.protocol import (
    PROTOCOL,
    Decoder,
    Limits,
    ReadyMessage,
    ReadyModel,
    ReadyWord,
    StartMessage,
    ThresholdSource,
)
from wakeword.runtime import Engine, EngineBase, Stream
from wakeword_service.live import Caller, LiveStream, StreamOptions
from wakeword_service.models import ModelHost
from wakeword_service.settings import Settings

Sources = dict[tuple[str, str], ThresholdSource]


class SiteThresholds(Protocol):
    """The thresholds of this site; ``tuning.Tuning`` is it."""

    def threshold(self, model: str, word: str) -> tuple[float, ThresholdSource]:
        """The threshold in force, and whether the site or the model decided it."""
        ...


def open_live(
    start: StartMessage,
    caller: Caller,
    models: ModelHost,
    tuning: SiteThresholds,
    options: StreamOptions,
    place: Callable[[Engine], EngineBase],
) -> LiveStream:
    """A stream for what the client asked for; it may wait for the store, or for a process.

    Parameters
    ----------
    place
        Where the stream is to run: as :meth:`wakeword_service.lane.Lane.engine`.

    Raises
    ------
    UnknownModelError
        A model or word is not served.
    ConfigError
        An impossible threshold or target.
    MissingExtraError
        Its encoding needs a package that is not installed.
    """
    chosen = models.select(start.models)
    _check_words(start.threshold, {word for _, words in chosen for word in words})
    streams: list[Stream] = []
    sources: Sources = {}
    decoder = Decoder(start.encoding, start.sample_rate, start.channels)
    for engine, words in chosen:
        thresholds = {}
        for word in words:
            value, source = _threshold(start, engine, word, tuning)
            thresholds[word], sources[engine.bundle.name, word] = value, source
        placed = place(engine)
        streams.append(
            placed.open_stream(decoder.sample_rate, decoder.channels, thresholds, None, words)
        )
    delay_s = max(_resampling_s(stream) for stream in streams)
    options = replace(options, delay_s=delay_s)
    return LiveStream(start, caller, decoder, streams, sources, options)


def ready_message(live: LiveStream, settings: Settings) -> ReadyMessage:
    """What the client is told when its stream is open."""
    limits = Limits(
        message_bytes=settings.message_bytes, buffer_s=settings.buffer_s, idle_s=settings.idle_s
    )
    return ReadyMessage(
        protocol=PROTOCOL,
        stream_id=live.id,
        sample_rate=live.start.sample_rate,
        models=tuple(_model(stream, live.sources) for stream in live.streams),
        step_ms=1000 * max(_step_s(stream.engine) for stream in live.streams),
        latency_ms=round(1000 * max(_latency_s(stream) for stream in live.streams), 1),
        limits=limits,
    )


def _threshold(
    start: StartMessage, engine: Engine, word: str, tuning: SiteThresholds
) -> tuple[float, ThresholdSource]:
    asked = start.threshold
    if isinstance(asked, Mapping):
        asked = asked.get(word)
    if asked is not None:
        return float(asked), "requested"
    if start.false_alarms_per_hour is not None:
        return engine.bundle.threshold(word, start.false_alarms_per_hour), "target"
    return tuning.threshold(engine.bundle.name, word)


def _check_words(thresholds: float | Mapping[str, float] | None, words: set[str]) -> None:
    for word in thresholds if isinstance(thresholds, Mapping) else ():
        if word not in words:
            raise UnknownModelError(
                f"a threshold was given for '{word[:80]}', but the words of this stream are: "
                f"{', '.join(sorted(words))}"
            )


def _model(stream: Stream, sources: Sources) -> ReadyModel:
    bundle = stream.engine.bundle
    words = tuple(
        ReadyWord(word=word, threshold=threshold, source=sources[bundle.name, word])
        for word, threshold in stream.thresholds.items()
    )
    return ReadyModel(
        name=bundle.name,
        version=bundle.metadata.version,
        words=words,
        refractory_s=bundle.metadata.detector.refractory_s,
    )


def _step_s(engine: EngineBase) -> float:
    return engine.step_samples / engine.sample_rate


def _latency_s(stream: Stream) -> float:
    """Until the end of the step, until the mean over steps is that of the word, resampling."""
    engine = stream.engine
    steps = engine.bundle.metadata.smoother.steps
    return steps * _step_s(engine) + _resampling_s(stream)


def _resampling_s(stream: Stream) -> float:
    return _resampler_latency_s(stream.settings.sample_rate, stream.engine.sample_rate)


@lru_cache(maxsize=64)
def _resampler_latency_s(rate_in: int, rate_out: int) -> float:
    """The most that the output lags behind the input: measured, since soxr works in blocks."""
    resampler = Resampler(rate_in, rate_out)
    chunk = np.zeros(max(1, rate_in // 100), np.float32)
    lags = []
    for _ in range(100):
        resampler.process(chunk)
        lags.append(resampler.latency_samples)
    return max(0.0, *lags) / rate_out
