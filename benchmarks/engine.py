"""Time and memory of whole engines: front end, network and detector, on one core.

    python benchmarks/engine.py [--model seven] [--out engine.json]

Each contender runs in a process of its own on one core with one thread, all of them in turn,
several rounds, so that what else the machine does meets all alike. The figure of each is its
least disturbed round: the CPU time for a second of audio of one stream. Needs the packages of
``python3 dev.py install bench``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from contenders import CONTENDERS, Contender, chunks

OTHERS = ("pymicro-wakeword", "pyopen-wakeword")
WARM_UP_S = 3.0
SINGLE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


def main() -> None:
    """Measure all contenders, or, as a child, one of them."""
    parser = argparse.ArgumentParser(description="Time and memory of whole engines on one core.")
    parser.add_argument("--model", default="seven", help="name or folder of the bundle")
    parser.add_argument("--seconds", type=float, default=30.0, help="audio per round and stream")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--child", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(measure(CONTENDERS[given.child](given.model), given.seconds)))
        return
    missing = missing_packages()
    if missing:
        sys.exit(f"error: not installed: {', '.join(missing)}; run: python3 dev.py install bench")
    figures = compare(given.model, given.seconds, given.rounds)
    text = json.dumps(figures, indent=2)
    if given.out:
        given.out.write_text(text + "\n", "utf-8")
    print(text)


def compare(model: str, seconds: float, rounds: int) -> dict[str, Any]:
    """Run every contender ``rounds`` times in turn and keep each one's best."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
    for number in range(rounds):
        for name in CONTENDERS:
            print(f"round {number + 1}/{rounds}: {name}", file=sys.stderr, flush=True)
            runs[name].append(_run_child(name, model, seconds))
    best = {name: min(found, key=lambda f: f["cpu_s_per_s"]) for name, found in runs.items()}
    base = min(f["resident_bytes"] for f in runs["nothing"])
    for name, figure in best.items():
        figure["resident_bytes"] = min(f["resident_bytes"] for f in runs[name])
        figure["own_bytes"] = figure["resident_bytes"] - base
    del best["nothing"]
    return {"machine": _machine(), "seconds": seconds, "rounds": rounds, "engines": best}


def missing_packages() -> list[str]:
    """The other engines that are not installed."""
    return [name for name in OTHERS if find_spec(name.replace("-", "_")) is None]


def measure(contender: Contender, seconds: float) -> dict[str, Any]:
    """Feed ``contender`` and return the CPU time it took per second of each stream's audio."""
    for chunk in chunks(contender, WARM_UP_S):
        contender.feed(chunk)
    audio = list(chunks(contender, seconds))
    wall, cpu = time.perf_counter(), time.process_time()
    for chunk in audio:
        contender.feed(chunk)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "what": contender.what,
        "streams": contender.streams,
        "cpu_s_per_s": cpu / seconds / contender.streams,
        "wall_s_per_s": wall / seconds / contender.streams,
        "ms_per_chunk": 1e3 * cpu / len(audio),
        "chunk_ms": 1e3 * contender.chunk_samples / 16_000,
        "resident_bytes": _resident_bytes(),
        "model_bytes": contender.model_bytes,
    }


def _run_child(name: str, model: str, seconds: float) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__).resolve()), "--child", name]
    command += ["--model", model, "--seconds", str(seconds)]
    done = subprocess.run(
        command, env={**os.environ, **SINGLE_THREAD}, stdout=subprocess.PIPE, preexec_fn=_one_core,
        check=True,
    )  # fmt: skip
    figure: dict[str, Any] = json.loads(done.stdout)
    return figure


def _one_core() -> None:
    """Keep the child on the last core it may use, where the system lets one choose."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _resident_bytes() -> int:
    """Resident memory of this process now; its peak where the system does not tell."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _machine() -> dict[str, str]:
    from importlib.metadata import version

    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    packages = ("numpy", "onnxruntime", *OTHERS)
    return {
        "cpu": cpu,
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }


if __name__ == "__main__":
    main()
