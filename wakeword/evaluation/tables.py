"""An evaluation as tables for people, in Markdown: for the terminal, model cards and the docs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wakeword.evaluation.intervals import Proportion, Rate
from wakeword.evaluation.measurement import ALL_CORPORA, ALL_WORDS, Evaluation
from wakeword.evaluation.outcomes import Basis
from wakeword.runtime import OperatingPoints

BASES: Mapping[Basis, str] = {
    "chosen": "threshold chosen on these very negatives",
    "shipped": "operating point that ships with the bundle",
}


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


def miss_table(evaluation: Evaluation, basis: Basis) -> str:
    """Share missed by word and condition, with the mean over words."""
    found = {(m.word, m.condition): m for m in evaluation.misses if m.basis == basis}
    conditions = evaluation.conditions
    rows = []
    for word in evaluation.words:
        of_word = [found[word, c] for c in conditions if (word, c) in found]
        if not of_word:
            continue
        speakers = max(m.speakers for m in of_word)
        rows.append(
            [word, str(of_word[0].misses.clips), str(speakers or "unknown")]
            + [share(found[word, c].misses) if (word, c) in found else "" for c in conditions]
        )
    means = [evaluation.mean_frr(c, basis) for c in conditions]
    rows.append(["mean", "", ""] + [f"{100 * m:.1f} %" for m in means if m is not None])
    return markdown(["word", "clips", "speakers", *conditions], rows)


def alarm_table(evaluation: Evaluation, basis: Basis) -> str:
    """False alarms by word: threshold, alarms, hours, rate with bounds."""
    thresholds = (
        evaluation.shipped
        if basis == "shipped"
        else {word: choice.threshold for word, choice in evaluation.choices.items()}
    )
    rates = {
        a.word: a.rate
        for a in evaluation.alarms
        if a.basis == basis and a.corpus == ALL_CORPORA
    }
    rows = [
        [
            word,
            f"{thresholds[word]:.4f}" if word in thresholds else "",
            str(rate.alarms),
            f"{rate.hours:.2f}",
            per_hour(rate),
        ]
        for word, rate in rates.items()
    ]
    return markdown(["word", "threshold", "false alarms", "hours", "per hour"], rows)


def corpus_table(evaluation: Evaluation, basis: Basis) -> str:
    """False alarms of all words together, by corpus of the negatives."""
    rates = {
        a.corpus: a.rate for a in evaluation.alarms if a.basis == basis and a.word == ALL_WORDS
    }
    rows = [[c, str(r.alarms), f"{r.hours:.2f}", per_hour(r)] for c, r in rates.items()]
    return markdown(["corpus", "false alarms, all words", "hours", "per hour"], rows)


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


def text_report(evaluation: Evaluation) -> str:
    """All tables with their titles, and what the hours support."""
    target = f"{evaluation.target_fa_per_hour:g}"
    parts = []
    for basis, what in BASES.items():
        title = f"at {target} false alarms per hour, {what}"
        if evaluation.misses:
            parts += [f"Missed {title}:", miss_table(evaluation, basis)]
        parts += [f"False alarms {title}:", alarm_table(evaluation, basis)]
        parts += [f"The same by corpus, {what}:", corpus_table(evaluation, basis)]
    parts.append(
        "What these hours say of the chosen thresholds:\n"
        + "\n".join(f"- {word}: {c.statement}" for word, c in evaluation.choices.items())
    )
    return "\n\n".join(parts)
