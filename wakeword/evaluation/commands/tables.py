"""A command set's figures as rows for files, and as tables for people."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wakeword.evaluation.commands.figures import (
    FALSE_ALARM_RATES,
    CommandResult,
    mean_and_spread,
)
from wakeword.evaluation.tables import Table

Row = Mapping[str, Any]
Results = Sequence[CommandResult]


def groups(results: Results) -> dict[str, list[CommandResult]]:
    """Results by the name of their model: runs of one recipe with several seeds."""
    found: dict[str, list[CommandResult]] = {}
    for result in results:
        found.setdefault(result.model, []).append(result)
    return found


def accuracy_rows(results: Results) -> Iterator[Row]:
    """One row for each run, and for several of one model their mean and spread."""
    for model, runs in groups(results).items():
        for run in runs:
            wrong = run.wrong
            yield {
                "model": model, "seed": run.seed, "classes": len(run.names),
                "clips": wrong.clips, "right": wrong.clips - wrong.missed,
                "accuracy": 1.0 - wrong.value, "accuracy_low": 1.0 - wrong.high,
                "accuracy_high": 1.0 - wrong.low, "spread": "", "roc_area": run.roc().area,
            }  # fmt: skip
        if len(runs) > 1:
            mean, spread = mean_and_spread([1.0 - run.wrong.value for run in runs])
            area, _ = mean_and_spread([run.roc().area for run in runs])
            yield {
                "model": model, "seed": f"mean of {len(runs)}", "classes": len(runs[0].names),
                "clips": runs[0].wrong.clips, "right": "", "accuracy": mean, "accuracy_low": "",
                "accuracy_high": "", "spread": spread, "roc_area": area,
            }  # fmt: skip


def class_rows(results: Results) -> Iterator[Row]:
    """Precision, recall and F of each class: means over the runs of a model."""
    for model, runs in groups(results).items():
        for of_class in zip(*(run.by_class() for run in runs), strict=True):
            row = {"model": model, "class": of_class[0].name, "clips": of_class[0].clips}
            for name in ("precision", "recall", "f_score"):
                values = [getattr(figures, name) for figures in of_class]
                known = [v for v in values if not math.isnan(v)]
                row[name] = float(np.mean(known)) if known else ""
            yield row


def mean_confusion(runs: Results) -> NDArray[np.float64]:
    """Clips (true class, found class), mean over the runs."""
    return np.asarray(np.mean([run.confusion() for run in runs], 0), np.float64)


def confusion_rows(results: Results) -> Iterator[Row]:
    """One row for each pair of classes: clips of the one taken for the other, mean of the runs."""
    for model, runs in groups(results).items():
        counts, names = mean_confusion(runs), runs[0].names
        for i, true in enumerate(names):
            for k, found in enumerate(names):
                yield {"model": model, "true": true, "found": found, "clips": float(counts[i, k])}


def roc_curves(runs: Results) -> NDArray[np.float64]:
    """False reject rates (runs, rates) at :data:`FALSE_ALARM_RATES`."""
    return np.array([run.roc().at(FALSE_ALARM_RATES) for run in runs])


def roc_rows(results: Results) -> Iterator[Row]:
    """The micro-averaged curve of each model, vertically averaged over its runs."""
    for model, runs in groups(results).items():
        for x, column in zip(FALSE_ALARM_RATES, roc_curves(runs).T, strict=True):
            yield {
                "model": model, "false_alarm_rate": float(x), "false_reject_rate":
                float(column.mean()), "least": float(column.min()), "most": float(column.max()),
            }  # fmt: skip


def text_report(results: Results) -> str:
    """Accuracy, classes and confusions."""
    parts = [str(accuracy_table(results))]
    for model, runs in groups(results).items():
        of = f"{model}, mean of {len(runs)} runs" if len(runs) > 1 else model
        parts += [f"{of}, by class:", str(class_table(runs))]
        parts += [f"{of}, what (down) is taken for what (across), clips:",
                  str(confusion_table(runs))]  # fmt: skip
    return "\n\n".join(parts)


def accuracy_table(results: Results) -> Table:
    """Accuracy of each run with its interval, and the mean of several."""
    rows = []
    for row in accuracy_rows(results):
        between = f"± {100 * row['spread']:.2f}" if row["spread"] != "" else ""
        if row["accuracy_low"] != "":
            between = f"{100 * row['accuracy_low']:.2f} to {100 * row['accuracy_high']:.2f}"
        rows.append((row["model"], str(row["seed"]), str(row["classes"]), str(row["clips"]),
                     f"{100 * row['accuracy']:.2f} %", between,
                     f"{row['roc_area']:.5f}"))  # fmt: skip
    header = ("model", "seed", "classes", "clips", "accuracy", "95 %, or spread", "area under ROC")
    return Table(header, tuple(rows))


def class_table(runs: Results) -> Table:
    """Precision, recall and F of each class."""
    rows = []
    for row in class_rows(runs):
        shares = [row[name] for name in ("precision", "recall", "f_score")]
        cells = ["" if s == "" else f"{100 * s:.1f} %" for s in shares]
        rows.append((row["class"], str(row["clips"]), *cells))
    return Table(("class", "clips", "precision", "recall", "F"), tuple(rows))


def confusion_table(runs: Results) -> Table:
    """Found classes across, true ones down."""
    names, counts = runs[0].names, mean_confusion(runs)
    rows = [
        (name, *(f"{c:g}" if c == round(c) else f"{c:.1f}" for c in row))
        for name, row in zip(names, counts, strict=True)
    ]
    return Table(("", *names), tuple(rows))
