"""How tests start the command line as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol


class RunCli(Protocol):
    """Type of the ``run_cli`` fixture."""

    def __call__(
        self,
        *arguments: str | Path,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout_s: float = 120.0,
    ) -> subprocess.CompletedProcess[str]: ...


def cli_command(*arguments: str | Path) -> Sequence[str]:
    """The command that starts ``wakeword`` with this interpreter."""
    return [sys.executable, "-m", "wakeword", *map(str, arguments)]


def cli_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment for :func:`cli_command`, without what a developer's shell may add."""
    env = {k: v for k, v in os.environ.items() if k not in ("WAKEWORD_MODELS", "FORCE_COLOR")}
    return {**env, "PYTHONIOENCODING": "utf-8", "COLUMNS": "120", **(extra or {})}


def read_terminal(leader: int) -> str:
    """All that is written to a terminal until its other side closes."""
    parts = []
    while True:
        try:
            part = os.read(leader, 65_536)
        except OSError:  # Linux reports the closed side as an error
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts).decode("utf-8", "replace")
