"""The page of the Picovoice benchmark is written by its command."""

from __future__ import annotations

import subprocess
from pathlib import Path

from scripts import run_script
from tone_manifest import HIGH, LOW, tone_manifest


def test_the_section_is_written_and_a_damaged_page_is_not(
    repository: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    made = tone_manifest(tmp_path / "recordings")
    document = tmp_path / "docs" / "evaluation.md"
    document.parent.mkdir()

    def run() -> subprocess.CompletedProcess[str]:
        return run_script(
            repository / "benchmarks" / "picovoice.py", "--model", tiny_bundle,
            "--manifest", made.path, "--speech-corpus", "talk", "--noise-corpus", "noise",
            "--hours", "0.02", "--scores", tmp_path / "scores", "--document", document,
        )  # fmt: skip

    damaged = "# Page\n<!-- begin picovoice benchmark of tiny -->\n"
    document.write_text(damaged)
    done = run()
    assert done.returncode == 1 and "one pair" in done.stderr and "Traceback" not in done.stderr
    assert document.read_text() == damaged and not (tmp_path / "scores").exists()

    document.write_text(f"{damaged}old\n<!-- end picovoice benchmark of tiny -->\n\nTail.\n")
    done = run()
    assert done.returncode == 0, done.stderr
    text = document.read_text("utf-8")
    assert text.startswith("# Page\n") and text.endswith("-->\n\nTail.\n") and "\nold\n" not in text
    assert f"| {LOW}" in text and f"| {HIGH}" in text and "streams of 0.02 h" in text
    picture = document.parent / "figures" / "tiny-picovoice.png"
    assert picture.read_bytes().startswith(b"\x89PNG") and f"(figures/{picture.name})" in text
