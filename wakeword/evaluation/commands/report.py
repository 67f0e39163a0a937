"""A command set's figures as a folder: tables as CSV, all of it as JSON, pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wakeword.errors import EvaluationError
from wakeword.evaluation.charts import log_shares, new_figure, png
from wakeword.evaluation.commands.figures import FALSE_ALARM_RATES
from wakeword.evaluation.commands.tables import (
    Results,
    Row,
    accuracy_rows,
    class_rows,
    confusion_rows,
    groups,
    mean_confusion,
    roc_curves,
    roc_rows,
)
from wakeword.evaluation.result_folder import write_result
from wakeword.files import refuse_foreign

RESULT_FILE = "commands.json"
TABLES: Mapping[str, Callable[[Results], Iterator[Row]]] = {
    "accuracy": accuracy_rows,
    "classes": class_rows,
    "confusion": confusion_rows,
    "roc": roc_rows,
}


def write_commands(
    folder: str | Path, results: Results, about: Mapping[str, Any], *, pictures: bool = True
) -> Path:
    """Write the results: the folder is the whole new one or as it was before.

    ``commands.json`` holds what was measured and every table, each of which is in a CSV file of
    its name too; ``roc.png`` shows the curves, ``confusion-MODEL.png`` what is taken for what.

    Raises
    ------
    EvaluationError
        ``folder`` exists and holds anything that is not such a result.
    MissingExtraError
        matplotlib is not installed and pictures are wanted.
    OSError
        As from any writing, a full disk included.
    """
    target = Path(folder)
    check_commands_folder(target)
    tables = {name: list(rows(results)) for name, rows in TABLES.items()}
    drawn = draw(results) if pictures else {}
    write_result(target, RESULT_FILE, about, tables, drawn)
    return target


def check_commands_folder(folder: str | Path) -> None:
    """Refuse, with an EvaluationError, a folder that holds anything but such a result."""
    refuse_foreign(folder, "a result of a command set", _is_ours, EvaluationError)


def draw(results: Results) -> dict[str, bytes]:
    """All pictures by file name, as PNG."""
    pictures = {"roc.png": roc_picture(results)}
    for model, runs in groups(results).items():
        pictures[f"confusion-{model}.png"] = confusion_picture(runs)
    return pictures


def roc_picture(results: Results) -> bytes:
    """False reject rate over false alarm rate; bands go from the best run to the worst."""
    figure = new_figure(7.0, 5.0)
    axes = figure.add_subplot()
    for model, runs in groups(results).items():
        curves = roc_curves(runs)
        area = np.mean([run.roc().area for run in runs])
        (line,) = axes.plot(
            FALSE_ALARM_RATES[1:], curves.mean(0)[1:], label=f"{model} (area {area:.5f})"
        )
        if len(runs) > 1:
            axes.fill_between(FALSE_ALARM_RATES[1:], curves.min(0)[1:], curves.max(0)[1:],
                              color=line.get_color(), alpha=0.2, linewidth=0)  # fmt: skip
    log_shares(axes)
    axes.set_ylabel("false reject rate")
    axes.set_xscale("log")
    axes.set_xlim(FALSE_ALARM_RATES[1], 1.0)
    axes.set_xlabel("false alarm rate, micro-averaged over classes")
    axes.legend(fontsize="small")
    return png(figure)


def confusion_picture(runs: Results) -> bytes:
    """Shares of each true class (down) taken for each class (across), mean of the runs."""
    names, counts = runs[0].names, mean_confusion(runs)
    shares = counts / counts.sum(1, keepdims=True)
    side = 2.0 + 0.55 * len(names)
    figure = new_figure(side, side)
    axes = figure.add_subplot()
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0.0, vmax=1.0)
    for (i, k), share in np.ndenumerate(shares):
        if share > 0.0:
            text = f"{100 * share:.0f}" if share >= 0.1 else f"{100 * share:.1f}"
            axes.text(k, i, text, ha="center", va="center", fontsize="x-small",
                      color="white" if share > 0.4 else "black")  # fmt: skip
    axes.set_xticks(range(len(names)), labels=list(names), rotation=60, ha="right")
    axes.set_yticks(range(len(names)), labels=list(names))
    axes.set_xlabel("taken for")
    axes.set_ylabel("said")
    axes.set_title(f"{runs[0].model}: per cent of each class")
    return png(figure)


def _is_ours(name: str) -> bool:
    return name in {RESULT_FILE, *(f"{table}.csv" for table in TABLES)} or name.endswith(".png")
