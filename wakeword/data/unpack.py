"""Archives of strangers, unpacked so that nothing lands outside and the disk is not filled."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wakeword.errors import DownloadError


@dataclass(frozen=True)
class UnpackLimits:
    """What an archive may hold at most."""

    files: int = 200_000
    file_bytes: int = 64 * 1024 * 1024
    all_bytes: int = 8 * 1024**3


def unpack(
    archive: Path,
    folder: Path,
    limits: UnpackLimits | None = None,
    progress: Callable[[float], None] | None = None,
) -> int:
    """Unpack a tar (gzip or not) into the empty ``folder``; gives the number of files.

    Only plain files and folders below ``folder``: a link, a device, an absolute path or one that
    leads out is refused, and so is more than ``limits``. What was written until then stays: the
    caller throws the folder away.

    Parameters
    ----------
    progress
        Called with bytes of the archive that were read.

    Raises
    ------
    DownloadError
        See above; or the archive is damaged.
    OSError
        As from any writing, a full disk included.
    """
    if not hasattr(tarfile, "data_filter"):
        raise DownloadError("unpacking needs Python 3.11.4 or newer: older ones do it unsafely")
    limits = limits or UnpackLimits()
    files = total = read = 0
    try:
        with open(archive, "rb") as raw, tarfile.open(fileobj=raw, mode="r|*") as tar:
            for member in tar:
                _check(member, limits)
                files, total = files + member.isfile(), total + member.size
                if files > limits.files or total > limits.all_bytes:
                    raise DownloadError(
                        f"{archive} holds more than {limits.files} files or {limits.all_bytes} "
                        "bytes, the limits for such an archive"
                    )
                tar.extract(member, folder, set_attrs=False, filter="data")
                if progress is not None:
                    progress(raw.tell() - read)
                    read = raw.tell()
    except (tarfile.TarError, EOFError, UnicodeError) as why:
        raise DownloadError(f"{archive} cannot be unpacked: {why}") from why
    except OSError as why:
        if why.errno is None:  # gzip's own errors: a bad checksum, a bad header
            raise DownloadError(f"{archive} cannot be unpacked: {why}") from why
        raise
    return files


def _check(member: tarfile.TarInfo, limits: UnpackLimits) -> None:
    if not (member.isfile() or member.isdir()):
        raise DownloadError(f"'{member.name}' in the archive is neither a file nor a folder")
    if member.size > limits.file_bytes:
        raise DownloadError(
            f"'{member.name}' in the archive has {member.size} bytes, more than "
            f"{limits.file_bytes}"
        )
