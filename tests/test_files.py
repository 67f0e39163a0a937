"""Files are written whole or not at all."""

import errno
import json
import os
from pathlib import Path

import pytest

from wakeword import files
from wakeword.errors import BundleError, WakewordError


def test_text_and_bytes_arrive_as_given(tmp_path: Path) -> None:
    with files.atomic_write(tmp_path / "t.txt") as out:
        out.write("grün\r\n\n")
    assert (tmp_path / "t.txt").read_bytes() == "grün\r\n\n".encode()
    with files.atomic_write(tmp_path / "b.bin", "wb") as raw:
        raw.write(b"\x00\xff")
    assert (tmp_path / "b.bin").read_bytes() == b"\x00\xff"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.bin", "t.txt"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_file_and_no_other(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(failure), files.atomic_write(path) as out:
        out.write("new")
        raise failure
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "a.csv"
    path.write_text("old")
    monkeypatch.setattr(files.os, call, full)
    with pytest.raises(OSError, match="No space"), files.atomic_write(path) as out:
        out.write("new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_really_full_disk_is_an_os_error() -> None:
    with pytest.raises(OSError), open("/dev/full", "w") as out:
        out.write("x")
        out.flush()


def test_new_files_have_the_usual_permissions(tmp_path: Path) -> None:
    with files.atomic_write(tmp_path / "a") as out:
        out.write("x")
    (tmp_path / "plain").write_text("x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    with files.atomic_write(tmp_path / "link") as out:
        out.write("new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_text() == "new"


def test_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError), files.atomic_write(tmp_path / "no" / "a"):
        raise AssertionError("never entered")


def test_an_unknown_mode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'a'"):
        files.atomic_write(tmp_path / "a", "a")  # type: ignore[call-overload]


def test_json_round_trip(tmp_path: Path) -> None:
    value = {"words": ["smart mirror", "größe"], "x": 0.1, "n": None}
    files.write_json(tmp_path / "a.json", value)
    assert files.read_json(tmp_path / "a.json") == value
    assert "größe" in (tmp_path / "a.json").read_text(encoding="utf-8")


def test_rows_become_csv_and_none_an_empty_file(tmp_path: Path) -> None:
    files.write_csv(tmp_path / "a.csv", [{"word": "näh, so", "n": 1}, {"word": 'a "b"', "n": 2}])
    assert (tmp_path / "a.csv").read_bytes().decode() == 'word,n\n"näh, so",1\n"a ""b""",2\n'
    files.write_csv(tmp_path / "a.csv", [])
    assert (tmp_path / "a.csv").read_bytes() == b""
    with pytest.raises(ValueError, match="fields"):
        files.write_csv(tmp_path / "a.csv", [{"n": 1}, {"other": 2}])
    assert (tmp_path / "a.csv").read_bytes() == b""


def test_json_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    files.write_json(tmp_path / "a.json", 1)
    with pytest.raises(ValueError):
        files.write_json(tmp_path / "a.json", float("nan"))
    assert json.loads((tmp_path / "a.json").read_text()) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1, "a": 2}', "'a' appears twice"),
        (b"[" * 100_000, "too deep|not valid"),
        (b" " * 65, "larger than 64 bytes"),
    ],
)
def test_bad_json_is_one_clear_error(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    limit = 64 if message.startswith("larger") else 1_000_000
    with pytest.raises(BundleError, match=message) as caught:
        files.read_json(path, limit, BundleError)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_folder_are_clear_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "no.json", tmp_path):
        with pytest.raises(WakewordError, match="cannot read"):
            files.read_json(path)


def test_a_fresh_folder_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "old.txt").write_text("old")
    with files.fresh_folder(tmp_path / "r") as fresh:
        (fresh / "new.txt").write_text("new")
        assert [p.name for p in (tmp_path / "r").iterdir()] == ["old.txt"]
    assert [p.name for p in (tmp_path / "r").iterdir()] == ["new.txt"]
    assert [p.name for p in tmp_path.iterdir()] == ["r"]
    with files.fresh_folder(tmp_path / "a" / "b") as fresh:
        (fresh / "x").write_text("x")
    assert (tmp_path / "a" / "b" / "x").read_text() == "x"


@pytest.mark.parametrize("failure", [OSError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("existed", [True, False])
def test_a_failure_leaves_the_old_folder_and_no_other(
    tmp_path: Path, failure: type[BaseException], existed: bool
) -> None:
    if existed:
        (tmp_path / "r").mkdir()
    with pytest.raises(failure), files.fresh_folder(tmp_path / "r") as fresh:
        (fresh / "half.txt").write_text("half")
        raise failure
    assert [p.name for p in tmp_path.iterdir()] == (["r"] if existed else [])
    assert not existed or not list((tmp_path / "r").iterdir())


def test_long_lists_of_numbers_take_one_line(tmp_path: Path) -> None:
    value = {
        "numbers": [1, -2.5, 1e-300, 3e20, 5, 6, 7, 8, 9, 10],
        "few": [1, 2],
        "texts": ["1, 2, 3"] * 12,
        "said": "[\n  1,\n  2,\n  3,\n  4,\n  5,\n  6,\n  7,\n  8,\n  9,\n  10\n]",
    }
    files.write_json(tmp_path / "a.json", value)
    text = (tmp_path / "a.json").read_text("utf-8")
    assert '"numbers": [1, -2.5, 1e-300, 3e+20, 5, 6, 7, 8, 9, 10],\n' in text
    assert text.count("\n") == 1 + 1 + 4 + 14 + 1 + 1
    assert json.loads(text) == value
