"""``wakeword data get speech-commands`` against a local server; archives that mean harm."""

from __future__ import annotations

import hashlib
import io
import tarfile
import wave
from pathlib import Path

import numpy as np
import pytest
from file_server import FileServer
from inprocess import run

from wakeword.data.commands.archive import ARCHIVES
from wakeword.data.manifest import read_manifest
from wakeword.data.unpack import UnpackLimits, unpack
from wakeword.errors import DownloadError

CLIPS = {
    "yes": ("004ae714_nohash_0", "067f61e2_nohash_0", "bb05582b_nohash_0"),
    "cat": ("004ae714_nohash_1",),
    "_background_noise_": ("doing_the_dishes",),
}


def wav(seconds: float) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        samples = np.random.default_rng(1).integers(-900, 900, round(seconds * 16_000))
        file.writeframes(samples.astype("<i2").tobytes())
    return out.getvalue()


def archive(files: dict[str, bytes], *more: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for info in more:
            tar.addfile(info)
    return out.getvalue()


def data_set() -> bytes:
    files = {"README.md": b"hello", "yes/notes.txt": b"no clip", "LICENSE": b"CC BY 4.0"}
    for word, names in CLIPS.items():
        for name in names:
            files[f"./{word}/{name}.wav"] = wav(0.75)
    return archive(files)


def get(
    capsys: pytest.CaptureFixture[str], served: FileServer, digest: str, folder: Path
) -> tuple[int, str, str]:
    done = run(capsys, "data", "get", "speech-commands", "--to", folder, "--url", served.url,
               "--sha256", digest)  # fmt: skip
    return done.code, done.out.strip(), done.err


def test_downloaded_unpacked_and_listed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    content = data_set()
    digest = hashlib.sha256(content).hexdigest()
    with FileServer(content, breaks=[1_000]).running() as served:
        code, out, err = get(capsys, served, digest, tmp_path)
        assert code == 0, err
        manifest = read_manifest(out)
        assert len(served.asked) == 2
        assert get(capsys, served, digest, tmp_path)[1] == out  # nothing is fetched again
        assert len(served.asked) == 2
    rows = {(r.corpus, r.text, r.speaker, r.split, r.seconds) for r in manifest}
    assert rows == {
        ("speech_commands", "yes", "sc-004ae714", "train", 0.75),
        ("speech_commands", "yes", "sc-067f61e2", "dev", 0.75),
        ("speech_commands", "yes", "sc-bb05582b", "test", 0.75),
        ("speech_commands", "cat", "sc-004ae714", "train", 0.75),
        ("background_noise", "doing the dishes", "", "train", 0.75),
    }
    assert {p.name for p in tmp_path.iterdir()} == {"speech_commands_v0.02"}
    # The same of a folder that was unpacked by hand.
    written = Path(out).read_bytes()
    Path(out).unlink()
    done = run(capsys, "data", "get", "speech-commands", "--unpacked", Path(out).parent)
    assert done.code == 0 and Path(done.out.strip()).read_bytes() == written


def test_another_archive_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with FileServer(data_set()).running() as served:
        code, out, err = get(capsys, served, "0" * 64, tmp_path)
    assert code == 2 and not out and "they were removed" in err and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_published_sizes_are_checked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with FileServer(data_set()).running() as served:
        done = run(capsys, "data", "get", "speech-commands", "--to", tmp_path, "--url", served.url)
    assert done.code == 2 and f"not {ARCHIVES['0.02'].bytes}" in done.err


def link(name: str, kind: bytes, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (archive({"../outside.wav": b"x"}), "outside"),
        (archive({"yes/../../outside.wav": b"x"}), "outside"),
        (archive({}, link("yes", tarfile.SYMTYPE, "/etc")), "neither a file nor a folder"),
        (archive({}, link("yes/a.wav", tarfile.LNKTYPE, "../b")), "neither a file nor a folder"),
        (archive({}, link("yes/a.wav", tarfile.CHRTYPE, "")), "neither a file nor a folder"),
        (archive({"a": b"x" * 101}), "has 101 bytes, more than 100"),
        (archive({str(n): b"x" * 90 for n in range(5)}), "more than 4 files or 400 bytes"),
        (archive({"1": b"", "2": b"", "3": b"", "4": b"", "5": b""}), "more than 4 files"),
        (archive({"a": b"x" * 90})[:60], "cannot be unpacked"),
        (b"this is no archive", "cannot be unpacked"),
    ],
)
def test_archives_that_mean_harm(tmp_path: Path, content: bytes, says: str) -> None:
    path, inside = tmp_path / "a.tar.gz", tmp_path / "in" / "side"
    path.write_bytes(content)
    inside.mkdir(parents=True)
    with pytest.raises(DownloadError) as caught:
        unpack(path, inside, UnpackLimits(4, 100, 400))
    assert says in str(caught.value)
    assert not (tmp_path / "in" / "outside.wav").exists()
    assert not (tmp_path / "outside.wav").exists()


def test_an_absolute_path_stays_inside(tmp_path: Path) -> None:
    path, inside = tmp_path / "a.tar.gz", tmp_path / "inside"
    outside = tmp_path / "outside.wav"
    path.write_bytes(archive({str(outside): b"x"}))
    inside.mkdir()
    assert unpack(path, inside) == 1
    assert not outside.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (archive({"README.md": b"nothing else"}), "holds no folders of words"),
        (archive({"yes/004ae714_nohash_0.wav": b"not a wave file"}), "is not a WAV file"),
        (archive({"yes/004ae714_nohash_0.wav": b""}), "is not a WAV file"),
    ],
)
def test_archives_of_something_else(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, says: str
) -> None:
    with FileServer(content).running() as served:
        code, _, err = get(capsys, served, hashlib.sha256(content).hexdigest(), tmp_path)
    assert code == 2 and says in err and "Traceback" not in err
    assert not (tmp_path / "speech_commands_v0.02").exists()


@pytest.mark.parametrize(
    "arguments",
    [("--sha256", "0" * 64), ("--unpacked", ".", "--url", "http://x/y"), ("--version", "0.03")],
)
def test_options_that_do_not_go_together(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert run(capsys, "data", "get", "speech-commands", *arguments).code == 2
