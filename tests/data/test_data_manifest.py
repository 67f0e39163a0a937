"""Manifests: what is read, what is refused with its place, what is only warned of."""

from __future__ import annotations

import csv
import hashlib
import math
from pathlib import Path

import pytest
from tiny_corpus import recording

from wakeword.data.manifest import COLUMNS, Manifest, read_manifest
from wakeword.errors import ManifestError

ROW = {
    "path": "a.wav",
    "corpus": "mine",
    "text": "Alexa",
    "speaker": "s1",
    "split": "train",
    "word_start_s": "0.25",
    "word_end_s": "0.75",
    "seconds": "1.5",
}


def write(folder: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
    """A manifest of ``rows`` (changes to ``ROW``) whose files exist."""
    path = folder / "manifest.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, columns)
        out.writeheader()
        for i, row in enumerate(rows):
            full = {**ROW, "path": f"{i}.wav", **row}
            (folder / full["path"]).touch()
            out.writerow(full)
    return path


def read(folder: Path, *rows: dict[str, str]) -> Manifest:
    return read_manifest(write(folder, *rows))


def refused(path: Path, *says: str) -> None:
    with pytest.raises(ManifestError) as error:
        read_manifest(path)
    for text in (str(path), *says):
        assert text in str(error.value)


def test_rows_are_read_as_they_are_written(tmp_path: Path) -> None:
    manifest = read(tmp_path, {}, {"split": "dev", "speaker": "s2", "text": " View  Glass "})
    first, second = manifest
    assert (first.path, first.corpus, first.text) == (tmp_path / "0.wav", "mine", "alexa")
    assert (first.word_start_s, first.word_end_s, first.seconds) == (0.25, 0.75, 1.5)
    assert second.text == "view  glass" and second.split == "dev"
    assert len(manifest) == 2 and manifest.warnings == ()
    assert manifest.where(lambda r: r.split == "dev") == [second]
    assert manifest.sha256 == hashlib.sha256(manifest.path.read_bytes()).hexdigest()


def test_columns_may_come_in_any_order_and_a_byte_order_mark_before_them(tmp_path: Path) -> None:
    path = write(tmp_path, {}, columns=COLUMNS[::-1])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_manifest(path).recordings[0].seconds == 1.5


def test_a_transcript_may_hold_commas_quotes_and_line_ends(tmp_path: Path) -> None:
    text = 'he said "yes, alexa"\nand\u2028went\x0b\x1caway'
    one, two = read(tmp_path, {"text": text}, {"text": "next"})
    assert (one.text, two.text) == (text, "next")


@pytest.mark.parametrize("missing", COLUMNS)
def test_a_missing_column_is_named(tmp_path: Path, missing: str) -> None:
    columns = tuple(c for c in COLUMNS if c != missing)
    path = tmp_path / "m.csv"
    path.write_text(",".join(columns) + "\n")
    refused(path, "missing columns", repr(missing), ",".join(COLUMNS))


def test_an_unknown_and_a_repeated_column_are_named(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(",".join([*COLUMNS, "mood"]) + "\n")
    refused(path, "unknown columns 'mood'")
    path.write_text(",".join([*COLUMNS, "text"]) + "\n")
    refused(path, "repeated columns 'text'")


@pytest.mark.parametrize("content", [b"", b"\n\n", ",".join(COLUMNS).encode(), b"\xff\xfe\x00a"])
def test_an_empty_manifest_or_one_that_is_no_text_is_refused(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(content)
    refused(path)


def test_a_manifest_that_is_missing_or_a_folder_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "none.csv", "cannot be read")
    refused(tmp_path, "cannot be read")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"split": "validation"}, "split 'validation' is not one of train, dev, test"),
        ({"split": ""}, "split '' is not one of"),
        ({"seconds": "long"}, "seconds 'long' is not a number"),
        ({"seconds": "0"}, "seconds '0' must be above 0"),
        ({"seconds": "-1"}, "seconds '-1' must be above 0"),
        ({"seconds": "nan"}, "seconds 'nan' must be above 0"),
        ({"seconds": "inf"}, "and finite"),
        ({"corpus": ""}, "path and corpus must not be empty"),
    ],
)
def test_a_bad_value_is_refused_with_its_line(
    tmp_path: Path, change: dict[str, str], says: str
) -> None:
    refused(write(tmp_path, {}, change), "line 3", says)


@pytest.mark.parametrize(("row", "fields"), [("a.wav,mine", 2), ("a,b,c,d,e,f,g,h,i,j,k", 11)])
def test_a_row_with_too_few_or_too_many_fields_is_refused(
    tmp_path: Path, row: str, fields: int
) -> None:
    path = tmp_path / "m.csv"
    path.write_text(",".join(COLUMNS) + "\n" + row + "\n")
    refused(path, "line 2", f"{fields} fields, not 8")


