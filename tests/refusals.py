"""What every refusal of the command line looks like, and what a good answer in JSON."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any


def refused(done: subprocess.CompletedProcess[str], *says: str) -> None:
    """Assert a clean refusal whose message holds every one of ``says``."""
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert done.stdout == "" and "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    for text in says:
        assert re.search(text, done.stderr), f"{text!r} is not in {done.stderr!r}"


def json_lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """What a command with ``--json`` said, after which it must have ended well."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
