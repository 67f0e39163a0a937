"""Speech synthesisers of this machine; tests that need one skip where it is missing."""

from __future__ import annotations

import shutil

import pytest

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="needs espeak-ng (apt-get install espeak-ng)"
)


def skip_without(program: str) -> None:
    """Skip the test that runs, saying what it lacks."""
    if shutil.which(program) is None:
        pytest.skip(f"needs {program} (apt-get install {program})")
