"""The benchmark measures real engines, and the page of figures is written by its command."""

from __future__ import annotations

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from bundles import with_bursts
from scripts import run_script
from tone_manifest import HIGH, LOW, tone_manifest

OTHERS = ("pymicro_wakeword", "pyopen_wakeword")


@pytest.mark.parametrize(
    ("name", "streams"),
    [("nothing", 1), ("wakeword", 1), ("wakeword-batched", 64), ("wakeword-live", 500),
     *((o.replace("_", "-"), 1) for o in OTHERS)],
)  # fmt: skip
def test_each_contender_hears(repository: Path, tiny_bundle: Path, name: str, streams: int) -> None:
    if name.replace("-", "_") in OTHERS and find_spec(name.replace("-", "_")) is None:
        pytest.skip(f"{name} is not installed: python3 dev.py install bench")
    done = run_script(
        repository / "benchmarks" / "engine.py", "--child", name, "--model", tiny_bundle,
        "--seconds", "2",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    figure: dict[str, Any] = json.loads(done.stdout)
    assert figure["streams"] == streams
    assert 0.0 < figure["cpu_s_per_s"] < 10.0 and figure["resident_bytes"] > 2**20
    assert (figure["model_bytes"] > 0) == (name != "nothing")


def test_the_parts_of_a_step_are_told(repository: Path, tiny_bundle: Path) -> None:
    done = run_script(
        repository / "benchmarks" / "parts.py", "--model", tiny_bundle, "--streams", "8",
        "--rounds", "2",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    parts = json.loads(done.stdout)
    assert set(parts) == {"accept", "front end", "network", "rest", "all"}
    assert all(0.0 < value <= parts["all"] for value in parts.values())


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_what_a_visit_of_the_service_costs_is_told(repository: Path, tiny_bundle: Path) -> None:
    done = run_script(
        repository / "benchmarks" / "visits.py", "--model", tiny_bundle, "--streams", "4",
        "--seconds", "1", "--streams-here", "2",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["windows"] >= 20 and 1.0 <= told["windows_per_visit"] <= 4.0
    # All is counted by the kernel in ticks, one more or less a process; the parts in nanoseconds.
    ticks_ms = 2 * 1000.0 / os.sysconf("SC_CLK_TCK") / 4
    assert 0.0 < told["event_loop_ms"] + told["score_threads_ms"] <= told["all_ms"] + ticks_ms


@pytest.mark.skipif(all(map(find_spec, OTHERS)), reason="the other engines are installed")
def test_missing_engines_are_named(repository: Path, tiny_bundle: Path) -> None:
    done = run_script(repository / "benchmarks" / "engine.py", "--model", tiny_bundle)
    assert done.returncode == 1 and "dev.py install bench" in done.stderr


def test_figures_are_written_into_their_section(
    repository: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    made = tone_manifest(tmp_path / "recordings")
    document = tmp_path / "docs" / "evaluation.md"
    document.parent.mkdir()
    document.write_text(
        "# Page\n\n<!-- begin figures of tiny -->\nold\n<!-- end figures of tiny -->\n\nTail.\n"
    )
    for _ in range(2):
        done = run_script(
            repository / "benchmarks" / "write_docs.py", "figures", "--model", tiny_bundle,
            "--manifest", made.path, "--document", document,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    text = document.read_text("utf-8")
    assert text.startswith("# Page\n\n<!-- begin") and text.endswith("-->\n\nTail.\n")
    assert "\nold\n" not in text and text.count("### tiny") == 1
    assert f"| {LOW}" in text and f"| {HIGH}" in text and "babble at 0 dB SNR" in text
    picture = document.parent / "figures" / "tiny-all-words.png"
    assert picture.read_bytes().startswith(b"\x89PNG") and f"(figures/{picture.name})" in text


def test_wrong_requests_change_nothing(repository: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    document = tmp_path / "evaluation.md"
    document.write_text("# Page\n<!-- begin figures of tiny -->\n")
    script = repository / "benchmarks" / "write_docs.py"
    assert run_script(script, "figures", "--document", document).returncode == 2
    made = tone_manifest(tmp_path / "recordings", clips=1, talks=1)
    given = ("--manifest", made.path, "--document", document)
    for model, says in ((tiny_bundle, "one pair"), ("nobody", "nobody")):
        done = run_script(script, "figures", "--model", model, *given)
        assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr
    assert document.read_text() == "# Page\n<!-- begin figures of tiny -->\n"


def test_alignment_is_measured_against_the_times_that_a_manifest_states(
    repository: Path, tmp_path: Path
) -> None:
    made = tone_manifest(tmp_path, clips=1)
    for i in range(5):  # the tone is from 0.5 to 0.9 s
        made.add(f"timed-{i}", 0.1 * with_bursts(1.5, [(0.5, LOW)], noise=0.0001), LOW,
                 times=(0.6, 0.9))  # fmt: skip
    page = tmp_path / "page.md"
    page.write_text("before\n\n<!-- begin alignment -->\n<!-- end alignment -->\n\nafter\n")
    done = run_script(
        repository / "benchmarks" / "alignment.py", "--manifest", made.save(), "--corpus",
        "clips", "--method", "energy", "--document", page,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n")
    (row,) = [line for line in text.splitlines() if line.startswith("| energy")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:4] == ["energy", "alone", "5", "0"]
    start_bias, start_error, _, _, end_error, _ = map(float, cells[4:10])
    assert (cells[10], cells[12]) == ("0.0 %", "100.0 %")
    assert start_bias == pytest.approx(-0.1, abs=0.025) and start_error == -start_bias
    assert end_error < 0.03
