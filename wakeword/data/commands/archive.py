"""The Speech Commands data set: where it is published, and the manifest of an unpacked one."""

from __future__ import annotations

import re
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

from wakeword.data.commands.protocol import which_split
from wakeword.data.download import RemoteFile, download
from wakeword.data.manifest import COLUMNS
from wakeword.data.unpack import unpack
from wakeword.errors import DownloadError
from wakeword.files import fresh_folder, write_csv

CORPUS, BACKGROUND_CORPUS, MANIFEST = "speech_commands", "background_noise", "manifest.csv"
BACKGROUND_FOLDER = "_background_noise_"
_ADDRESS = "https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v{}.tar.gz"
ARCHIVES = {
    "0.01": RemoteFile(
        _ADDRESS.format("0.01"),
        "743935421bb51cccdb6bdd152e04c5c70274e935c82119ad7faeec31780d811d",
        1_489_096_277,
    ),
    "0.02": RemoteFile(
        _ADDRESS.format("0.02"),
        "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
        2_428_923_189,
    ),
}
"""By version; sizes and digests as TensorFlow Datasets and torchaudio have them."""

Stage = Callable[[str, float, str], Callable[[float], None]]


def get_speech_commands(remote: RemoteFile, folder: Path, stage: Stage) -> Path:
    """Download, verify and unpack the data set to ``folder``; gives the path of its manifest.

    Called again, it goes on where it was broken off; where the manifest is there, all is done.

    Raises
    ------
    DownloadError
        The archive cannot be had, is another one, or does not hold the data set.
    OSError
        As from any writing, a full disk included.
    """
    manifest = folder / MANIFEST
    if manifest.exists():
        return manifest
    archive = folder.with_name(f"{folder.name}.tar.gz")
    if not archive.exists():
        download(remote, archive, stage("downloading", remote.bytes or 0, "bytes"))
    with fresh_folder(folder) as fresh:
        unpack(archive, fresh, progress=stage("unpacking", archive.stat().st_size, "bytes"))
        write_manifest(fresh, stage)
    archive.unlink()
    return manifest


def write_manifest(folder: Path, stage: Stage) -> Path:
    """List an unpacked data set in ``manifest.csv`` inside it, with the official split.

    Clips are the corpus ``speech_commands``. The recordings of ``_background_noise_`` are the
    corpus ``background_noise``; the data set does not split them, and they are all ``train``.

    Raises
    ------
    DownloadError
        ``folder`` holds no clips, or one that is no WAV file.
    """
    words = sorted(p for p in folder.iterdir() if re.fullmatch("[a-z]+", p.name) and p.is_dir())
    clips = [(word.name, path) for word in words for path in sorted(word.glob("*.wav"))]
    if not clips:
        raise DownloadError(f"{folder} holds no folders of words with WAV files")
    advance = stage("listing clips", len(clips), "clips")
    rows = []
    for word, path in clips:
        advance(1)
        seconds = _seconds(path)
        if seconds > 0.0:
            speaker = f"sc-{path.name.partition('_nohash_')[0]}"
            rows.append(_row(folder, path, CORPUS, word, speaker, which_split(path.name), seconds))
    rows += _background(folder)
    write_csv(folder / MANIFEST, rows)
    return folder / MANIFEST


def _background(folder: Path) -> Iterator[dict[str, str]]:
    for path in sorted((folder / BACKGROUND_FOLDER).glob("*.wav")):
        kind = path.stem.replace("_", " ").lower()
        yield _row(folder, path, BACKGROUND_CORPUS, kind, "", "train", _seconds(path))


def _row(
    folder: Path, path: Path, corpus: str, text: str, speaker: str, split: str, seconds: float
) -> dict[str, str]:
    place = path.relative_to(folder).as_posix()
    values = (place, corpus, text, speaker, split, "", "", f"{seconds:g}")
    return dict(zip(COLUMNS, values, strict=True))


def _seconds(path: Path) -> float:
    try:
        with wave.open(str(path), "rb") as file:
            return file.getnframes() / file.getframerate()
    except (wave.Error, EOFError) as why:
        raise DownloadError(f"{path} is not a WAV file: {why}") from why
