"""Load and soak against a real server, short: what they measure is what the offline engine says."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from scripts import run_script

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs epoll and /proc")


def test_load_reports_what_the_offline_engine_hears(repository: Path, tmp_path: Path) -> None:
    """Without recordings: the samples of the checkout. Time is measured, not judged."""
    done = run_script(
        repository / "benchmarks" / "load.py", "--streams", "4", "--seconds", "12", "--samples",
        "--json", tmp_path / "load.json",
    )  # fmt: skip
    figures: dict[str, Any] = json.loads((tmp_path / "load.json").read_text())
    assert figures["streams"] == 4 and "samples/" in figures["audio"]["source"]
    assert figures["detections_expected"] > 0 and figures["latency_ms"]["count"] > 0
    lost = {name: figures[name] for name in ("missed", "extra", "drops", "streams_failed")}
    assert not any(lost.values()), done.stderr
    assert figures["latency_ms"]["p50"] <= figures["latency_ms"]["p99"]
    assert figures["server_cpu_s_per_stream_s"] > 0 and figures["peak_rss_mb"] > 10
    assert figures["generator_cpu_s_per_stream_s"] > 0 and figures["lag_ms"]["count"] == 4
    assert figures["machine"]["cores"] > 0
    assert (done.returncode == 0) == (not figures["generator"]["late"]), done.stderr


def test_the_small_server_beside_it_is_held_against_its_own_engine(
    repository: Path, tmp_path: Path
) -> None:
    if find_spec("pymicro_wakeword") is None:
        pytest.skip("pymicro-wakeword is not installed: python3 dev.py install bench")
    run_script(
        repository / "benchmarks" / "load.py", "--streams", "2", "--seconds", "20", "--samples",
        "--server", "microwakeword", "--json", tmp_path / "load.json",
    )  # fmt: skip
    figures = json.loads((tmp_path / "load.json").read_text())
    assert (figures["missed"], figures["extra"], figures["drops"]) == (0, 0, 0)


def test_a_short_soak_leaves_nothing_behind(repository: Path, tmp_path: Path) -> None:
    done = run_script(
        repository / "benchmarks" / "soak.py", "--minutes", "0.3", "--clients", "12", "--samples",
        "--json", tmp_path / "soak.json", "--picture", tmp_path / "soak.png",
    )  # fmt: skip
    seen: dict[str, Any] = json.loads((tmp_path / "soak.json").read_text())
    # Half a minute says nothing about memory: the server is still warming up.
    assert not [fault for fault in seen["not_held"] if "memory" not in fault], done.stderr
    assert seen["polite_streams"] > 0 and sum(seen["visits"].values()) > 12
    assert (tmp_path / "soak.png").read_bytes().startswith(b"\x89PNG")


def test_the_sections_of_the_page_come_from_what_was_measured(
    repository: Path, tmp_path: Path
) -> None:
    measured = {"p50": 12.0, "p95": 20.0, "p99": 30.0, "max": 40.0, "count": 50}
    ours = {
        "server": "wakeword", "what": "wakeword serve", "streams": 10, "seconds": 60.0,
        "latency_ms": measured, "lag_ms": measured, "detections_expected": 50, "missed": 0,
        "extra": 0, "drops": 0, "streams_failed": 0, "server_cpu_s_per_stream_s": 0.001,
        "server_cores": 0.01, "generator_cores": 0.002, "other_cores": 0.0, "peak_rss_mb": 99.0,
        "generator": {"send_late_ms": measured, "late": False},
        "audio": {"source": "here", "words_per_minute": 11.0},
        "machine": {"cpu": "c", "cores": 2, "kernel": "k", "python": "3", "numpy": "2"},
    }  # fmt: skip
    lost = {**ours, "server": "wyoming", "what": "another", "missed": 1}
    (tmp_path / "load.json").write_text(json.dumps([ours, {**ours, "streams": 100}, lost]))
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n<!-- begin load -->\n<!-- end load -->\n\nTail.\n")
    script = repository / "benchmarks" / "write_docs.py"
    done = run_script(script, "load", "--measured", tmp_path / "load.json", "--document", page)
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert "- wakeword serve: 100 streams, more were not tried" in text
    assert "- another: 0 streams, not 10" in text and text.endswith("-->\n\nTail.\n")
    assert (tmp_path / "figures" / "load.png").read_bytes().startswith(b"\x89PNG")
    assert run_script(script, "engine", "--measured", tmp_path / "load.json").returncode == 2
