"""From what the generator saw to the figures of a run."""

from __future__ import annotations

import os
import platform
from collections import Counter, defaultdict
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from traffic.audio import CHUNK_SAMPLES, RATE
from traffic.generator import PERIOD_S, Generator, lateness_s
from traffic.offline import Heard

LATE_S = 0.020
"""A generator that is late by more than this for one chunk in a hundred has not kept real time."""

EXAMPLES = 10

Seconds = Sequence[float] | NDArray[np.float64]


class Matched(NamedTuple):
    """latencies_s: after the completing chunk was offered; from_due_s: after it was due."""

    latencies_s: list[float]
    from_due_s: list[float]
    missed: list[str]
    extra: list[str]


def match(generator: Generator, expected: Sequence[Heard], tolerance_samples: int) -> Matched:
    """Hold what arrived against what the offline engine heard, stream by stream.

    A detection is the expected one if it names the same end, or one up to ``tolerance_samples``
    later where a server does not tell ends exactly.
    """
    arrived = {
        c.number: [(e.word, e.sample, now) for now, e in c.detections] for c in generator.clients
    }
    result = Matched([], [], [], [])
    for heard in expected:
        same = [
            a
            for a in arrived[heard.stream]
            if a[0] == heard.word and 0 <= a[1] - heard.sample <= tolerance_samples
        ]
        if not same:
            result.missed.append(f"stream {heard.stream}: {heard.word} at {heard.sample}")
            continue
        arrived[heard.stream].remove(same[0])
        client = generator.clients[heard.stream]
        if heard.chunk < len(client.taken_up):
            due_s = generator.begin_s + client.offset_s + heard.chunk * PERIOD_S
            result.latencies_s.append(same[0][2] - client.taken_up[heard.chunk])
            result.from_due_s.append(same[0][2] - due_s)
    result.extra.extend(
        f"stream {stream}: {word} at {sample}"
        for stream, left in arrived.items()
        for word, sample, _ in left
    )
    return result


def first_of_each(expected: Sequence[Heard], quiet_samples: int) -> list[Heard]:
    """Without what follows the one before within ``quiet_samples``: some servers say all of it."""
    last: dict[tuple[int, str], int] = {}
    kept = []
    for heard in expected:
        before = last.get((heard.stream, heard.word))
        if before is None or heard.sample - before >= quiet_samples:
            last[heard.stream, heard.word] = heard.sample
            kept.append(heard)
    return kept


def quieten(generator: Generator, quiet_samples: int) -> None:
    """The same for what arrived, by the times that the server tells."""
    for client in generator.clients:
        last: dict[str, int] = defaultdict(lambda: -quiet_samples)
        kept = []
        for now, event in client.detections:
            if event.sample - last[event.word] >= quiet_samples:
                last[event.word] = event.sample
                kept.append((now, event))
        client.detections = kept


def percentiles_ms(values_s: Seconds) -> dict[str, float | int | None]:
    """p50, p95, p99 and the largest in milliseconds, and how many there are."""
    count = len(values_s)
    if not count:
        return {"p50": None, "p95": None, "p99": None, "max": None, "count": 0}
    found = 1e3 * np.percentile(np.asarray(values_s), [50, 95, 99, 100])
    p50, p95, p99, most = (round(float(value), 2) for value in found)
    return {"p50": p50, "p95": p95, "p99": p99, "max": most, "count": count}


def streams_seen(generator: Generator) -> dict[str, Any]:
    """What became of the streams: failures, warnings, lag as the server tells it, audio lost."""
    clients = generator.clients
    summaries = [c.summary for c in clients if c.summary]
    lags_s = [s["max_lag_ms"] / 1e3 for s in summaries if "max_lag_ms" in s]
    failures = Counter(c.failure for c in clients if c.failure)
    drops = sum(_lost_chunks(generator, c.summary, c.sent) for c in clients)
    return {
        "lag_ms": percentiles_ms(lags_s),
        "drops": drops,
        "streams_failed": sum(failures.values()),
        "failures": dict(failures.most_common(EXAMPLES)),
        "close_codes": dict(Counter(str(c.close_code) for c in clients)),
        "warnings": dict(Counter(code for c in clients for code in c.warnings)),
    }


def generator_seen(generator: Generator) -> dict[str, Any]:
    """How well the generator itself kept time."""
    late = lateness_s(generator)
    return {
        "send_late_ms": percentiles_ms(late),
        "late": len(late) > 0 and float(np.percentile(late, 99)) > LATE_S,
        "blocked_sends": generator.blocked_sends,
    }


def machine() -> dict[str, Any]:
    """Processor, cores, and the versions that matter."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    packages = ("numpy", "onnxruntime", "websockets", "uvicorn", "fastapi")
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }


def _lost_chunks(generator: Generator, summary: dict[str, Any], sent: int) -> int:
    """Chunks of a stream that the server never counted as heard."""
    if not summary and generator.dialect.closes_by_itself:
        return generator.chunks
    heard = summary.get("samples", sent * CHUNK_SAMPLES)
    return max(0, -(-(generator.audio.samples - int(heard)) // CHUNK_SAMPLES))


def quiet(seconds: float) -> int:
    """Samples of ``seconds``."""
    return round(seconds * RATE)
