"""Load: many real-time streams against one server, measured from the outside.

    python benchmarks/load.py --streams 100 --seconds 60 [--json load.json]
    python benchmarks/load.py --streams 100 --server microwakeword
    python benchmarks/load.py --streams 20 --server wyoming
    python benchmarks/load.py --streams 10 --url ws://host:port

Starts ``wakeword serve`` on a free port of the loopback (or takes the server at ``--url``) and
opens as many websockets, each a real-time stream of different real audio in messages of 80 ms:
speech of the dev split with wake words at known places, in noise. Where there are no recordings
(``../shared/data`` or ``--manifest``) it uses the few synthetic voices of ``samples/``, and says
so.

Latency: from offering the chunk that completes a word to the socket until the detection is here.
Which chunk that is, and which detections there must be, comes from the offline engine and exactly
the same samples. Exit code 1 if a detection was missed or is extra, audio was lost, a stream
failed, or the generator itself did not keep time.

Linux only. ``--server microwakeword`` needs ``python3 dev.py install bench``; ``--server wyoming``
makes an environment of its own beside ``.venv``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ending import run
from traffic.runs import Plan, measure, say

from wakeword.files import write_json

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "manifest.csv"
SERVERS = ("wakeword", "microwakeword", "wyoming")


def main() -> int:
    """Measure one run, print it, and say whether it held."""
    parser = argparse.ArgumentParser(description="Real-time streams against one server.")
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0, help="audio of each stream")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--server", choices=SERVERS, default="wakeword")
    parser.add_argument("--model", default="seven", help="name or folder of the bundle")
    parser.add_argument("--manifest", type=Path, default=SHARED if SHARED.is_file() else None)
    parser.add_argument("--samples", action="store_true", help="use samples/, no recordings")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--url", help="a server that runs already: ws://host:port")
    parser.add_argument("--key", help="its API key")
    given = parser.parse_args()
    if given.streams < 1 or given.seconds < 1.0:
        parser.error("--streams and --seconds must be at least 1")
    if given.samples:
        given.manifest = None
    if given.manifest is None:
        say("no recordings: a few synthetic voices of samples/ instead")
    plan = Plan(given.streams, given.seconds, given.server, given.model, given.manifest,
                given.seed, given.url, given.key)  # fmt: skip
    figures = measure(plan)
    if given.json:
        write_json(given.json, figures)
    print(json.dumps(figures, indent=2))
    faults = what_failed(figures)
    for fault in faults:
        say(f"not held: {fault}")
    return 1 if faults else 0


def what_failed(figures: dict[str, Any]) -> list[str]:
    """Why this run is not what a run should be."""
    counts = {name: figures[name] for name in ("missed", "extra", "drops", "streams_failed")}
    faults = [f"{name} = {count}" for name, count in counts.items() if count]
    if figures["generator"]["late"]:
        late = figures["generator"]["send_late_ms"]
        faults.append(f"the generator was late: p99 {late['p99']} ms, at most {late['max']} ms")
    return faults


if __name__ == "__main__":
    run(main)
