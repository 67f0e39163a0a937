"""Downloads over real sockets: broken in the middle, resumed, refused, not what they should be."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from file_server import FileServer

from wakeword.data.download import RemoteFile, download
from wakeword.errors import DownloadError

CONTENT = np.random.default_rng(1).bytes(700_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def fetch(served: FileServer, path: Path, size: int | None = len(CONTENT)) -> float:
    """Download with quick retries; gives what the progress added up to."""
    done: list[float] = []
    download(RemoteFile(served.url, DIGEST, size), path, done.append, pause_s=0.0)
    return sum(done)


@pytest.mark.parametrize("size", [len(CONTENT), None])
@pytest.mark.parametrize("length", [True, False])
def test_whole_at_once(tmp_path: Path, size: int | None, length: bool) -> None:
    with FileServer(CONTENT, length=length).running() as served:
        assert fetch(served, tmp_path / "deep" / "file", size) == len(CONTENT)
    assert (tmp_path / "deep" / "file").read_bytes() == CONTENT
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["file"]
    assert served.asked == [None]


def test_it_goes_on_where_it_broke(tmp_path: Path) -> None:
    with FileServer(CONTENT, breaks=[300_000, 1, 0, 200_000], codes=[]).running() as served:
        assert fetch(served, tmp_path / "file") == len(CONTENT)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert served.asked == [None, "bytes=300000-", *["bytes=300001-"] * 2, "bytes=500001-"]


def test_a_later_call_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with FileServer(CONTENT, breaks=[250_000, *[0] * 9]).running() as served:
        with pytest.raises(DownloadError, match="5 times in a row; 250000 bytes are kept"):
            fetch(served, path)
        assert not path.exists()
        served.breaks.clear()
        served.asked.clear()
        assert fetch(served, path) == len(CONTENT)
    assert served.asked == ["bytes=250000-"]
    assert path.read_bytes() == CONTENT


def test_a_server_that_cannot_go_on_in_the_middle(tmp_path: Path) -> None:
    with FileServer(CONTENT, ranges=False, breaks=[300_000]).running() as served:
        assert fetch(served, tmp_path / "file") == len(CONTENT)
    assert served.asked == [None, "bytes=300000-"]
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    with FileServer(CONTENT, codes=[503, 500]).running() as served:
        fetch(served, tmp_path / "file")
    assert len(served.asked) == 3


def test_a_part_that_is_whole_already(tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(CONTENT)
    with FileServer(CONTENT).running() as served:
        fetch(served, tmp_path / "file", None)
    assert served.asked == [f"bytes={len(CONTENT)}-"]  # 416: nothing is left
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_another_file_is_refused_and_removed(tmp_path: Path) -> None:
    says = f"not {DIGEST}; they were removed"
    with (
        FileServer(CONTENT[:-1] + b"!").running() as served,
        pytest.raises(DownloadError, match=says),
    ):
        fetch(served, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("served", "says"),
    [
        (FileServer(CONTENT, codes=[404]), "404 Not Found"),
        (FileServer(CONTENT, codes=[403]), "403"),
        (FileServer(CONTENT + b"more"), "has 700004 bytes, not 700000"),
        (FileServer(CONTENT + b"more", length=False), "goes on after its 700000 bytes"),
        (FileServer(CONTENT, breaks=[9_000], lie=True), "another part"),
        (FileServer(CONTENT, codes=[500] * 9), "5 times in a row; 0 bytes are kept"),
    ],
)
def test_what_is_refused(tmp_path: Path, served: FileServer, says: str) -> None:
    with served.running(), pytest.raises(DownloadError) as caught:
        fetch(served, tmp_path / "file")
    assert says in str(caught.value)
    assert not (tmp_path / "file").exists()


def test_nobody_answers(tmp_path: Path) -> None:
    with FileServer(CONTENT).running() as served:
        pass
    with pytest.raises(DownloadError, match="refused, 5 times in a row"):
        fetch(served, tmp_path / "file")


@pytest.mark.parametrize(
    ("url", "digest", "says"),
    [
        ("file:///etc/passwd", DIGEST, "no http or https address"),
        ("ftp://somewhere/x", DIGEST, "no http or https address"),
        ("http://somewhere/x", "abc", "64 hexadecimal digits"),
    ],
)
def test_what_is_no_remote_file(url: str, digest: str, says: str) -> None:
    with pytest.raises(DownloadError, match=says):
        RemoteFile(url, digest)
