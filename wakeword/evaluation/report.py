"""An evaluation as files: one JSON with everything, tables as CSV, curves as pictures."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wakeword.errors import EvaluationError
from wakeword.evaluation.curve import Curve
from wakeword.evaluation.measurement import Evaluation
from wakeword.files import atomic_write, fresh_folder, refuse_foreign, write_json

REPORT_FILE = "evaluation.json"
TABLES = ("misses.csv", "false_alarms.csv", "events.csv", "curves.csv")

Row = Mapping[str, Any]


def to_dict(evaluation: Evaluation, about: Mapping[str, Any]) -> dict[str, Any]:
    """Everything in plain values; ``about`` says what was measured and how (bundle, seed, ...)."""
    return {
        "about": dict(about),
        "target_fa_per_hour": evaluation.target_fa_per_hour,
        "chosen_thresholds": list(choice_rows(evaluation)),
        "shipped_thresholds": dict(evaluation.shipped),
        "misses": list(miss_rows(evaluation)),
        "false_alarms": list(alarm_rows(evaluation)),
        "events": [asdict(event) for event in evaluation.events],
        "curves": list(curve_rows(evaluation)),
    }


def miss_rows(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """One row for each word, condition and kind of threshold."""
    for m in evaluation.misses:
        yield {
            "word": m.word,
            "condition": m.condition,
            "basis": m.basis,
            "threshold": m.threshold,
            "missed": m.misses.missed,
            "clips": m.misses.clips,
            "speakers": m.speakers,
            "frr": m.misses.value,
            "frr_low": m.misses.low,
            "frr_high": m.misses.high,
            "extra_alarms": m.extra_alarms,
        }


def alarm_rows(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """One row for each word, corpus and kind of threshold."""
    for a in evaluation.alarms:
        yield {
            "word": a.word,
            "corpus": a.corpus,
            "basis": a.basis,
            "alarms": a.rate.alarms,
            "hours": a.rate.hours,
            "fa_per_hour": a.rate.per_hour,
            "fa_per_hour_low": a.rate.low,
            "fa_per_hour_high": a.rate.high,
        }


def choice_rows(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """One row for each word: the threshold chosen here, and what the hours say of it."""
    for word, choice in evaluation.choices.items():
        yield {
            "word": word,
            "target_fa_per_hour": choice.target_fa_per_hour,
            "threshold": choice.threshold,
            "supported": choice.supported,
            "extrapolated": choice.extrapolated,
            "statement": choice.statement,
        }


def curve_rows(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """The curves, one row for each number of alarms that a threshold can keep."""
    for word, by_condition in evaluation.curves.items():
        for condition, curve in by_condition.items():
            for index in curve.frontier():
                yield {"word": word, "condition": condition, **_point(curve, index)}


def write_report(
    folder: str | Path, evaluation: Evaluation, about: Mapping[str, Any], *, pictures: bool = True
) -> Path:
    """Write a report: the folder is the whole new one or as it was before.

    ``evaluation.json`` holds everything; ``misses.csv``, ``false_alarms.csv``, ``events.csv``
    and ``curves.csv`` the same as tables; ``<word>.png`` the curves of a word.

    Raises
    ------
    EvaluationError
        ``folder`` exists and holds anything that is not a report.
    MissingExtraError
        matplotlib is not installed and pictures are wanted.
    OSError
        As from any writing, a full disk included.
    """
    target = Path(folder)
    check_report_folder(target)
    values = to_dict(evaluation, about)
    drawn: dict[str, bytes] = {}
    if pictures:
        from wakeword.evaluation.pictures import curve_pictures

        drawn = curve_pictures(evaluation)
    with fresh_folder(target) as fresh:
        write_json(fresh / REPORT_FILE, values)
        for name, key in zip(TABLES, ("misses", "false_alarms", "events", "curves"), strict=True):
            _write_csv(fresh / name, values[key])
        for name, data in drawn.items():
            with atomic_write(fresh / name, "wb") as out:
                out.write(data)
    return target


def check_report_folder(folder: str | Path) -> None:
    """Refuse, with an EvaluationError, a folder that holds anything that is not a report."""
    refuse_foreign(folder, "a report", _is_ours, EvaluationError)


def _is_ours(name: str) -> bool:
    return name in (REPORT_FILE, *TABLES) or name.endswith(".png")


def _point(curve: Curve, index: int) -> dict[str, Any]:
    misses, rate = curve.misses_at(index), curve.rate_at(index)
    return {
        "threshold": float(curve.thresholds[index]),
        "alarms": rate.alarms,
        "hours": rate.hours,
        "fa_per_hour": rate.per_hour,
        "fa_per_hour_low": rate.low,
        "fa_per_hour_high": rate.high,
        "missed": misses.missed,
        "clips": misses.clips,
        "frr": misses.value,
        "frr_low": misses.low,
        "frr_high": misses.high,
    }


def _write_csv(path: Path, rows: Sequence[Row]) -> None:
    with atomic_write(path) as file:
        if rows:
            out = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            out.writeheader()
            out.writerows(rows)
