"""A report holds what was measured, in every form, and is whole or not there."""

from __future__ import annotations

import csv
import errno
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hand_made_tracks import CLEAN, HIGH, LOW, NOISY, RULES, SAYS_LOW, SPEECH
from score_tracks import track

from wakeword import files
from wakeword.errors import EvaluationError, MissingExtraError
from wakeword.evaluation.calibration import calibrate
from wakeword.evaluation.conditions import Condition
from wakeword.evaluation.intervals import false_alarm_rate, miss_rate
from wakeword.evaluation.measurement import ALL_CORPORA, ALL_WORDS, Evaluation, evaluate
from wakeword.evaluation.report import write_report
from wakeword.evaluation.results import Measured, Results, gather
from wakeword.evaluation.rows import TABLES
from wakeword.evaluation.tables import (
    alarm_table,
    markdown,
    miss_table,
    operating_point_table,
    text_report,
)
from wakeword.runtime import Bundle

CONDITIONS = (Condition("clean"), Condition("noise", 5.0))
POSITIVES = {"clean": CLEAN, "noise at 5 dB SNR": NOISY}


@pytest.fixture(scope="module")
def result(tiny_bundle: Path) -> Evaluation:
    return evaluate(Bundle.load(tiny_bundle), [SPEECH, SAYS_LOW, *CLEAN], POSITIVES, RULES)


def report_of(*evaluations: Evaluation, **about: object) -> Results:
    measured = [
        Measured(f"model <{i}>", {"bundle": "tiny"}, e, POSITIVES, RULES)
        for i, e in enumerate(evaluations)
    ]
    return gather(about, CONDITIONS, measured, {"a": -20.0}, seed=1)


@pytest.fixture(scope="module")
def results(result: Evaluation) -> Results:
    return report_of(result, seed=3)


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_json_tables_and_pictures_say_the_same(results: Results, tmp_path: Path) -> None:
    folder = write_report(tmp_path / "report", results)
    values = json.loads((folder / "report.json").read_text("utf-8"))
    assert values["about"] == {"seed": 3, "models": [{"bundle": "tiny"}]}
    for name in TABLES:
        written = [{k: "" if v is None else str(v) for k, v in row.items()} for row in values[name]]
        assert written == rows(folder / f"{name}.csv")
        assert written or name == "differences"
    low = next(m for m in values["misses"]
               if (m["word"], m["condition"], m["basis"]) == (LOW, "clean", "shipped"))  # fmt: skip
    assert (low["missed"], low["clips"], low["frr"]) == (1, 3, 1 / 3)
    assert (low["frr_low"], low["frr_high"]) == (miss_rate(1, 3).low, miss_rate(1, 3).high)
    assert (low["kind"], low["snr_db"], low["distance_m"]) == ("clean", None, None)
    key = (LOW, ALL_CORPORA, "shipped")
    alarm = next(a for a in values["false_alarms"] if (a["word"], a["corpus"], a["basis"]) == key)
    assert alarm["fa_per_hour_high"] == false_alarm_rate(4, alarm["hours"]).high


def test_the_page_shows_every_picture_and_links_every_table(
    results: Results, tmp_path: Path
) -> None:
    folder = write_report(tmp_path / "report", results)
    page = (folder / "index.html").read_text("utf-8")
    drawn = {p.name for p in folder.glob("*.png")}
    shown = set(re.findall(r'<img src="([^"]+)"', page))
    assert {"frr-over-fa.png", "false-alarms.png", "model-0-by-word.png"} <= shown
    assert drawn - shown == {"model-0-low-tone.png", "model-0-high-tone.png"}
    assert shown <= drawn and all((folder / n).read_bytes().startswith(b"\x89PNG") for n in drawn)
    linked = set(re.findall(r'href="([^"]+\.(?:csv|json))"', page))
    assert linked == {"report.json", *(f"{name}.csv" for name in TABLES)}
    assert "model &lt;0&gt;" in page and "model <0>" not in page
    assert "33.3 % (6.1 to 79.2)" in page


