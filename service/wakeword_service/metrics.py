"""What Prometheus is told. Every label value is one of ours, never one of a client's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

LAG_BUCKETS_S = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0)
TICK_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Lags(Collector):
    """A histogram that takes many values at once: one call for a batch of streams."""

    def __init__(self, name: str, documentation: str, buckets: Sequence[float]) -> None:
        self._name, self._documentation = name, documentation
        self._bounds = np.array(buckets)
        self._counts = np.zeros(len(buckets) + 1, np.int64)
        self._sum = 0.0

    def observe(self, values: Sequence[float]) -> None:
        """Count ``values``; callers take turns."""
        places = np.searchsorted(self._bounds, values)
        self._counts += np.bincount(places, minlength=len(self._counts))
        self._sum += float(np.sum(values))

    def collect(self) -> Iterator[Metric]:
        """The one metric."""
        family = HistogramMetricFamily(self._name, self._documentation)
        bounds = [*(str(bound) for bound in self._bounds), "+Inf"]
        totals = [float(total) for total in np.cumsum(self._counts)]
        family.add_metric([], list(zip(bounds, totals, strict=True)), self._sum)
        yield family


class Metrics:
    """All metrics of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry(auto_describe=True)

        def counter(name: str, documentation: str, *labels: str) -> Counter:
            return Counter(f"wakeword_{name}", documentation, labels, registry=registry)

        def gauge(name: str, documentation: str) -> Gauge:
            return Gauge(f"wakeword_{name}", documentation, registry=registry)

        self.streams = gauge("streams", "Streams that are connected now")
        self.sockets = gauge("sockets", "Websockets that are open now, before their start too")
        self.tasks = gauge("tasks", "Tasks of the event loop; two for each stream")
        self.opened = counter("streams_opened", "Streams that were opened")
        self.ended = counter("streams_ended", "Streams that ended, by reason", "reason")
        self.refused = counter("refused", "Streams and requests that were refused", "code")
        self.login_failures = counter("login_failures", "Wrong keys that were presented")
        self.audio_seconds = counter("audio_seconds", "Seconds of audio scored")
        self.steps = counter("steps", "Windows scored, of all models")
        self.detections = counter("detections", "Words heard", "model", "word")
        self.warnings = counter("warnings", "Warnings sent, by code", "code")
        self.dropped = counter(
            "dropped", "What was left out: scores that a slow client did not take, audio that "
            "waited when its stream broke off (seconds)", "what",
        )  # fmt: skip
        self.faults = counter("faults", "Failures inside the service, by place", "where")
        self.overloaded = gauge("overloaded", "1 while new streams are refused")
        self.lag = gauge("lag_seconds", "Longest time audio waited for its score lately")
        self.stream_lag = Lags(
            "wakeword_stream_lag_seconds",
            "From the arrival of the audio that completes a step to its score, real-time streams",
            LAG_BUCKETS_S,
        )
        registry.register(self.stream_lag)
        self.tick = Histogram(
            "wakeword_tick_seconds", "Time to score one batch of streams",
            buckets=TICK_BUCKETS_S, registry=registry,
        )  # fmt: skip
        self.batch = Histogram(
            "wakeword_batch_windows", "Windows that shared one round of scoring",
            buckets=BATCH_BUCKETS, registry=registry,
        )  # fmt: skip

    def know(self, model: str, words: Iterable[str]) -> None:
        """Show the words of a model from the start, at zero."""
        for word in words:
            self.detections.labels(model, word)

    def text(self) -> bytes:
        """All of it, in the format of Prometheus."""
        return generate_latest(self.registry)
