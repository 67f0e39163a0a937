"""One run: a server, clients in real time, and the figures of both."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from traffic.audio import Audio, make_audio
from traffic.dialects import Dialect, WakewordDialect, WyomingDialect
from traffic.generator import Generator
from traffic.offline import (
    Heard,
    heard_by_microwakeword,
    heard_by_openwakeword,
    heard_by_wakeword,
)
from traffic.others import wyoming_python
from traffic.outcome import (
    EXAMPLES,
    Matched,
    first_of_each,
    generator_seen,
    machine,
    match,
    percentiles_ms,
    quiet,
    quieten,
    streams_seen,
)
from traffic.servers import (
    HOST,
    Running,
    allow_many_files,
    free_port,
    machine_busy_s,
    microwakeword_server,
    running,
    usage,
    wakeword_server,
    wyoming_server,
)
from wakeword.runtime import Bundle, find_bundle

OTHER_WORD = "alexa"
WYOMING_QUIET_S = 2.0
"""It tells of a word at every chunk above the threshold; satellites take one in two seconds."""

GRACE_S = 20.0
SETTLE_S = 1.0


@dataclass(frozen=True)
class Plan:
    """What a run is to be: everything that ``load.py`` is asked for."""

    streams: int
    seconds: float
    server: str = "wakeword"
    model: str = "seven"
    manifest: Path | None = None
    seed: int = 1
    url: str | None = None
    key: str | None = None


class Contender(NamedTuple):
    """A kind of server: its name for people, its dialect, its truth, its process."""

    what: str
    dialect: Callable[[tuple[str, int]], Dialect]
    expected: Callable[[Audio], list[Heard]]
    command: Callable[[int, Path], tuple[list[str], dict[str, str]]]
    quiet_samples: int = 0


def contender(plan: Plan, bundle: Bundle) -> Contender:
    """The server that ``plan`` names."""
    if plan.server == "wakeword":
        served = {"MODELS": plan.model} if Path(plan.model).is_dir() else None
        return Contender(
            f"wakeword serve, {bundle.name}, {len(bundle.words)} words",
            lambda at: WakewordDialect(f"{at[0]}:{at[1]}", [bundle.name], plan.key),
            lambda audio: heard_by_wakeword(bundle, bundle.words, audio),
            lambda port, folder: wakeword_server(port, folder, plan.streams, served),
        )
    if plan.server == "microwakeword":
        return Contender(
            f"pymicro-wakeword, one instance a client, {OTHER_WORD}",
            lambda at: WakewordDialect(f"{at[0]}:{at[1]}", [OTHER_WORD]),
            heard_by_microwakeword,
            lambda port, _: microwakeword_server(port),
        )
    python = wyoming_python()
    return Contender(
        f"wyoming-openwakeword, {OTHER_WORD}",
        lambda _: WyomingDialect(OTHER_WORD),
        lambda audio: heard_by_openwakeword(python, OTHER_WORD, audio),
        lambda port, _: wyoming_server(port, python, OTHER_WORD),
        quiet(WYOMING_QUIET_S),
    )


def measure(plan: Plan, audio: Audio | None = None) -> dict[str, Any]:
    """Run ``plan`` and return its figures; ``audio`` is made unless given."""
    bundle = find_bundle(plan.model)
    if audio is None:
        say(f"mixing audio for {plan.streams} streams of {plan.seconds:g} s")
        audio = make_audio(plan.streams, plan.seconds, bundle.words, plan.manifest, plan.seed)
    who = contender(plan, bundle)
    say(f"{who.what}: hearing the same samples offline")
    expected = who.expected(audio)
    with _server(plan, who) as server:
        if plan.server != "wakeword":
            time.sleep(SETTLE_S)  # the port is open before the models are loaded
        generator = Generator(server.address, who.dialect(server.address), audio, plan.seed)
        say(f"{who.what}: {plan.streams} streams for {plan.seconds:g} s")
        generator.connect()
        measured = _run(generator, server, plan)
    if who.quiet_samples:
        expected = first_of_each(expected, who.quiet_samples)
        quieten(generator, who.quiet_samples)
    return _figures(plan, who, generator, match(generator, expected, who.quiet_samples), measured,
                    len(expected))  # fmt: skip


def say(text: str) -> None:
    """Tell the person who waits."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def _server(plan: Plan, who: Contender) -> Iterator[Running]:
    allow_many_files()
    if plan.url:
        host, _, said = plan.url.partition("://")[2].partition("/")[0].rpartition(":")
        yield Running((host or HOST, int(said)), None, None)
        return
    with tempfile.TemporaryDirectory(prefix="wakeword-load-") as folder:
        port = free_port()
        with running(*who.command(port, Path(folder)), port) as server:
            yield server


class _Measured(NamedTuple):
    wall_s: float
    stream_s: float
    generator_cpu_s: float
    server_cpu_s: float | None
    other_cpu_s: float
    peak_rss_bytes: int | None
    rss_before_bytes: int | None


def _run(generator: Generator, server: Running, plan: Plan) -> _Measured:
    before = usage(server.pid) if server.pid else None
    busy_s, wall_s, own_s = machine_busy_s(), time.monotonic(), time.process_time()
    generator.run(GRACE_S)
    own_s = time.process_time() - own_s
    wall_s, busy_s = time.monotonic() - wall_s, machine_busy_s() - busy_s
    after = usage(server.pid) if server.pid else None
    server_s = after.cpu_s - before.cpu_s if after and before else None
    return _Measured(
        wall_s,
        plan.streams * plan.seconds,
        own_s,
        server_s,
        max(0.0, busy_s - own_s - (server_s or 0.0)),
        after.peak_rss_bytes if after else None,
        before.rss_bytes if before else None,
    )


def _figures(
    plan: Plan,
    who: Contender,
    generator: Generator,
    matched: Matched,
    measured: _Measured,
    expected: int,
) -> dict[str, Any]:
    server_s = measured.server_cpu_s
    return {
        "server": plan.server,
        "what": who.what,
        "streams": plan.streams,
        "seconds": plan.seconds,
        "latency_ms": percentiles_ms(matched.latencies_s),
        "latency_from_due_ms": percentiles_ms(matched.from_due_s),
        **streams_seen(generator),
        "detections_expected": expected,
        "missed": len(matched.missed),
        "extra": len(matched.extra),
        "examples": {
            "missed": matched.missed[:EXAMPLES],
            "extra": matched.extra[:EXAMPLES],
        },
        "server_cpu_s_per_stream_s": None if server_s is None else server_s / measured.stream_s,
        "server_cores": None if server_s is None else server_s / measured.wall_s,
        "generator_cpu_s_per_stream_s": measured.generator_cpu_s / measured.stream_s,
        "generator_cores": measured.generator_cpu_s / measured.wall_s,
        "other_cores": measured.other_cpu_s / measured.wall_s,
        "peak_rss_mb": _mb(measured.peak_rss_bytes),
        "rss_before_mb": _mb(measured.rss_before_bytes),
        "generator": generator_seen(generator),
        "audio": generator.audio.description,
        "machine": machine(),
    }


def _mb(count: int | None) -> float | None:
    return None if count is None else round(count / 2**20, 1)


def ladder(plan: Plan, rungs: Sequence[int], holds: Callable[[dict[str, Any]], bool]) -> list[Any]:
    """Run ``plan`` with ever more streams, up to and with the first number that does not hold."""
    done = []
    for streams in rungs:
        done.append(measure(replace(plan, streams=streams)))
        if not holds(done[-1]):
            break
    return done
