"""An evaluation as tables for people, in Markdown: for the terminal, model cards and the docs."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wakeword.evaluation.conditions import Condition
from wakeword.evaluation.intervals import Proportion, Rate
from wakeword.evaluation.measurement import ALL_CORPORA, ALL_WORDS, Evaluation
from wakeword.evaluation.outcomes import Basis
from wakeword.runtime import OperatingPoints

BASES: Mapping[Basis, str] = {
    "chosen": "threshold chosen on these very negatives",
    "shipped": "operating point that ships with the bundle",
}


@dataclass(frozen=True)
class Table:
    """Cells as people read them: ``str`` gives Markdown, :meth:`html` a page's table."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        return markdown(self.header, self.rows)

    def html(self) -> str:
        """A ``table`` element; everything in the cells is escaped."""
        lines = [_html_row("th", self.header), *(_html_row("td", row) for row in self.rows)]
        return "<table>\n" + "\n".join(lines) + "\n</table>"


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose columns are padded, so that it reads well as plain text too."""
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


def share(misses: Proportion) -> str:
    """``4.9 % (1.3 to 16.2)``"""
    return f"{100 * misses.value:.1f} % ({100 * misses.low:.1f} to {100 * misses.high:.1f})"


def per_hour(rate: Rate) -> str:
    """``0.22 (0.01 to 1.05)``"""
    return f"{rate.per_hour:.2f} ({rate.low:.2f} to {rate.high:.2f})"


def miss_table(evaluation: Evaluation, basis: Basis, conditions: Sequence[str] = ()) -> Table:
    """Share missed by word and condition (by default all), with the mean over words."""
    found = {(m.word, m.condition): m for m in evaluation.misses if m.basis == basis}
    conditions = conditions or evaluation.conditions
    rows = []
    for word in evaluation.words:
        of_word = [found[word, c] for c in conditions if (word, c) in found]
        if not of_word:
            continue
        speakers = max(m.speakers for m in of_word)
        cells = [share(found[word, c].misses) if (word, c) in found else "" for c in conditions]
        rows.append((word, str(of_word[0].misses.clips), str(speakers or "unknown"), *cells))
    means = [evaluation.mean_frr(c, basis) for c in conditions]
    rows.append(("mean", "", "", *(f"{100 * m:.1f} %" for m in means if m is not None)))
    return Table(("word", "clips", "speakers", *conditions), tuple(rows))


def distance_table(
    evaluation: Evaluation, basis: Basis, conditions: Sequence[Condition]
) -> Table | None:
    """Mean share missed by distance and what is mixed in; None where no rooms were simulated."""
    far = [c for c in conditions if c.distance_m is not None]
    if not far:
        return None
    mixtures = list(dict.fromkeys(c.mixture for c in far))
    names = {(c.mixture, c.distance_m): c.name for c in conditions}
    rows = []
    for distance_m in (None, *dict.fromkeys(c.distance_m for c in far)):
        means = [evaluation.mean_frr(names[m, distance_m], basis) for m in mixtures]
        where = "as recorded" if distance_m is None else f"{distance_m:g} m"
        rows.append((where, *("" if m is None else f"{100 * m:.1f} %" for m in means)))
    return Table(("distance", *mixtures), tuple(rows))


def alarm_table(evaluation: Evaluation, basis: Basis) -> Table:
    """False alarms by word: threshold, alarms, hours, rate with bounds."""
    thresholds = (
        evaluation.shipped
        if basis == "shipped"
        else {word: choice.threshold for word, choice in evaluation.choices.items()}
    )
    rows = [
        (
            a.word,
            f"{thresholds[a.word]:.4f}" if a.word in thresholds else "",
            str(a.rate.alarms),
            f"{a.rate.hours:.2f}",
            per_hour(a.rate),
        )
        for a in evaluation.alarms
        if a.basis == basis and a.corpus == ALL_CORPORA
    ]
    return Table(("word", "threshold", "false alarms", "hours", "per hour"), tuple(rows))


def corpus_table(evaluation: Evaluation, basis: Basis) -> Table:
    """False alarms of all words together, by corpus of the negatives."""
    rows = [
        (a.corpus, str(a.rate.alarms), f"{a.rate.hours:.2f}", per_hour(a.rate))
        for a in evaluation.alarms
        if a.basis == basis and a.word == ALL_WORDS
    ]
    return Table(("corpus", "false alarms, all words", "hours", "per hour"), tuple(rows))


def operating_point_table(points: Mapping[str, OperatingPoints]) -> str:
    """What a bundle's thresholds were measured to do."""
    rows = []
    for word, table in points.items():
        for p in table.points:
            missed = "no clips"
            if p.frr is not None:
                missed = f"{100 * p.frr:.1f} % ({p.missed} of {p.clips})"
            rows.append(
                [
                    word,
                    f"{p.target_fa_per_hour:g}",
                    f"{p.threshold:.4f}",
                    f"{p.alarms} in {p.hours:.1f} h",
                    f"{p.fa_per_hour:.2f} ({p.fa_per_hour_low:.2f} to {p.fa_per_hour_high:.2f})",
                    missed,
                    "yes" if p.supported else "no",
                ]
            )
    return markdown(
        ["word", "target per hour", "threshold", "false alarms", "per hour", "missed", "supported"],
        rows,
    )


def text_report(evaluation: Evaluation, conditions: Sequence[Condition]) -> str:
    """All tables with their titles, and what the hours support."""
    target = f"{evaluation.target_fa_per_hour:g}"
    near = [c.name for c in conditions if c.distance_m is None]
    parts = []
    for basis, what in BASES.items():
        title = f"at {target} false alarms per hour, {what}"
        if evaluation.misses:
            parts += [f"Missed {title}:", str(miss_table(evaluation, basis, near))]
        far = distance_table(evaluation, basis, conditions)
        if far is not None:
            parts += [f"Missed in simulated rooms {title}, mean of words:", str(far)]
        parts += [f"False alarms {title}:", str(alarm_table(evaluation, basis))]
        parts += [f"The same by corpus, {what}:", str(corpus_table(evaluation, basis))]
    parts.append(
        "What these hours say of the chosen thresholds:\n"
        + "\n".join(f"- {word}: {c.statement}" for word, c in evaluation.choices.items())
    )
    return "\n\n".join(parts)


def _html_row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"
