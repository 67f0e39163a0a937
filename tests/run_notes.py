"""What a training run says, for tests that listen or interrupt."""

from __future__ import annotations

from collections.abc import Callable


class Notes:
    """Collects what a run says; raises KeyboardInterrupt after a chosen note."""

    def __init__(self, stop_after: str = "\0") -> None:
        self.notes: list[str] = []
        self._stop_after = stop_after

    def stage(self, name: str, total: float, unit: str = "s") -> Callable[[float], None]:
        self.notes.append(f"stage {name}: {total:g} {unit}")
        return lambda amount: None

    def note(self, text: str) -> None:
        self.notes.append(text)
        if text.startswith(self._stop_after):
            raise KeyboardInterrupt