@pytest.mark.parametrize("line", ['a.wav,"mine"x,t,s,train,,,1', 'a.wav,"mine,t,s,train,,,1'])
def test_broken_quoting_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "m.csv"
    path.write_text(",".join(COLUMNS) + "\n" + line + "\n")
    refused(path, "line 2")
    path.write_text('"path"x,corpus\n')
    refused(path, "line 1")


def test_missing_files_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, {}, {}, {})
    for name in ("1.wav", "2.wav"):
        (tmp_path / name).unlink()
    refused(path, "2 of 3 files are missing", str(tmp_path / "1.wav"))
    assert len(read_manifest(path, check_files=False)) == 3


@pytest.mark.parametrize(
    ("start", "end"),
    [("3.160", "3.801p"), ("1.0", "0.5"), ("-0.1", "0.5"), ("0.2", ""), ("nan", "nan"),
     ("0.2", "inf"), ("0.2", "1.7")],
)  # fmt: skip
def test_word_times_that_make_no_sense_are_ignored_with_a_warning(
    tmp_path: Path, start: str, end: str
) -> None:
    manifest = read(tmp_path, {}, {"word_start_s": start, "word_end_s": end})
    assert math.isnan(manifest.recordings[1].word_start_s)
    assert math.isnan(manifest.recordings[1].word_end_s)
    (warning,) = manifest.warnings
    assert "line 3" in warning and f"'{start}' to '{end}'" in warning and "ignored" in warning


@pytest.mark.parametrize(("start", "end"), [("", ""), ("0.0", "0.0")])
def test_no_word_times_are_no_warning(tmp_path: Path, start: str, end: str) -> None:
    manifest = read(tmp_path, {"word_start_s": start, "word_end_s": end})
    assert math.isnan(manifest.recordings[0].word_start_s) and manifest.warnings == ()


def test_word_times_may_end_a_rounding_after_the_recording(tmp_path: Path) -> None:
    assert read(tmp_path, {"word_end_s": "1.55"}).recordings[0].word_end_s == 1.55


def test_a_speaker_in_two_splits_is_refused(tmp_path: Path) -> None:
    refused(write(tmp_path, {}, {"split": "dev"}), "speaker 's1' of mine", "train and dev")


@pytest.mark.parametrize("speaker", ["", "unknown", "Unknown"])
def test_speakers_nobody_knows_may_be_in_every_split(tmp_path: Path, speaker: str) -> None:
    read(tmp_path, {"speaker": speaker}, {"speaker": speaker, "split": "dev"})


def test_the_same_name_in_another_corpus_is_another_speaker(tmp_path: Path) -> None:
    read(tmp_path, {}, {"corpus": "other", "split": "dev"})
    read(tmp_path, {"corpus": "recording"}, {"corpus": "recording", "speaker": "1.wav"})


def test_a_recording_in_two_splits_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, {"path": "a.wav", "speaker": ""},
                 {"path": "a.wav", "speaker": "", "split": "dev"})  # fmt: skip
    refused(path, str(tmp_path / "a.wav"), "train and dev")


@pytest.mark.parametrize(
    "text", ["alexa", "hey alexa, stop", "say 'alexa'", "alexa's", "well-alexa-yes", "(alexa)"]
)
def test_says_finds_a_whole_word(text: str) -> None:
    assert recording(text).says("alexa")


@pytest.mark.parametrize("text", ["", "alexander", "galexa", "alexa2", "éalexa", "alex a"])
def test_says_does_not_find_a_part_of_a_word(text: str) -> None:
    assert not recording(text).says("alexa")


def test_says_finds_words_of_several_parts_and_of_any_alphabet() -> None:
    for text in ("a smart mirror", "smart-mirror", "smart,  mirror!", "smart\nmirror"):
        assert recording(text).says("smart mirror")
    assert not recording("smart mirrors").says("smart mirror")
    assert not recording("smart and mirror").says("smart mirror")
    assert recording("grüß dich, müller").says("müller")
    assert not recording("grüß dich, müllerin").says("müller")
    assert recording("what? c++ it is").says("c++")


@pytest.mark.shared
def test_the_manifest_of_the_shared_recordings_is_read(shared_data: Path) -> None:
    manifest = read_manifest(shared_data / "manifest.csv")
    assert len(manifest) > 25_000
    assert len(manifest.warnings) == 5
    computer = manifest.where(lambda r: r.text == "computer" and r.corpus == "picovoice")
    assert len(computer) > 200 and {r.split for r in computer} == {"train", "dev"}
    telephone = manifest.where(lambda r: r.corpus == "wuw2" and r.word_start_s >= 0.0)
    assert len(telephone) > 1900
    assert all(r.word_start_s < r.word_end_s <= r.seconds + 0.1 for r in telephone)
