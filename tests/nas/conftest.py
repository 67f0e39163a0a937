"""Networks this small are faster in one thread: several only wait for each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from wakeword.training.search.count import one_thread


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    with one_thread():
        yield
