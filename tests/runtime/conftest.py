"""What the tests of the runtime share."""

from pathlib import Path

import pytest

from wakeword.runtime import Bundle, Engine


@pytest.fixture(scope="session")
def engine(tiny_bundle: Path) -> Engine:
    """An engine with the small bundle; it holds no state, so all tests may share it."""
    return Engine(Bundle.load(tiny_bundle))
