"""How a benchmark ends as a command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

from traffic.servers import ServerError
from wakeword.errors import WakewordError


def run(main: Callable[[], int]) -> NoReturn:
    """Exit with the code of ``main``, and with one line where it cannot go on."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (WakewordError, ServerError) as error:
        sys.exit(f"error: {error}")
