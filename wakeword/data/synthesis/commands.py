"""Running a synthesiser: found on PATH, never through a shell, for a bounded time."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

from wakeword.errors import SynthesisError

TIMEOUT_S = 60.0


def run(
    program: str, arguments: Sequence[str], text: str = "", timeout_s: float = TIMEOUT_S
) -> str:
    """Run ``program`` with ``text`` as its input; returns what it writes.

    Raises
    ------
    SynthesisError
        It is not installed, fails, or takes longer than ``timeout_s``.
    """
    path = shutil.which(program)
    if path is None:
        raise SynthesisError(f"{program} is not installed: no program of this name is on PATH")
    try:
        done = subprocess.run(
            [path, *arguments], input=text, capture_output=True, text=True, encoding="utf-8",
            errors="replace", timeout=timeout_s, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SynthesisError(f"{program} {_short(arguments)} took over {timeout_s:g} s") from None
    if done.returncode != 0:
        raise SynthesisError(
            f"{program} {_short(arguments)} ended with {done.returncode}: "
            f"{done.stderr.strip()[-200:] or 'no message'}"
        )
    return done.stdout


def _short(arguments: Sequence[str]) -> str:
    return " ".join(arguments)[:80]
