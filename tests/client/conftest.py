"""A real service that hears the tiny bundle, and what is in the sound that most tests send."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_service import SmallService
from streaming import bursts, offline


@pytest.fixture(scope="module")
def service(tiny_bundle: Path) -> Iterator[SmallService]:
    """Shared by the tests of a file: none may stop it."""
    with SmallService(tiny_bundle) as service:
        yield service


@pytest.fixture(scope="module")
def wanted(tiny_bundle: Path) -> list[tuple[str, int]]:
    """The detections in ``bursts()``, as a file gives them."""
    found = offline(tiny_bundle, bursts())
    assert len(found) >= 10
    return found
