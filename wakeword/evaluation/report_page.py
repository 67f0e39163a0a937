"""The page that shows a report: pictures, the tables behind them, what was measured and how."""

from __future__ import annotations

import html
import json
from collections.abc import Collection, Iterator
from importlib.resources import files

from wakeword.evaluation import report_pictures as names
from wakeword.evaluation.bootstrap import FEW_SPEAKERS, RESAMPLES
from wakeword.evaluation.pictures import OVERVIEW
from wakeword.evaluation.report_tables import (
    difference_table,
    group_table,
    mean_table,
    worst_speakers,
)
from wakeword.evaluation.results import ModelResults, Results
from wakeword.evaluation.rows import TABLES
from wakeword.evaluation.tables import (
    BASES,
    Table,
    alarm_table,
    corpus_table,
    distance_table,
    miss_table,
)

STYLE = "report.css"
_WORST_SPEAKERS = 15


def report_page(results: Results, pictures: Collection[str]) -> str:
    """HTML that shows those ``pictures`` that lie beside it, and needs nothing else."""
    title = "Measured: " + ", ".join(m.label for m in results.models)
    style = files("wakeword.evaluation").joinpath(STYLE).read_text("utf-8")
    parts = list(_overview(results))
    for model in results.models:
        parts += _model(model, results)
    parts += _about(results)
    shown = (_picture(p.name) if isinstance(p, _Picture) else p
             for p in parts if not isinstance(p, _Picture) or p.name in pictures)  # fmt: skip
    body = "\n".join(shown)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"<h1>{html.escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


class _Picture:
    """A place for a picture, left out where it was not drawn."""

    def __init__(self, name: str) -> None:
        self.name = name


_Part = str | _Picture


def _overview(results: Results) -> Iterator[_Part]:
    target = f"{results.models[0].evaluation.target_fa_per_hour:g}"
    yield _text(
        f"At {target} false alarms per hour and word, unless a curve says otherwise. In "
        "brackets and as bars: 95 % intervals; Wilson's for shares of clips, exact Poisson bounds "
        "for false alarms, bootstrap over speakers for means of words and differences. Clips of "
        "one speaker are missed together: of speakers who were not heard, less is known than "
        "Wilson's intervals say."
    )
    yield _heading("Missed over false alarms")
    yield _Picture(names.MEAN_CURVES)
    for basis, what in BASES.items():
        yield from _titled(
            f"Mean of words, {what}", mean_table(results.models, basis, results.near)
        )
    if results.differences:
        yield from _differences(results)
    if len(results.near) < len(results.conditions):
        yield from _distances(results)
    yield _heading("False alarms by corpus")
    yield _Picture(names.ALARMS)
    for model in results.models:
        for basis, what in BASES.items():
            yield from _titled(f"{model.label}, {what}", corpus_table(model.evaluation, basis))


def _differences(results: Results) -> Iterator[_Part]:
    known = min(d.speakers - d.unknown for d in results.differences)
    yield _heading("Differences")
    yield _Picture(names.DIFFERENCES)
    yield _text(
        "The same clips, each model at its own thresholds, which are taken as given. Speakers are "
        f"drawn anew {RESAMPLES:,} times, each with all of his clips; a clip whose speaker is not "
        "known is a speaker of its own, which makes intervals too narrow where few people said "
        "many such clips. Clear is a difference whose interval leaves out 0."
        + (f" Of fewer than {FEW_SPEAKERS} speakers intervals are rough." * (known < FEW_SPEAKERS))
    )
    for basis, what in BASES.items():
        yield from _titled(f"Differences, {what}", difference_table(results.differences, basis))


def _distances(results: Results) -> Iterator[_Part]:
    yield _heading("Distance")
    yield _Picture(names.DISTANCE)
    yield _text(
        "Each clip in one of several simulated rooms, the same one at every distance, other ones "
        "than in training. Its level is kept, and SNR is that at the microphone: what is measured "
        "is reverberation alone."
    )
    for model in results.models:
        for basis, what in BASES.items():
            table = distance_table(model.evaluation, basis, results.conditions)
            if table is not None:
                yield from _titled(f"{model.label}, mean of words, {what}", table)


def _model(model: ModelResults, results: Results) -> Iterator[_Part]:
    evaluation, near = model.evaluation, results.near
    yield _heading(model.label)
    yield _text(", ".join(f"{key} {value}" for key, value in model.about.items()))
    yield _Picture(names.picture_name(model, names.WORDS))
    for basis, what in BASES.items():
        yield from _titled(f"Missed, {what}", miss_table(evaluation, basis, [c.name for c in near]))
        yield from _titled(f"False alarms, {what}", alarm_table(evaluation, basis))
    yield _text("What these hours say of the chosen thresholds:")
    said = (html.escape(f"{word}: {c.statement}") for word, c in evaluation.choices.items())
    yield "<ul>" + "".join(f"<li>{sentence}</li>" for sentence in said) + "</ul>"
    if near and model.groups:
        yield from _groups(model, results)
    yield _heading(f"{model.label}: curves of every word", 3)
    yield _Picture(names.picture_name(model, OVERVIEW))


def _groups(model: ModelResults, results: Results) -> Iterator[_Part]:
    near, order = results.near, results.ranked_by
    chosen = BASES["chosen"]
    yield _Picture(names.picture_name(model, names.LEVELS))
    yield from _titled(f"By level, {chosen}", group_table(model.groups, "level", near, "chosen"))
    yield from _titled(
        f"By corpus of the clips, {chosen}", group_table(model.groups, "corpus", near, "chosen")
    )
    yield _Picture(names.picture_name(model, names.SPEAKERS))
    yield from _titled(
        f"The speakers of five clips or more who are missed most, {order.name}, {chosen}",
        worst_speakers(model.groups, near, order, "chosen", _WORST_SPEAKERS),
    )


def _about(results: Results) -> Iterator[_Part]:
    yield _heading("What was measured, and how")
    yield f"<pre>{html.escape(json.dumps(dict(results.about), indent=2))}</pre>"
    links = [f'<a href="{name}.csv">{name}.csv</a>' for name in TABLES]
    yield f'<p>All figures: {", ".join(links)}, <a href="report.json">report.json</a>.</p>'


def _titled(title: str, table: Table) -> Iterator[str]:
    if table.rows:
        yield _text(f"{title}:")
        yield f'<div class="table">{table.html()}</div>'


def _heading(text: str, level: int = 2) -> str:
    return f"<h{level}>{html.escape(text)}</h{level}>"


def _text(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"


def _picture(name: str) -> str:
    return f'<p><a href="{name}"><img src="{name}" alt="{name}"></a></p>'
