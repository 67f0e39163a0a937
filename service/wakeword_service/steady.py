"""Whether the wall clock can be trusted to say what is old."""

from __future__ import annotations

from collections.abc import Callable

JUMP_S = 60.0
STEADY_S = 3600.0


class SteadyClock:
    """Compares the wall clock with one that never jumps.

    After a jump nothing should be deleted for its age for an hour: the jump may be a fault that
    is taken back, and what it deleted would be gone.
    """

    def __init__(self, clock: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._clock, self._monotonic = clock, monotonic
        self._offset_s = clock() - monotonic()
        self._steady_from_s = monotonic()

    def is_steady(self) -> bool:
        """False within an hour of a jump that was seen between two calls."""
        now_s, wall_s = self._monotonic(), self._clock()
        if abs(wall_s - now_s - self._offset_s) > JUMP_S:
            self._steady_from_s = now_s + STEADY_S
        self._offset_s = wall_s - now_s
        return now_s >= self._steady_from_s
