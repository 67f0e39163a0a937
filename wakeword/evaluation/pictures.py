"""Share missed over false alarms per hour, drawn: the paper's Figure 3, noise and babble apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from wakeword.evaluation.charts import LEAST_SHARE, log_shares, new_figure, png
from wakeword.evaluation.conditions import Condition
from wakeword.evaluation.curve import Curve
from wakeword.evaluation.mean_curve import MeanCurve
from wakeword.evaluation.measurement import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OVERVIEW = "all-words.png"
_POINTS = 60
_MOST_ALARMS = 20.0
"""Nobody keeps more per hour; far beyond, a score that never falls no longer crosses anything."""


def panels(conditions: Sequence[Condition]) -> Iterator[tuple[str, list[Condition]]]:
    """Title and conditions of each panel: as recorded, with noise and with babble; nothing far."""
    near = [c for c in conditions if c.distance_m is None]
    kinds = [k for k in ("noise", "babble") if any(c.kind == k for c in near)]
    if not kinds and near:
        yield "", near
    for kind in kinds:
        yield kind, [c for c in near if c.as_recorded or c.kind == kind]


def curve_pictures(evaluation: Evaluation, conditions: Sequence[Condition]) -> dict[str, bytes]:
    """One PNG for each word by file name, and one of all words together.

    A line for each condition; bands are Wilson's 95 % intervals of the share missed. The axes
    are logarithmic: where nothing was missed, or no alarm came, the line ends at the edge.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    words = [word for word, curves in evaluation.curves.items() if curves]
    if not words:
        return {}
    shown = [c for c in conditions if any(c.name in evaluation.curves[w] for w in words)]
    pictures = {OVERVIEW: _words_picture(evaluation, words, shown)}
    for word in words:
        name = f"{word.replace(' ', '-')}.png"
        pictures[name] = _words_picture(evaluation, [word], shown)
    return pictures


def mean_picture(
    models: Mapping[str, Sequence[MeanCurve]], conditions: Sequence[Condition], target: float
) -> bytes:
    """Mean over words, a row for each model; bands are the 95 % interval over speakers."""
    columns = list(panels(conditions))
    figure = new_figure(6.0 * len(columns), 4.6 * len(models))
    place = 0
    for label, curves in models.items():
        by_condition = {c.condition: c for c in curves}
        for title, shown in columns:
            place += 1
            axes = figure.add_subplot(len(models), len(columns), place)
            for condition in shown:
                if condition.name in by_condition:
                    _draw_mean(axes, by_condition[condition.name])
            words = max(c.words for c in curves)
            _finish(axes, target, f"{label}, mean of {words} words" + (title and f", {title}"))
            axes.set_xlabel("false alarms per hour and word")
            rates = [float(r) for c in curves for r in c.fa_per_hour]
            axes.set_xlim(min(0.1, *rates), max(_MOST_ALARMS, 1.2 * max(rates)))
    return png(figure)


def _words_picture(
    evaluation: Evaluation, words: Sequence[str], conditions: Sequence[Condition]
) -> bytes:
    columns = list(panels(conditions))
    figure = new_figure(6.0 * len(columns), 4.6 * len(words))
    place = 0
    for word in words:
        by_condition = evaluation.curves[word]
        for title, shown in columns:
            place += 1
            axes = figure.add_subplot(len(words), len(columns), place)
            for condition in shown:
                if condition.name in by_condition:
                    _draw(axes, condition.name, by_condition[condition.name])
            hours = next(iter(by_condition.values())).hours
            _finish(axes, evaluation.target_fa_per_hour, f"'{word}'" + (title and f", {title}"))
            axes.set_xlabel(f"false alarms per hour, in {hours:.2g} h (leftmost: none)")
            most = max(_MOST_ALARMS, 10.0 * evaluation.target_fa_per_hour, 40.0 / hours)
            axes.set_xlim(0.4 / hours, most)
    return png(figure)


def _draw(axes: Axes, condition: str, curve: Curve) -> None:
    points = curve.frontier(_POINTS)
    # Half an alarm stands for none: a logarithm has no zero.
    rates = [max(0.5, curve.false_alarms[i]) / curve.hours for i in points]
    misses = [curve.misses_at(i) for i in points]
    (line,) = axes.plot(
        rates,
        [max(LEAST_SHARE, m.value) for m in misses],
        drawstyle="steps-post",
        label=f"{condition} ({curve.clips} clips)",
    )
    axes.fill_between(
        rates,
        [max(LEAST_SHARE, m.low) for m in misses],
        [max(LEAST_SHARE, m.high) for m in misses],
        step="post",
        color=line.get_color(),
        alpha=0.12,
        linewidth=0,
    )


def _draw_mean(axes: Axes, curve: MeanCurve) -> None:
    values, low, high = ([max(LEAST_SHARE, float(v)) for v in of]
                         for of in (curve.frr, curve.low, curve.high))  # fmt: skip
    marker = "o" if len(values) == 1 else None
    (line,) = axes.plot(curve.fa_per_hour, values, label=curve.condition, marker=marker)
    axes.fill_between(curve.fa_per_hour, low, high, color=line.get_color(), alpha=0.12, linewidth=0)


def _finish(axes: Axes, target: float, title: str) -> None:
    axes.axvline(target, color="0.4", linestyle=":", linewidth=1)
    axes.set_xscale("log")
    log_shares(axes)
    axes.set_title(title)
    axes.legend(loc="lower left", fontsize="small")
