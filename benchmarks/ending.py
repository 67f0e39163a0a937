"""How a benchmark ends as a command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

from wakeword.errors import WakewordError


def run(main: Callable[[], int | None]) -> NoReturn:
    """Exit with the code of ``main``, and with one line where it cannot go on."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (WakewordError, OSError) as error:
        sys.exit(f"error: {error}")
