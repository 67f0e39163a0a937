"""What a training run says and learns, for tests that listen, interrupt or compare."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wakeword.training.run import TrainingRun


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


def averaged_weights(run: TrainingRun) -> np.ndarray:
    """All weights of the averaged network in one row."""
    return np.concatenate([p.detach().numpy().ravel() for p in run.trainer.average.parameters()])
