"""Miss rate over false alarms per hour, drawn."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wakeword.errors import MissingExtraError
from wakeword.evaluation.curve import Curve
from wakeword.evaluation.measurement import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OVERVIEW = "all-words.png"
_LEAST_SHARE = 1e-3
_POINTS = 60
_MOST_ALARMS = 20.0
"""Nobody keeps more per hour; far beyond, a score that never falls no longer crosses anything."""


def curve_pictures(evaluation: Evaluation) -> dict[str, bytes]:
    """One PNG for each word by file name, and one of all words together.

    A line for each condition; bands are the 95 % intervals of the miss rate. The axes are
    logarithmic: where nothing was missed, or no alarm came, the line ends at the edge.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    words = [word for word, curves in evaluation.curves.items() if curves]
    if not words:
        return {}
    pictures = {OVERVIEW: _picture(evaluation, words)}
    for word in words:
        pictures[f"{word.replace(' ', '-')}.png"] = _picture(evaluation, [word])
    return pictures


def _picture(evaluation: Evaluation, words: Sequence[str]) -> bytes:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot", "drawing a report") from error
    columns = min(2, len(words))
    rows = -(-len(words) // columns)
    figure = Figure(figsize=(8.0 if columns == 1 else 12.0, 5.5 * rows), layout="constrained")
    for number, word in enumerate(words, start=1):
        axes = figure.add_subplot(rows, columns, number)
        by_condition = evaluation.curves[word]
        for condition, curve in by_condition.items():
            _draw(axes, condition, curve)
        _mark_target(axes, evaluation, word, next(iter(by_condition.values())))
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=90, metadata={"Software": None})
    return out.getvalue()


def _draw(axes: Axes, condition: str, curve: Curve) -> None:
    points = curve.frontier(_POINTS)
    # Half an alarm stands for none: a logarithm has no zero.
    rates = [max(0.5, curve.false_alarms[i]) / curve.hours for i in points]
    misses = [curve.misses_at(i) for i in points]
    (line,) = axes.plot(
        rates,
        [max(_LEAST_SHARE, m.value) for m in misses],
        drawstyle="steps-post",
        label=f"{condition} ({curve.clips} clips)",
    )
    axes.fill_between(
        rates,
        [max(_LEAST_SHARE, m.low) for m in misses],
        [max(_LEAST_SHARE, m.high) for m in misses],
        step="post",
        color=line.get_color(),
        alpha=0.12,
        linewidth=0,
    )


def _mark_target(axes: Axes, evaluation: Evaluation, word: str, curve: Curve) -> None:
    axes.axvline(evaluation.target_fa_per_hour, color="0.4", linestyle=":", linewidth=1)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(_LEAST_SHARE, 1.0)
    axes.set_xlim(0.4 / curve.hours, max(_MOST_ALARMS, 10.0 * evaluation.target_fa_per_hour))
    axes.set_xlabel(
        f"false alarms of '{word}' per hour, in {curve.hours:.1f} h (leftmost: none)"
    )
    axes.set_ylabel("share of clips missed (lowest: none)")
    axes.set_title(f"'{word}': missed over false alarms")
    axes.grid(True, which="both", alpha=0.2)
    axes.legend(loc="lower left", fontsize="small")
