"""Results as plain rows, for CSV, JSON and ``evaluate --json``: one function for each table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from wakeword.evaluation.conditions import Condition
from wakeword.evaluation.curve import Curve
from wakeword.evaluation.intervals import Proportion, Rate
from wakeword.evaluation.results import ModelResults, Results

Row = Mapping[str, Any]


def miss_rows(model: ModelResults, results: Results) -> Iterator[Row]:
    """Misses of each word, under each condition, with each kind of threshold."""
    under = {c.name: c for c in results.conditions}
    for m in model.evaluation.misses:
        yield {
            "word": m.word,
            **_condition(under[m.condition]),
            "basis": m.basis,
            "threshold": m.threshold,
            **_share(m.misses),
            "speakers": m.speakers,
            "extra_alarms": m.extra_alarms,
        }


def mean_rows(model: ModelResults, results: Results) -> Iterator[Row]:
    """Mean over the words, with its interval over speakers."""
    under = {c.name: c for c in results.conditions}
    for m in model.means:
        yield {
            **_condition(under[m.condition]),
            "basis": m.basis,
            "words": m.words,
            "clips": m.clips,
            "speakers": m.speakers,
            "unknown": m.unknown,
            "frr": m.frr,
            "frr_low": m.low,
            "frr_high": m.high,
        }


def group_rows(model: ModelResults, results: Results) -> Iterator[Row]:
    """Misses of all words together by corpus, speaker and level."""
    under = {c.name: c for c in results.conditions}
    for g in model.groups:
        yield {
            "by": g.by,
            "group": g.name,
            **_condition(under[g.condition]),
            "basis": g.basis,
            **_share(g.misses),
            "speakers": g.speakers,
        }


def alarm_rows(model: ModelResults, _: Results) -> Iterator[Row]:
    """False alarms of each word, and of all, in each corpus, and in all."""
    for a in model.evaluation.alarms:
        yield {"word": a.word, "corpus": a.corpus, "basis": a.basis, **_rate(a.rate)}


def choice_rows(model: ModelResults, _: Results) -> Iterator[Row]:
    """The thresholds chosen here, and what the hours say of them, beside those that ship."""
    for word, choice in model.evaluation.choices.items():
        yield {
            "word": word,
            "target_fa_per_hour": choice.target_fa_per_hour,
            "threshold": choice.threshold,
            "shipped_threshold": model.evaluation.shipped[word],
            "supported": choice.supported,
            "extrapolated": choice.extrapolated,
            "statement": choice.statement,
        }


def event_rows(model: ModelResults, _: Results) -> Iterator[Row]:
    """Every miss and every false alarm."""
    yield from (asdict(event) for event in model.evaluation.events)


def curve_rows(model: ModelResults, _: Results) -> Iterator[Row]:
    """Each word's curves: a row for each number of alarms that a threshold can keep."""
    for word, by_condition in model.evaluation.curves.items():
        for condition, curve in by_condition.items():
            for index in curve.frontier():
                yield {"word": word, "condition": condition, **_point(curve, index)}


def mean_curve_rows(model: ModelResults, _: Results) -> Iterator[Row]:
    """The curves of the mean over words."""
    for c in model.mean_curves:
        for rate, frr, low, high in zip(c.fa_per_hour, c.frr, c.low, c.high, strict=True):
            yield {
                "condition": c.condition,
                "words": c.words,
                "fa_per_hour": float(rate),
                "frr": float(frr),
                "frr_low": float(low),
                "frr_high": float(high),
            }


OF_A_MODEL: Mapping[str, Callable[[ModelResults, Results], Iterator[Row]]] = {
    "misses": miss_rows,
    "means": mean_rows,
    "groups": group_rows,
    "false_alarms": alarm_rows,
    "chosen_thresholds": choice_rows,
    "events": event_rows,
    "curves": curve_rows,
    "mean_curves": mean_curve_rows,
}
DIFFERENCES = "differences"
TABLES = (*OF_A_MODEL, DIFFERENCES)


def table_rows(name: str, results: Results) -> Iterator[Row]:
    """Rows of one of ``TABLES``; those of several models one after the other."""
    if name == DIFFERENCES:
        yield from _difference_rows(results)
        return
    for model in results.models:
        for row in OF_A_MODEL[name](model, results):
            yield {"model": model.label, **row}


def _difference_rows(results: Results) -> Iterator[Row]:
    under = {c.name: c for c in results.conditions}
    for d in results.differences:
        yield {
            "first": d.first,
            "second": d.second,
            "word": d.word,
            **_condition(under[d.condition]),
            "basis": d.basis,
            "clips": d.clips,
            "speakers": d.speakers,
            "unknown": d.unknown,
            "first_frr": d.first_frr,
            "second_frr": d.second_frr,
            "difference": d.value,
            "difference_low": d.low,
            "difference_high": d.high,
        }


def _condition(c: Condition) -> dict[str, Any]:
    return {
        "condition": c.name,
        "kind": c.kind,
        "snr_db": c.snr_db if math.isfinite(c.snr_db) else None,
        "distance_m": c.distance_m,
    }


def _share(p: Proportion) -> dict[str, Any]:
    return {
        "missed": p.missed,
        "clips": p.clips,
        "frr": p.value,
        "frr_low": p.low,
        "frr_high": p.high,
    }


def _rate(r: Rate) -> dict[str, Any]:
    return {
        "alarms": r.alarms,
        "hours": r.hours,
        "fa_per_hour": r.per_hour,
        "fa_per_hour_low": r.low,
        "fa_per_hour_high": r.high,
    }


def _point(curve: Curve, index: int) -> dict[str, Any]:
    return {
        "threshold": float(curve.thresholds[index]),
        **_rate(curve.rate_at(index)),
        **_share(curve.misses_at(index)),
    }
