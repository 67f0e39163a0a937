"""The result of the benchmark in every form: rows, tables, sentences, picture, one whole folder."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from score_tracks import RULES, WORD, track

from wakeword.errors import EvaluationError, MissingExtraError
from wakeword.evaluation.intervals import false_alarm_rate, miss_rate
from wakeword.evaluation.picovoice import judge_stream
from wakeword.evaluation.picovoice_report import TABLES, write_protocol
from wakeword.evaluation.picovoice_result import Content, ProtocolResult, Utterance
from wakeword.evaluation.picovoice_tables import event_rows, mean_rows, text_report, word_rows

CONTENT = Content(
    hours=30.0, segments=500, spoken_segments=100, spoken_hours=6.0, distinct_speech_hours=0.6,
    distinct_noise_hours=0.4,
)  # fmt: skip


@pytest.fixture(scope="module")
def result() -> ProtocolResult:
    """Four alarms in 31 h: at 0.1 per hour three may stay, and one of two words is missed."""
    values = np.full(31 * 36_000, 0.01, np.float32)
    values[[20_000, 20_100, 50_000]] = 0.9
    values[60_000] = 0.8
    values[[105, 111, 205]] = 0.85, 0.85, 0.7
    made = track(values, [(10.0, 11.0), (20.0, 21.0)])
    said = [
        Utterance(f"clip-{i}", "clips", f"s{i}", "hum", t.start_s, t.end_s, 12.0 + i)
        for i, t in enumerate(made.truths(WORD))
    ]
    alexa = judge_stream(
        made, said, CONTENT, RULES, 0.1, 0.75,
        lambda time_s: ("talk", True) if time_s < 3_000.0 else ("hum", False),
    )  # fmt: skip
    words = (replace(alexa, word="alexa"), replace(alexa, word="athena", shipped=None))
    return ProtocolResult(0.1, 10.0, words)


def read(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_rows_say_what_was_measured(result: ProtocolResult) -> None:
    chosen, shipped, other = word_rows(result)
    assert (chosen["word"], chosen["basis"], shipped["basis"]) == ("alexa", "chosen", "shipped")
    assert (other["word"], other["basis"]) == ("athena", "chosen")
    assert (chosen["missed"], chosen["clips"], chosen["alarms"]) == (1, 2, 3)
    assert chosen["frr_high"] == miss_rate(1, 2).high
    assert chosen["fa_per_hour_high"] == false_alarm_rate(3, chosen["hours"]).high
    assert chosen["alarming_recordings"] == 2 and chosen["distinct_hours"] == 1.0
    assert (shipped["alarms"], shipped["missed"], shipped["threshold"]) == (4, 1, 0.75)
    assert (chosen["repeats"], shipped["repeats"]) == (1, 1)


def test_events_name_what_alarmed_and_what_was_missed(result: ProtocolResult) -> None:
    rows = [r for r in event_rows(result) if r["word"] == "alexa" and r["basis"] == "shipped"]
    misses = [r for r in rows if r["kind"] == "miss"]
    assert [(r["recording"], r["noise"], r["snr_db"]) for r in misses] == [("clip-1", "hum", 13.0)]
    alarms = [(r["time_s"], r["recording"], r["noise"]) for r in rows if r["kind"] != "miss"]
    assert alarms == [
        (2_000.1, "talk", ""), (2_010.1, "talk", ""), (5_000.1, "", "hum"), (6_000.1, "", "hum"),
    ]  # fmt: skip


def test_means_stand_beside_the_published_figures_only_at_their_rate(
    result: ProtocolResult,
) -> None:
    rows = list(mean_rows(result))
    assert [(r["engine"], r["words_of"], r["basis"]) for r in rows[:3]] == [
        ("this model", "all words", "chosen"),
        ("this model", "words of the benchmark", "chosen"),
        ("this model", "words of the benchmark", "shipped"),
    ]
    published = {r["engine"]: (r["frr"], r["note"]) for r in rows[3:]}
    assert published == {
        "Porcupine": (0.027, "published, other audio"),
        "Snowboy": (0.319, "published, other audio"),
        "PocketSphinx": (0.52, "published, other audio"),
    }
    at_another_rate = mean_rows(replace(result, target_fa_per_hour=0.5))
    assert {r["engine"] for r in at_another_rate} == {"this model"}


def test_the_text_says_how_little_the_hours_prove(result: ProtocolResult) -> None:
    text = text_report(result)
    assert "Missed at 0.1 false alarms per hour, threshold chosen on these very negatives" in text
    assert "published, other audio" in text and "100 of 500" in text
    assert "- alexa: 3 alarms in 31.0 h: at most 0.25 per hour at 95 % of such mixtures." in text
    assert "Each recording of speech comes 10 times, of noise 75 times" in text
    assert "it is 2 alarming recordings in 1.0 h, at most 6.3 per hour" in text
    none = replace(result, words=(replace(result.words[1], chosen=None),))
    text = text_report(none)
    assert "- athena: no threshold keeps 0.1 per hour" in text
    assert "operating point that ships with the bundle: no word has a threshold for it" in text


def test_the_folder_holds_every_table_and_the_picture(
    result: ProtocolResult, tmp_path: Path
) -> None:
    out = write_protocol(tmp_path / "out", result, {"seed": 1})
    values = json.loads((out / "picovoice.json").read_text("utf-8"))
    assert values["about"] == {"seed": 1}
    for name in TABLES:
        assert [{k: str(v) for k, v in r.items()} for r in values[name]] == read(
            out / f"{name}.csv"
        )
    assert (out / "picovoice.png").read_bytes().startswith(b"\x89PNG")
    write_protocol(out, result, {}, pictures=False)
    assert {p.name for p in out.iterdir()} == {"picovoice.json", *(f"{n}.csv" for n in TABLES)}


def test_a_folder_with_anything_else_is_left_alone(result: ProtocolResult, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(EvaluationError, match=r"thesis\.txt"):
        write_protocol(tmp_path, result, {})
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_without_matplotlib_the_extra_is_named(
    result: ProtocolResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"wakeword\[plot\]"):
        write_protocol(tmp_path / "out", result, {})
    assert not (tmp_path / "out").exists()
