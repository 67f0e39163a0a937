"""Programs of this machine that make sound; tests that need one skip where it is missing.

``WAKEWORD_REQUIRE_SYNTHESISER=1`` makes such a skip a failure (conftest.py).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest


def needs(program: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Skip a test, saying what it lacks, where ``program`` is not installed."""
    missing = pytest.mark.skipif(
        shutil.which(program) is None, reason=f"needs {program} (apt-get install {program})"
    )

    def mark(test: Callable[..., None]) -> Callable[..., None]:
        return pytest.mark.synthesiser(missing(test))

    return mark


needs_espeak, needs_sox = needs("espeak-ng"), needs("sox")


def skip_without(program: str) -> None:
    """The same while a test runs; it is marked ``synthesiser``."""
    if shutil.which(program) is None:
        pytest.skip(f"needs {program} (apt-get install {program})")
