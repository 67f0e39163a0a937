"""What every refusal of the command line looks like."""

from __future__ import annotations

import re
import subprocess


def refused(done: subprocess.CompletedProcess[str], *says: str) -> None:
    """Assert a clean refusal whose message holds every one of ``says``."""
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert done.stdout == "" and "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    for text in says:
        assert re.search(text, done.stderr), f"{text!r} is not in {done.stderr!r}"
