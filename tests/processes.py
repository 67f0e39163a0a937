"""How tests start the command line as a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def cli_command(*arguments: str | Path) -> Sequence[str]:
    """The command that starts ``wakeword`` with this interpreter."""
    return [sys.executable, "-m", "wakeword", *map(str, arguments)]


def cli_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment for :func:`cli_command`, without what a developer's shell may add."""
    env = {k: v for k, v in os.environ.items() if k not in ("WAKEWORD_MODELS", "FORCE_COLOR")}
    return {**env, "PYTHONIOENCODING": "utf-8", "COLUMNS": "120", **(extra or {})}
