"""Figures of one model on clips of known class: confusions, precision and recall, ROC.

The ROC is that of Choi et al. 2019, section 3.1: false reject rate over false alarm rate,
micro-averaged. Each clip is one decision for each class, and all those decisions are ranked
together by the posterior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import EvaluationError
from wakeword.evaluation.intervals import Proportion, miss_rate

Posteriors = NDArray[np.float32]
Labels = NDArray[np.int64]
FALSE_ALARM_RATES = np.concatenate([[0.0], np.geomspace(1e-4, 1.0, 121)])
"""At which curves of several runs are averaged."""


@dataclass(frozen=True)
class ClassFigures:
    """One class against all others; NaN where nothing was found, or nothing there to find."""

    name: str
    clips: int
    found: int
    right: int
    precision: float
    recall: float
    f_score: float


@dataclass(frozen=True)
class Roc:
    """False alarm rates and false reject rates (points,), the area under them."""

    false_alarms: NDArray[np.float64]
    false_rejects: NDArray[np.float64]
    area: float

    def at(self, false_alarms: NDArray[np.float64]) -> NDArray[np.float64]:
        """False reject rates at these false alarm rates; the least where a step goes down."""
        # The last point of each false alarm rate: interpolation wants no two of the same.
        ends = np.append(np.flatnonzero(np.diff(self.false_alarms)), len(self.false_alarms) - 1)
        x, y = self.false_alarms[ends], self.false_rejects[ends]
        return np.asarray(np.interp(false_alarms, x, y), np.float64)


@dataclass(frozen=True)
class CommandResult:
    """What one model said of clips: ``posteriors`` (clips, classes), true ``labels`` (clips,).

    ``measured`` are the classes that have clips; a clip is taken for that one of them whose
    posterior is highest.

    Raises
    ------
    EvaluationError
        No clips, other shapes, a class out of range, or fewer than two classes.
    """

    model: str
    seed: int
    classes: tuple[str, ...]
    labels: Labels
    posteriors: Posteriors

    def __post_init__(self) -> None:
        shape = (len(self.labels), len(self.classes))
        if not len(self.labels) or self.posteriors.shape != shape:
            raise EvaluationError(
                f"posteriors of shape {self.posteriors.shape} for {len(self.labels)} clips of "
                f"{len(self.classes)} classes"
            )
        if self.labels.min() < 0 or self.labels.max() >= len(self.classes):
            raise EvaluationError(
                f"classes from {self.labels.min()} to {self.labels.max()}, but there are "
                f"{len(self.classes)}"
            )
        if len(self.measured) < 2:
            raise EvaluationError("all clips are of one class: there is nothing to tell apart")

    @property
    def measured(self) -> tuple[int, ...]:
        """Classes that have clips."""
        return tuple(int(k) for k in np.unique(self.labels))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the measured classes."""
        return tuple(self.classes[k] for k in self.measured)

    @property
    def found(self) -> Labels:
        """The class that each clip is taken for (clips,)."""
        measured = np.array(self.measured)
        best: Labels = measured[self.posteriors[:, measured].argmax(1)]
        return best

    @property
    def wrong(self) -> Proportion:
        """Share of clips taken for another class, with Wilson's interval."""
        return miss_rate(int((self.found != self.labels).sum()), len(self.labels))

    def confusion(self) -> NDArray[np.int64]:
        """Clips (true class, found class), of the measured classes."""
        true, found = (np.searchsorted(self.measured, k) for k in (self.labels, self.found))
        counts = np.zeros((len(self.measured),) * 2, np.int64)
        np.add.at(counts, (true, found), 1)
        return counts

    def by_class(self) -> tuple[ClassFigures, ...]:
        """Precision, recall and F of each measured class."""
        counts = self.confusion()
        return tuple(
            _class_figures(name, int(row.sum()), int(column.sum()), int(counts[k, k]))
            for k, (name, row, column) in enumerate(
                zip(self.names, counts, counts.T, strict=True)
            )
        )

    def roc(self) -> Roc:
        """The micro-averaged curve, from (0, 1) to (1, 0)."""
        measured = np.array(self.measured)
        scores = self.posteriors[:, measured].ravel().astype(np.float64)
        true = (self.labels[:, None] == measured).ravel()
        order = np.argsort(-scores, kind="stable")
        ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
        hits = np.cumsum(true[order])[ends]
        alarms = ends + 1 - hits
        x = np.concatenate([[0.0], alarms / (~true).sum()])
        y = np.concatenate([[1.0], 1.0 - hits / true.sum()])
        return Roc(x, y, float((np.diff(x) * (y[1:] + y[:-1])).sum() / 2.0))


def mean_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and standard deviation of the sample; NaN for one alone."""
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    return float(np.mean(values)), spread


def _class_figures(name: str, clips: int, found: int, right: int) -> ClassFigures:
    precision = right / found if found else float("nan")
    recall = right / clips if clips else float("nan")
    return ClassFigures(
        name, clips, found, right, precision, recall, 2.0 * right / (clips + found)
    )
