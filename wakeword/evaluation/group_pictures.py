"""Pictures of the break-downs: by word, level, speaker, corpus and distance, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from wakeword.evaluation.bootstrap import Difference, MeanMisses
from wakeword.evaluation.charts import Series, intervals, new_figure, percent_axis, png
from wakeword.evaluation.conditions import Condition
from wakeword.evaluation.groups import Group, worst
from wakeword.evaluation.intervals import Proportion
from wakeword.evaluation.measurement import ALL_CORPORA, ALL_WORDS, Evaluation
from wakeword.evaluation.outcomes import Basis
from wakeword.evaluation.pictures import panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_SPEAKERS = 25
_STYLES = ("-", "--", ":", "-.")


def word_picture(
    evaluation: Evaluation, conditions: Sequence[Condition], basis: Basis = "chosen"
) -> bytes:
    """Share missed by word with Wilson's interval, noise and babble apart."""
    found = {(m.word, m.condition): m.misses for m in evaluation.misses if m.basis == basis}
    words = [w for w in evaluation.words if any(w == word for word, _ in found)]
    return _by_condition(words, conditions, lambda name, c: found.get((name, c)), "")


def level_picture(
    groups: Sequence[Group], conditions: Sequence[Condition], basis: Basis = "chosen"
) -> bytes:
    """Share missed by how loud the clip is."""
    found = {(g.name, g.condition): g for g in groups if (g.by, g.basis) == ("level", basis)}
    names = list(dict.fromkeys(name for name, _ in found))
    return _by_condition(
        names,
        conditions,
        lambda name, c: found[name, c].misses if (name, c) in found else None,
        "level of the clip's loudest 0.3 s, as recorded",
    )


def speaker_picture(
    groups: Sequence[Group], condition: Condition, basis: Basis = "chosen"
) -> bytes | None:
    """The speakers who are missed most; None where none has enough clips."""
    found = worst(groups, "speaker", condition.name, basis)[:MOST_SPEAKERS]
    if not found:
        return None
    figure = new_figure(10.0, 4.6)
    axes = figure.add_subplot()
    names = [f"{g.name} ({g.misses.clips})" for g in found]
    intervals(axes, names, [Series("", [_point(g.misses) for g in found])])
    percent_axis(axes)
    axes.set_title(f"speakers (clips) missed most, {condition.name}")
    return png(figure)


def alarm_picture(models: Mapping[str, Evaluation], basis: Basis = "shipped") -> bytes:
    """False alarms per hour of all words by corpus, with exact bounds."""
    rates = {
        (label, a.corpus): (a.rate.per_hour, a.rate.low, a.rate.high)
        for label, evaluation in models.items()
        for a in evaluation.alarms
        if a.basis == basis and a.word == ALL_WORDS
    }
    corpora = [*sorted({c for _, c in rates} - {ALL_CORPORA}), ALL_CORPORA]
    figure = new_figure(10.0, 4.6)
    axes = figure.add_subplot()
    series = [Series(label, [rates.get((label, c)) for c in corpora]) for label in models]
    intervals(axes, corpora, series)
    axes.set_yscale("symlog", linthresh=1.0)
    axes.set_ylim(bottom=-0.05)
    axes.set_ylabel("false alarms of all words per hour")
    axes.set_title(f"by corpus, {basis} thresholds, bounds of 95 % each")
    return png(figure)


def distance_picture(
    models: Mapping[str, Sequence[MeanMisses]],
    conditions: Sequence[Condition],
    target: float,
    basis: Basis = "chosen",
) -> bytes | None:
    """Share missed over distance, the paper's Figure 4; None without simulated rooms.

    Colours are what is mixed in, line styles are models; bars are intervals over speakers.
    """
    far = [c for c in conditions if c.distance_m is not None]
    if not far:
        return None
    figure = new_figure(8.0, 5.2)
    axes = figure.add_subplot()
    for colour, mixture in enumerate(dict.fromkeys(c.mixture for c in far)):
        shown = [c for c in far if c.mixture == mixture]
        for (label, means), style in zip(models.items(), _STYLES * len(models), strict=False):
            found = {m.condition: m for m in means if m.basis == basis}
            name = mixture if len(models) == 1 else f"{label}: {mixture}"
            _draw_distance(axes, shown, found, f"C{colour}", style, name)
    axes.set_xlabel("distance from talker to microphone in simulated rooms, m")
    axes.set_xlim(left=0.0)
    percent_axis(axes)
    axes.grid(True, alpha=0.25)
    axes.set_title(f"mean of words at {target:g} false alarms per hour and word")
    axes.legend(fontsize="small")
    return png(figure)


def difference_picture(
    differences: Sequence[Difference], conditions: Sequence[Condition], basis: Basis = "chosen"
) -> bytes:
    """How much more each other model misses than the first, mean of words."""
    shown = [d for d in differences if d.basis == basis and d.word == ALL_WORDS] or [
        d for d in differences if d.basis == basis
    ]
    found = {(d.second, d.condition): (d.value, d.low, d.high) for d in shown}
    names = [c.name for c in conditions if any(n == c.name for _, n in found)]
    figure = new_figure(max(7.0, 1.0 + 0.6 * len(names)), 4.6)
    axes = figure.add_subplot()
    others = dict.fromkeys(second for second, _ in found)
    intervals(axes, names, [Series(o, [found.get((o, n)) for n in names]) for o in others])
    axes.axhline(0.0, color="0.3", linewidth=1)
    axes.yaxis.set_major_formatter(lambda y, _: f"{100 * y:+.0f} %")
    axes.set_ylabel(f"missed more than by {differences[0].first}")
    axes.set_title(f"{' and '.join(others)}, bootstrap over speakers, 95 %")
    return png(figure)


def _by_condition(
    names: Sequence[str],
    conditions: Sequence[Condition],
    value: Callable[[str, str], Proportion | None],
    title: str,
) -> bytes:
    columns = list(panels(conditions))
    figure = new_figure(7.0 * len(columns), 4.6)
    for place, (kind, shown) in enumerate(columns, start=1):
        axes = figure.add_subplot(1, len(columns), place)
        series = [
            Series(c.name, [_point(p) if p else None for p in (value(n, c.name) for n in names)])
            for c in shown
        ]
        intervals(axes, names, series)
        percent_axis(axes)
        axes.set_title(", ".join(part for part in (kind, title) if part))
    return png(figure)


def _draw_distance(
    axes: Axes,
    shown: Sequence[Condition],
    found: Mapping[str, MeanMisses],
    colour: str,
    style: str,
    label: str,
) -> None:
    points = [(c.distance_m or 0.0, found[c.name]) for c in shown if c.name in found]
    axes.errorbar(
        [x for x, _ in points],
        [m.frr for _, m in points],
        ([m.frr - min(m.low, m.frr) for _, m in points],
         [max(m.high, m.frr) - m.frr for _, m in points]),
        color=colour, linestyle=style, marker="o", markersize=4, capsize=2, linewidth=1.3,
        label=label,
    )  # fmt: skip


def _point(p: Proportion) -> tuple[float, float, float]:
    return (p.value, p.low, p.high)
