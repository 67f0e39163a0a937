"""Tables of a report that has several models, groups and differences."""

from __future__ import annotations

from collections.abc import Sequence

from wakeword.evaluation.bootstrap import Difference
from wakeword.evaluation.conditions import Condition
from wakeword.evaluation.groups import By, Group, worst
from wakeword.evaluation.measurement import ALL_WORDS
from wakeword.evaluation.outcomes import Basis
from wakeword.evaluation.results import ModelResults, Results
from wakeword.evaluation.tables import BASES, Table, share, text_report


def mean_table(
    models: Sequence[ModelResults], basis: Basis, conditions: Sequence[Condition]
) -> Table:
    """Mean over words under each condition, with its interval over speakers."""
    rows = []
    for model in models:
        found = {m.condition: m for m in model.means if m.basis == basis}
        cells = [
            f"{100 * m.frr:.1f} % ({100 * m.low:.1f} to {100 * m.high:.1f})" if m else ""
            for m in (found.get(c.name) for c in conditions)
        ]
        rows.append((model.label, *cells))
    return Table(("model", *(c.name for c in conditions)), tuple(rows))


def difference_table(
    differences: Sequence[Difference], basis: Basis, *, words: bool = True
) -> Table:
    """Each model's misses beside those of the first, on the same clips.

    Without ``words`` only the mean of words, where there are several.
    """
    several = any(d.word == ALL_WORDS for d in differences)
    rows = [
        (
            d.second,
            d.word,
            d.condition,
            str(d.clips),
            f"{d.speakers - d.unknown}" + (f" + {d.unknown} unknown" if d.unknown else ""),
            f"{100 * d.first_frr:.1f} %",
            f"{100 * d.second_frr:.1f} %",
            f"{100 * d.value:+.1f} ({100 * d.low:+.1f} to {100 * d.high:+.1f})",
            "yes" if d.is_clear else "",
        )
        for d in differences
        if d.basis == basis and (words or not several or d.word == ALL_WORDS)
    ]
    first = differences[0].first
    return Table(
        ("model", "word", "condition", "clips", "speakers", f"missed by {first}", "by the model",
         "difference, points", "clear"),
        tuple(rows),
    )  # fmt: skip


def group_table(
    groups: Sequence[Group], by: By, conditions: Sequence[Condition], basis: Basis
) -> Table:
    """Misses of all words together by group; empty where a group has no clips."""
    names = list(dict.fromkeys(g.name for g in groups if (g.by, g.basis) == (by, basis)))
    return _table(groups, by, names, conditions, basis)


def worst_speakers(
    groups: Sequence[Group],
    conditions: Sequence[Condition],
    order: Condition,
    basis: Basis,
    most: int,
) -> Table:
    """Those with five clips or more who are missed most under the condition ``order``."""
    names = [g.name for g in worst(groups, "speaker", order.name, basis)[:most]]
    return _table(groups, "speaker", names, conditions, basis)


def text_results(results: Results) -> str:
    """All models' tables with their titles, and how they differ, for a terminal."""
    parts = []
    for model in results.models:
        if len(results.models) > 1:
            parts.append(f"{model.label}\n{'=' * len(model.label)}")
        parts.append(text_report(model.evaluation, results.conditions))
    for basis, what in BASES.items() if results.differences else ():
        title = f"Difference from {results.models[0].label}, bootstrap over speakers, {what}:"
        parts += [title, str(difference_table(results.differences, basis, words=False))]
    return "\n\n".join(parts)


def _table(
    groups: Sequence[Group],
    by: By,
    names: Sequence[str],
    conditions: Sequence[Condition],
    basis: Basis,
) -> Table:
    found = {(g.name, g.condition): g for g in groups if (g.by, g.basis) == (by, basis)}
    rows = []
    for name in names:
        cells = [found.get((name, c.name)) for c in conditions]
        clips = max((g.misses.clips for g in cells if g), default=0)
        rows.append((name, str(clips), *(share(g.misses) if g else "" for g in cells)))
    return Table((by, "clips", *(c.name for c in conditions)), tuple(rows))
