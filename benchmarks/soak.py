"""Soak: clients that open, die, send garbage, stall and come back, for half an hour.

    python benchmarks/soak.py --minutes 30 [--clients 40] [--json soak.json] [--picture soak.png]

Starts ``wakeword serve`` and lets clients come and go: some stream politely, and must get exactly
the detections of the offline engine; the others die without a close frame, vanish in the middle
of a message, send garbage, never start, never read, stall, or reconnect. Meanwhile the memory,
the open files and the tasks of the server are watched.

Exit code 1 if at the end a stream, socket, task or file is left, if memory grew, or if a polite
stream got another detection than the offline engine. Memory is judged after a fifth of the time,
by the median of all slopes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from ending import run
from traffic.audio import make_audio
from traffic.churn import Churn, Watch, slope_mb_per_hour
from traffic.offline import heard_by_wakeword
from traffic.outcome import EXAMPLES, machine
from traffic.runs import say
from traffic.servers import Running, free_port, running, wakeword_server
from traffic.visits import Ground, Wire

from wakeword.files import atomic_write, write_json
from wakeword.runtime import find_bundle

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "manifest.csv"
STREAMS_HERE, PROCESSES = 8, 1
"""Few streams in the server itself, so that the process beside it has visitors too."""

SETTINGS = {
    "IDLE_S": "5", "START_TIMEOUT_S": "3", "SEND_TIMEOUT_S": "3", "PING_S": "10",
    "MESSAGE_BYTES": "131072", "LOG_LEVEL": "error",
    "STREAMS_HERE": str(STREAMS_HERE), "PROCESSES": str(PROCESSES),
}  # fmt: skip
"""Short times, so that many of them pass."""

STREAMS, STREAM_S = 24, 12.0
WARM_UP = 0.2
ALLOWED_GROWTH = 0.05


def main() -> int:
    """Soak, print what was seen, and say whether it held."""
    parser = argparse.ArgumentParser(description="Half an hour of clients that come and go.")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--model", default="seven", help="name or folder of the bundle")
    parser.add_argument("--manifest", type=Path, default=SHARED if SHARED.is_file() else None)
    parser.add_argument("--samples", action="store_true", help="use samples/, no recordings")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write what was seen to this file")
    parser.add_argument("--picture", type=Path, help="draw it into this file")
    given = parser.parse_args()
    if given.minutes < 0.1 or given.clients < 1:
        parser.error("--minutes must be at least 0.1 and --clients at least 1")
    if given.samples:
        given.manifest = None
    seen = soak(given.minutes, given.clients, given.model, given.manifest, given.seed)
    if given.json:
        write_json(given.json, seen)
    if given.picture:
        from traffic.pictures import soak_picture

        with atomic_write(given.picture, "wb") as out:
            out.write(soak_picture(seen))
    print(json.dumps({k: v for k, v in seen.items() if k != "samples"}, indent=2))
    for fault in seen["not_held"]:
        say(f"not held: {fault}")
    return 1 if seen["not_held"] else 0


def soak(
    minutes: float, clients: int, model: str, manifest: Path | None, seed: int
) -> dict[str, Any]:
    """Churn for ``minutes`` and return everything that was seen."""
    bundle = find_bundle(model)
    say("mixing audio and hearing it offline")
    audio = make_audio(STREAMS, STREAM_S, bundle.words, manifest, seed)
    expected: dict[int, list[tuple[str, int]]] = {i: [] for i in range(STREAMS)}
    for heard in heard_by_wakeword(bundle, bundle.words, audio):
        expected[heard.stream].append((heard.word, heard.sample))
    with tempfile.TemporaryDirectory(prefix="wakeword-soak-") as folder:
        port = free_port()
        command, environment = wakeword_server(
            port, Path(folder), 4 * clients, {**SETTINGS, "MODELS": model}
        )
        with running(command, environment, port) as server:
            ground = Ground(server.address, audio, expected)
            churn = Churn(ground, clients, seed)
            seen = _watch(server, churn, 60.0 * minutes)
    return seen | {
        "minutes": minutes,
        "clients": clients,
        "model": bundle.name,
        "audio": audio.description,
        "machine": machine(),
    }


def _watch(server: Running, churn: Churn, seconds: float) -> dict[str, Any]:
    watch = Watch(server, period_s=max(0.5, seconds / 360.0))
    _fill_once(server)
    before, files_before = watch.wait_until_quiet(), watch.files()
    say(f"{seconds / 60:g} minutes of clients that come and go")
    watch.start()
    churn.start()
    time.sleep(seconds)
    churn.stop()
    watch.stop()
    after = watch.wait_until_quiet()
    time.sleep(1.0)
    after = watch.look()
    warm = [s for s in watch.samples if s["s"] >= WARM_UP * seconds] or watch.samples
    slope = slope_mb_per_hour(warm) if len(warm) > 1 else 0.0
    growth_mb = slope * (1.0 - WARM_UP) * seconds / 3600.0
    ground = churn.ground
    return {
        "visits": dict(churn.visits.most_common()),
        "broken_off": dict(churn.broken_off.most_common()),
        "polite_streams": len(ground.checked),
        "detections_checked": sum(ground.checked),
        "before": before,
        "after": after,
        "new_files": dict(watch.files() - files_before),
        "database_files": watch.database_files(),
        "peak_rss_mb": max((s["rss_mb"] for s in watch.samples), default=before["rss_mb"]),
        "slope_mb_per_hour": round(slope, 3),
        "growth_mb": round(growth_mb, 3),
        "not_held": _not_held(before, after, growth_mb, churn),
        "samples": watch.samples,
    }


def _fill_once(server: Running) -> None:
    """Let the process start: its pipes and memory belong to what was there before."""
    wires = [Wire(server.address) for _ in range(STREAMS_HERE + PROCESSES)]
    for wire in wires:
        wire.start()
    for wire in wires:
        wire.reset()
    time.sleep(1.0)


def _not_held(
    before: dict[str, float], after: dict[str, float], growth_mb: float, churn: Churn
) -> list[str]:
    faults = [f"wrong detections: {text}" for text in churn.ground.wrong[:EXAMPLES]]
    faults += [f"a client failed: {text}" for text in churn.faults[:EXAMPLES]]
    if not churn.ground.checked:
        faults.append("no polite stream came to its end")
    for name in sorted(after.keys() - {"s", "rss_mb"}):
        if after[name] > before[name]:
            faults.append(f"{name} = {after[name]:g}, but it was {before[name]:g} before")
    limit_mb = ALLOWED_GROWTH * after["rss_mb"]
    if growth_mb > limit_mb:
        faults.append(f"memory grew by {growth_mb:.1f} MiB, but at most {limit_mb:.1f} are allowed")
    return faults


if __name__ == "__main__":
    run(main)
