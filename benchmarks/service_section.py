"""The generated sections of docs/service-behaviour.md: load and comparison, soak."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sections import Section
from soak import soak
from traffic.outcome import LATE_S
from traffic.pictures import LIMIT_MS, load_picture, soak_picture
from traffic.runs import Plan, ladder, measure

from wakeword.evaluation.tables import markdown

LOADS = ((1, 180.0), (10, 60.0), (100, 45.0), (300, 45.0), (500, 45.0), (1000, 45.0))
"""Streams of our own server, and seconds of each: few streams need long for some detections."""

OTHERS = {
    "microwakeword": (1, 100, 150, 200, 300, 400, 600, 1000),
    "wyoming": (1, 5, 10, 20, 40, 60, 80, 120, 160, 240),
}
"""Streams of the other servers, until one is too many."""

OTHERS_S = 30.0
SOAK_MINUTES, SOAK_CLIENTS = 30.0, 40


def measure_section(section: str, model: str, manifest: Path) -> Any:
    """What ``section`` (load or soak) is made of."""
    if section == "load":
        return measure_load(model, manifest)
    return soak(SOAK_MINUTES, SOAK_CLIENTS, model, manifest, seed=1)


def text_of(name: str, found: Any, section: Section) -> str:
    """The text of section ``name``, with its picture."""
    return load_text(found, section) if name == "load" else soak_text(found, section)


def measure_load(model: str, manifest: Path) -> list[dict[str, Any]]:
    """All runs of the page, one after the other."""
    plan = Plan(1, OTHERS_S, model=model, manifest=manifest)
    runs = [measure(Plan(n, s, model=model, manifest=manifest)) for n, s in LOADS]
    for server, rungs in OTHERS.items():
        other = Plan(1, plan.seconds, server, model, manifest)
        runs += ladder(other, rungs, holds)
    return runs


def holds(run: dict[str, Any]) -> bool:
    """Whether a server bears so many streams: nothing lost or wrong, 99 % in time."""
    p99 = run["latency_ms"]["p99"]
    whole = not (run["missed"] or run["extra"] or run["drops"] or run["streams_failed"])
    return whole and (p99 is None or p99 <= LIMIT_MS)


def load_text(runs: Sequence[dict[str, Any]], section: Section) -> str:
    """Tables and picture of the runs."""
    ours = [run for run in runs if run["server"] == "wakeword"]
    others = [run for run in runs if run["server"] != "wakeword"]
    machine = runs[0]["machine"]
    names = sorted(machine.keys() - NOT_PACKAGES)
    packages = ", ".join(f"{name} {machine[name]}" for name in names)
    audio = runs[0]["audio"]
    parts = [
        f"{machine['cores']} cores of {machine['cpu']} for the server and the generator together, "
        f"Linux {machine['kernel']}, Python {machine['python']}, {packages}. Audio: "
        f"{audio['source']}; about {audio['words_per_minute']:.0f} words a minute and stream.",
        "### wakeword serve",
        _heard_table(ours),
        _cost_table(ours),
        _generator_said(ours),
        "### Beside it",
        _heard_table(others),
        _cost_table(others),
        "\n".join(f"- {line}" for line in _bears(runs)),
        section.picture(
            "load.png", load_picture(runs), "Latency and processor time over streams"
        ),
    ]
    return "\n\n".join(part for part in parts if part)


NOT_PACKAGES = {"cores", "cpu", "kernel", "python"}


def soak_text(seen: dict[str, Any], section: Section) -> str:
    """What the soak saw, as words, table and picture."""
    visits = sum(seen["visits"].values())
    kinds = ", ".join(f"{name} {count}" for name, count in seen["visits"].items())
    before, after = seen["before"], seen["after"]
    rows = [
        [NAMES[name], f"{before[name]:g}", f"{after[name]:g}"] for name in NAMES if name in after
    ]
    verdict = "Everything held." if not seen["not_held"] else "\n".join(
        f"- not held: {fault}" for fault in seen["not_held"]
    )  # fmt: skip
    return "\n\n".join(
        [
            f"{seen['minutes']:g} minutes, {seen['clients']} clients at a time, {visits:,} visits "
            f"({kinds}). {seen['polite_streams']:,} streams came to a polite end and were held "
            f"against the offline engine: {seen['detections_checked']:,} detections.",
            markdown(["", "before", "after the last client"], rows),
            f"Memory grew by {seen['slope_mb_per_hour']:.2f} MiB an hour after the first fifth of "
            f"the time (median slope); it was {seen['peak_rss_mb']:.0f} MiB at most.",
            verdict,
            section.picture("soak.png", soak_picture(seen), "Memory and open files"),
        ]
    )


NAMES = {
    "wakeword_streams": "streams",
    "wakeword_sockets": "websockets",
    "wakeword_tasks": "tasks",
    "open_files": "open files, but for the database's",
    "rss_mb": "resident memory in MiB",
}


def _heard_table(runs: Iterable[dict[str, Any]]) -> str:
    """What clients get."""
    header = ["server", "streams", "latency p50", "p95", "p99", "most", "server's lag p99",
              "detections", "missed", "extra", "chunks lost"]  # fmt: skip
    rows = []
    for run in runs:
        times = [_ms(run["latency_ms"][name]) for name in ("p50", "p95", "p99", "max")]
        counts = [str(run[n]) for n in ("detections_expected", "missed", "extra", "drops")]
        lag = _ms(run["lag_ms"]["p99"])
        rows.append([run["what"], str(run["streams"]), *times, lag, *counts])
    return markdown(header, rows)


def _cost_table(runs: Iterable[dict[str, Any]]) -> str:
    """What it takes, and who else took what."""
    header = ["server", "streams", "CPU per second of a stream", "cores", "memory",
              "generator's cores", "all others' cores", "generator late p99"]  # fmt: skip
    rows = []
    for run in runs:
        cpu = f"{1e3 * run['server_cpu_s_per_stream_s']:.2f} ms"
        names = ("generator_cores", "other_cores")
        cores, generator, others = (f"{run[n]:.2f}" for n in ("server_cores", *names))
        late = _ms(run["generator"]["send_late_ms"]["p99"])
        memory = f"{run['peak_rss_mb']:.0f} MiB"
        rows.append([run["what"], str(run["streams"]), cpu, cores, memory, generator, others, late])
    return markdown(header, rows)


def _generator_said(runs: Sequence[dict[str, Any]]) -> str:
    late = [str(run["streams"]) for run in runs if run["generator"]["late"]]
    if not late:
        return ""
    return (
        f"**The generator did not keep time** with {', '.join(late)} streams: a hundredth of its "
        f"chunks were more than {1e3 * LATE_S:.0f} ms late."
    )


def _bears(runs: Sequence[dict[str, Any]]) -> list[str]:
    lines = []
    for what in dict.fromkeys(run["what"] for run in runs):
        borne = [run["streams"] for run in runs if run["what"] == what and holds(run)]
        failed = [run["streams"] for run in runs if run["what"] == what and not holds(run)]
        said = f"{what}: {max(borne, default=0)} streams"
        lines.append(f"{said}, not {min(failed)}" if failed else f"{said}, more were not tried")
    return lines


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} ms" if value >= 10.0 else f"{value:.1f} ms"