def test_models_are_compared_with_the_first(result: Evaluation, tmp_path: Path) -> None:
    outcomes = tuple(replace(o, missed=True) for o in result.outcomes)
    other = replace(result, outcomes=outcomes)
    folder = write_report(tmp_path / "report", report_of(result, other))
    clean = [r for r in rows(folder / "differences.csv")
             if (r["condition"], r["basis"]) == ("clean", "shipped")]  # fmt: skip
    assert [(r["word"], float(r["first_frr"]), float(r["second_frr"])) for r in clean] == [
        (LOW, 1 / 3, 1.0), (HIGH, 0.0, 1.0), (ALL_WORDS, 1 / 6, 1.0)
    ]  # fmt: skip
    page = (folder / "index.html").read_text("utf-8")
    assert 'src="differences.png"' in page and "speakers intervals are rough" in page
    assert "+100.0 (+100.0 to +100.0)" in page


def test_without_clips_there_are_still_false_alarms(tiny_bundle: Path, tmp_path: Path) -> None:
    alone = evaluate(Bundle.load(tiny_bundle), [SPEECH], {"clean": []}, RULES)
    measured = [Measured("tiny", {}, alone, {"clean": []}, RULES)]
    results = gather({}, CONDITIONS[:1], measured, {}, seed=1)
    folder = write_report(tmp_path / "report", results)
    assert rows(folder / "misses.csv") == [] and rows(folder / "false_alarms.csv")
    assert [p.name for p in folder.glob("*.png")] == ["false-alarms.png"]


def test_points_of_a_curve_fall_in_misses_as_alarms_grow(results: Results, tmp_path: Path) -> None:
    folder = write_report(tmp_path / "report", results, pictures=False)
    points = [r for r in rows(folder / "curves.csv")
              if (r["word"], r["condition"]) == (LOW, "clean")]  # fmt: skip
    thresholds = [float(p["threshold"]) for p in points]
    assert thresholds == sorted(thresholds)
    assert float(points[-1]["alarms"]) == 0.0


def test_an_old_report_is_replaced_and_foreign_files_are_not(
    result: Evaluation, tmp_path: Path
) -> None:
    def run_of(folder: Path) -> int:
        about = json.loads((folder / "report.json").read_text("utf-8"))["about"]
        return int(about["run"])

    folder = write_report(tmp_path / "report", report_of(result, run=1))
    write_report(folder, report_of(result, run=2), pictures=False)
    assert run_of(folder) == 2 and not list(folder.glob("*.png"))
    (folder / "thesis.tex").write_text("mine")
    with pytest.raises(EvaluationError, match=r"not part of a report: thesis\.tex"):
        write_report(folder, report_of(result))
    assert (folder / "thesis.tex").read_text() == "mine" and run_of(folder) == 2
    with pytest.raises(EvaluationError, match="it is a file"):
        write_report(folder / "thesis.tex", report_of(result))


def test_a_full_disk_leaves_the_old_report(
    result: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_report(tmp_path / "report", report_of(result, run=1), pictures=False)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_report(folder, report_of(result, run=2), pictures=False)
    assert json.loads((folder / "report.json").read_text("utf-8"))["about"]["run"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["report"]


def test_pictures_need_matplotlib_and_say_so(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"wakeword\[plot\]"):
        write_report(tmp_path / "report", results)
    assert not (tmp_path / "report").exists()


def test_tables_for_people(result: Evaluation) -> None:
    shipped = str(miss_table(result, "shipped")).splitlines()
    assert "33.3 % (6.1 to 79.2)" in shipped[2] and "| 3 " in shipped[2]
    assert "unknown" in shipped[3] and shipped[-1].startswith("| mean")
    assert "16.7 %" in shipped[-1]
    assert len({len(line) for line in shipped}) == 1
    assert "0.6000" in str(alarm_table(result, "shipped"))
    text = text_report(result, CONDITIONS)
    assert "operating point that ships" in text and "chosen on these very negatives" in text
    assert "1 alarm in 2.5 h: at most 1.89 per hour at 95 %; these hours cannot support" in text


def test_markdown_is_padded() -> None:
    assert markdown(["a", "bb"], [["long", "x"]]) == ("| a    | bb |\n| ---- | -- |\n| long | x  |")


def test_operating_points_as_a_table() -> None:
    negatives = [track([0.9, 0.1] * 18_000)]
    points = calibrate(LOW, negatives, [], RULES, "clean", (0.5, 5_000.0))
    table = operating_point_table({LOW: points}).splitlines()
    assert len(table) == 4 and "no clips" in table[2] and table[2].endswith("| no        |")
    assert HIGH not in table
