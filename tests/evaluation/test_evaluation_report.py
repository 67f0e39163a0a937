"""A report holds what was measured, in every form, and is whole or not there."""

from __future__ import annotations

import csv
import errno
import json
import sys
from pathlib import Path

import pytest
from hand_made_tracks import CLEAN, HIGH, LOW, NOISY, RULES, SAYS_LOW, SPEECH
from score_tracks import track

from wakeword import files
from wakeword.errors import EvaluationError, MissingExtraError
from wakeword.evaluation.calibration import calibrate
from wakeword.evaluation.intervals import false_alarm_rate, miss_rate
from wakeword.evaluation.measurement import ALL_CORPORA, Evaluation, evaluate
from wakeword.evaluation.report import TABLES, write_report
from wakeword.evaluation.tables import (
    alarm_table,
    markdown,
    miss_table,
    operating_point_table,
    text_report,
)
from wakeword.runtime import Bundle


@pytest.fixture(scope="module")
def result(tiny_bundle: Path) -> Evaluation:
    positives = {"clean": CLEAN, "noise at 5 dB SNR": NOISY}
    return evaluate(Bundle.load(tiny_bundle), [SPEECH, SAYS_LOW, *CLEAN], positives, RULES)


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_json_tables_and_pictures_say_the_same(result: Evaluation, tmp_path: Path) -> None:
    folder = write_report(tmp_path / "report", result, {"seed": 3, "bundle": "tiny"})
    values = json.loads((folder / "evaluation.json").read_text("utf-8"))
    assert values["about"] == {"seed": 3, "bundle": "tiny"}
    for name, key in zip(TABLES, ("misses", "false_alarms", "events", "curves"), strict=True):
        assert [{k: str(v) for k, v in row.items()} for row in values[key]] == rows(folder / name)
    low = next(m for m in values["misses"]
               if (m["word"], m["condition"], m["basis"]) == (LOW, "clean", "shipped"))  # fmt: skip
    assert (low["missed"], low["clips"], low["frr"]) == (1, 3, 1 / 3)
    assert (low["frr_low"], low["frr_high"]) == (miss_rate(1, 3).low, miss_rate(1, 3).high)
    key = (LOW, ALL_CORPORA, "shipped")
    alarm = next(a for a in values["false_alarms"] if (a["word"], a["corpus"], a["basis"]) == key)
    assert alarm["fa_per_hour_high"] == false_alarm_rate(4, alarm["hours"]).high
    for name in ("low-tone.png", "high-tone.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_points_of_a_curve_fall_in_misses_as_alarms_grow(
    result: Evaluation, tmp_path: Path
) -> None:
    folder = write_report(tmp_path / "report", result, {}, pictures=False)
    points = [r for r in rows(folder / "curves.csv")
              if (r["word"], r["condition"]) == (LOW, "clean")]  # fmt: skip
    thresholds = [float(p["threshold"]) for p in points]
    assert thresholds == sorted(thresholds)
    assert float(points[-1]["alarms"]) == 0.0


def test_an_old_report_is_replaced_and_foreign_files_are_not(
    result: Evaluation, tmp_path: Path
) -> None:
    folder = write_report(tmp_path / "report", result, {"run": 1})
    write_report(folder, result, {"run": 2}, pictures=False)
    assert json.loads((folder / "evaluation.json").read_text())["about"] == {"run": 2}
    assert not list(folder.glob("*.png"))
    (folder / "thesis.tex").write_text("mine")
    with pytest.raises(EvaluationError, match=r"not part of a report: thesis\.tex"):
        write_report(folder, result, {})
    assert (folder / "thesis.tex").read_text() == "mine"
    with pytest.raises(EvaluationError, match="it is a file"):
        write_report(folder / "thesis.tex", result, {})


def test_a_full_disk_leaves_the_old_report(
    result: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_report(tmp_path / "report", result, {"run": 1}, pictures=False)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_report(folder, result, {"run": 2}, pictures=False)
    assert json.loads((folder / "evaluation.json").read_text())["about"] == {"run": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["report"]


def test_pictures_need_matplotlib_and_say_so(
    result: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"wakeword\[plot\]"):
        write_report(tmp_path / "report", result, {})
    assert not (tmp_path / "report").exists()


def test_tables_for_people(result: Evaluation) -> None:
    shipped = miss_table(result, "shipped").splitlines()
    assert "33.3 % (6.1 to 79.2)" in shipped[2] and "| 3 " in shipped[2]
    assert "unknown" in shipped[3] and shipped[-1].startswith("| mean")
    assert "16.7 %" in shipped[-1]
    assert len({len(line) for line in shipped}) == 1
    assert "0.6000" in alarm_table(result, "shipped")
    text = text_report(result)
    assert "operating point that ships" in text and "chosen on these very negatives" in text
    assert "1 alarm in 2.5 h: at most 1.89 per hour at 95 %; these hours cannot support" in text


def test_markdown_is_padded() -> None:
    assert markdown(["a", "bb"], [["long", "x"]]) == (
        "| a    | bb |\n| ---- | -- |\n| long | x  |"
    )


def test_operating_points_as_a_table() -> None:
    negatives = [track([0.9, 0.1] * 18_000)]
    points = calibrate(LOW, negatives, [], RULES, "clean", (0.5, 5_000.0))
    table = operating_point_table({LOW: points}).splitlines()
    assert len(table) == 4 and "no clips" in table[2] and table[2].endswith("| no        |")
    assert HIGH not in table
