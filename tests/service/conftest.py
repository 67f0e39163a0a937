"""What tests of the state share: an open store, an engine of the tiny bundle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bundles import load_tiny_bundle
from wakeword_service.store import Store

from wakeword.runtime import Engine


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "state")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(load_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny"))
