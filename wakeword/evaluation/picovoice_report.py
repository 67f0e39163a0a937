"""The Picovoice benchmark as a folder: every table as CSV, all of it as JSON, one picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wakeword.errors import EvaluationError
from wakeword.evaluation.charts import LEAST_SHARE, log_shares, new_figure, png
from wakeword.evaluation.picovoice_result import (
    PUBLISHED,
    PUBLISHED_NOTE,
    RATES_PER_HOUR,
    TARGET_FA_PER_HOUR,
    ProtocolResult,
    Values,
)
from wakeword.evaluation.picovoice_tables import (
    Row,
    content_rows,
    curve_rows,
    event_rows,
    mean_curve_rows,
    mean_rows,
    word_rows,
)
from wakeword.evaluation.result_folder import write_result
from wakeword.files import refuse_foreign

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RESULT_FILE, PICTURE = "picovoice.json", "picovoice.png"
TABLES: Mapping[str, Callable[[ProtocolResult], Iterator[Row]]] = {
    "words": word_rows,
    "means": mean_rows,
    "streams": content_rows,
    "events": event_rows,
    "curves": curve_rows,
    "mean_curve": mean_curve_rows,
}
_MARKERS = "sD^"
_MOST_PER_HOUR = 20.0


def write_protocol(
    folder: str | Path, result: ProtocolResult, about: Mapping[str, Any], *, pictures: bool = True
) -> Path:
    """Write the result: the folder is the whole new one or as it was before.

    ``picovoice.json`` holds what was measured and every table, each of which is in a CSV file
    of its name too; ``picovoice.png`` shows the curves.

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
    check_protocol_folder(target)
    tables = {name: list(rows(result)) for name, rows in TABLES.items()}
    drawn = {PICTURE: draw(result)} if pictures else {}
    write_result(target, RESULT_FILE, about, tables, drawn)
    return target


def check_protocol_folder(folder: str | Path) -> None:
    """Refuse, with an EvaluationError, a folder that holds anything but such a result."""
    ours = {RESULT_FILE, PICTURE, *(f"{name}.csv" for name in TABLES)}
    what = "a result of the Picovoice benchmark"
    refuse_foreign(folder, what, ours.__contains__, EvaluationError)


def draw(result: ProtocolResult) -> bytes:
    """A PNG: the mean over words beside what is published of others, and each word.

    Bands are 95 % intervals: over speakers for the mean, Wilson's for each word. Both axes are
    logarithmic: half an alarm stands for none, and where nothing was missed a line ends at the
    lower edge.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    figure = new_figure(12.0, 5.5)
    means, words = figure.subplots(1, 2, sharex=True, sharey=True)
    least = min(0.5 / w.curve.hours for w in result.words)
    rates = [max(least, float(rate)) for rate in RATES_PER_HOUR]
    _steps(means, rates, result.mean_curve(), f"mean of {len(result.words)} words")
    _published(means, result)
    for word in result.words:
        points = word.curve.frontier()[::-1]
        rates = [max(0.5, word.curve.false_alarms[i]) / word.curve.hours for i in points]
        misses = [word.curve.misses_at(i) for i in points]
        bands = ([m.value for m in misses], [m.low for m in misses], [m.high for m in misses])
        _steps(words, rates, bands, f"{word.word} ({word.curve.clips} clips)")
    for axes, title in ((means, "mean over words"), (words, "each word on its own stream")):
        log_shares(axes)
        axes.set_ylabel("missed (lowest: none)")
        axes.label_outer()
        axes.set_xscale("log")
        axes.set_xlim(0.8 * least, _MOST_PER_HOUR)
        axes.axvline(result.target_fa_per_hour, color="0.4", linestyle=":", linewidth=1)
        axes.set_xlabel("false alarms per hour (leftmost: none)")
        axes.set_title(f"Picovoice benchmark, {result.snr_db:g} dB: {title}")
        axes.legend(loc="best", fontsize="small")
    return png(figure)


def _steps(
    axes: Axes, rates: Sequence[float], bands: Sequence[Sequence[float] | Values], label: str
) -> None:
    """A line with its interval: values, low, high."""
    values, low, high = (np.maximum(LEAST_SHARE, band) for band in bands)
    (line,) = axes.plot(rates, values, drawstyle="steps-post", label=label)
    axes.fill_between(rates, low, high, step="post", color=line.get_color(), alpha=0.1, linewidth=0)


def _published(axes: Axes, result: ProtocolResult) -> None:
    """Others' points, each at the rate for which it is published."""
    if not result.benchmark_words:
        return
    for marker, (engine, frr) in zip(_MARKERS, PUBLISHED.items(), strict=True):
        axes.plot(
            [TARGET_FA_PER_HOUR], [frr], marker, color="0.35", markerfacecolor="none",
            label=f"{engine} ({PUBLISHED_NOTE})",
        )  # fmt: skip
