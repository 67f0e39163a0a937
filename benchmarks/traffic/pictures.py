"""The figures drawn: latency and CPU over the number of streams, and a soak over time."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE_INCHES = (9.0, 4.0)
DOTS_PER_INCH = 110
LIMIT_MS = 250.0


def load_picture(runs: Sequence[dict[str, Any]]) -> bytes:
    """p50 and p99 of the latency, and seconds of CPU, over the number of streams; PNG."""
    figure = _figure()
    latency, cpu = figure.subplots(1, 2)
    for number, what in enumerate(dict.fromkeys(run["what"] for run in runs)):
        of_one = sorted((r for r in runs if r["what"] == what), key=lambda r: int(r["streams"]))
        streams = [run["streams"] for run in of_one]
        colour = f"C{number}"
        for name, line in (("p99", "-"), ("p50", ":")):
            values = [run["latency_ms"][name] for run in of_one]
            latency.plot(streams, values, line, color=colour, marker=".", label=f"{what}, {name}")
        cores = [run["server_cores"] for run in of_one]
        cpu.plot(streams, cores, "-", color=colour, marker=".", label=what)
    latency.axhline(LIMIT_MS, color="grey", linewidth=0.8, linestyle="--")
    latency.set(title="Latency", xlabel="streams", ylabel="ms", xscale="log", yscale="log")
    cpu.set(title="The server's processor time", xlabel="streams", ylabel="cores", xscale="log",
            yscale="log")  # fmt: skip
    for axes in (latency, cpu):
        axes.grid(alpha=0.3)
    latency.legend(fontsize=7)
    return _png(figure)


def soak_picture(seen: dict[str, Any]) -> bytes:
    """Memory, streams and open files over the minutes; PNG."""
    figure = _figure()
    memory, counts = figure.subplots(1, 2)
    minutes = [sample["s"] / 60.0 for sample in seen["samples"]]

    def series(name: str) -> list[float]:
        return [sample.get(name, float("nan")) for sample in seen["samples"]]

    memory.plot(minutes, series("rss_mb"))
    memory.set(title="Resident memory", xlabel="minutes", ylabel="MiB", ylim=(0, None))
    for name, label in (("wakeword_streams", "streams"), ("wakeword_sockets", "websockets"),
                        ("open_files", "open files")):  # fmt: skip
        counts.plot(minutes, series(name), linewidth=0.8, label=label)
    counts.set(title="What is open", xlabel="minutes", ylim=(0, None))
    counts.legend(fontsize=7)
    for axes in (memory, counts):
        axes.grid(alpha=0.3)
    return _png(figure)


def _figure() -> Figure:
    from matplotlib.figure import Figure

    return Figure(SIZE_INCHES, DOTS_PER_INCH, layout="constrained")


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
