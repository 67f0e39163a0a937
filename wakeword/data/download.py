"""Large files from the web: resumed where they broke off, and kept only if they are whole."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wakeword.errors import DownloadError
from wakeword.files import sync_folder

Progress = Callable[[float], None]
TIMEOUT_S = 30.0
BLOCK = 1 << 18
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_LOST = (
    *(urllib.error.URLError, http.client.HTTPException, ssl.SSLError),
    *(ConnectionError, TimeoutError),
)
"""What a connection ends with; a full disk is none of them."""


@dataclass(frozen=True)
class RemoteFile:
    """Where a file is, and what proves that it is the one: ``bytes`` None where not known."""

    url: str
    sha256: str
    bytes: int | None = None

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise DownloadError(f"'{self.url}' is no http or https address")
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise DownloadError(f"sha256 '{self.sha256}' must be 64 hexadecimal digits, lower case")


class _Broken(Exception):
    """The connection broke, or the server is not well: worth another try."""


def download(
    remote: RemoteFile,
    path: Path,
    progress: Progress | None = None,
    *,
    tries: int = 5,
    pause_s: float = 2.0,
) -> None:
    """Fetch ``remote`` to ``path``; what an earlier call got of it is not fetched again.

    Until it is whole and verified the file is called ``path`` + ``.part``. ``tries`` are those in
    a row that bring nothing; between them it waits, longer each time.

    Parameters
    ----------
    progress
        Called with bytes, those that were there already first; less than 0 where a server cannot
        go on in the middle and all begins anew.

    Raises
    ------
    DownloadError
        The server refuses, the connection breaks too often, the file is longer than stated or is
        another one. What was fetched is kept unless it is wrong.
    OSError
        As from any writing, a full disk included.
    """
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    advance = progress or (lambda _: None)
    have = part.stat().st_size if part.exists() else 0
    advance(have)
    failures = 0
    while True:
        before = have
        try:
            with open(part, "ab") as file:
                _fetch(remote, file, advance)
            break
        except _Broken as why:
            have = part.stat().st_size
            failures = 1 if have > before else failures + 1
            if failures >= tries:
                raise DownloadError(
                    f"{remote.url}: {why}, {failures} times in a row; {have} bytes are kept, call "
                    "again to go on"
                ) from why
            time.sleep(pause_s * failures)
    _verify(remote, part)
    os.replace(part, path)
    sync_folder(path.parent)


def _fetch(remote: RemoteFile, file: IO[bytes], advance: Progress) -> None:
    """Append what is missing; the file is complete when this returns."""
    have = file.tell()
    if remote.bytes is not None and have >= remote.bytes:
        return
    try:
        with _open(remote.url, have) as response:
            have, total = _begin(response, file, have, advance)
            if remote.bytes is not None and total not in (None, remote.bytes):
                raise DownloadError(f"{remote.url} has {total} bytes, not {remote.bytes}")
            limit = remote.bytes if total is None else total
            while block := response.read(BLOCK):
                have += len(block)
                if limit is not None and have > limit:
                    raise DownloadError(f"{remote.url} goes on after its {limit} bytes")
                file.write(block)
                advance(len(block))
    except urllib.error.HTTPError as why:
        why.close()
        if why.code == 416:  # all there is was there already: the checksum will tell
            return
        if why.code < 500:
            raise DownloadError(f"{remote.url}: {why.code} {why.reason}") from why
        raise _Broken(f"{why.code} {why.reason}") from why
    except _LOST as why:
        raise _Broken(str(getattr(why, "reason", why)) or type(why).__name__) from why
    if limit is not None and have < limit:
        raise _Broken(f"the connection ended after {have} of {limit} bytes")


def _open(url: str, have: int) -> http.client.HTTPResponse:
    headers = {"User-Agent": "wakeword", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(url, headers=headers)
    response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    return response


def _begin(
    response: http.client.HTTPResponse, file: IO[bytes], have: int, advance: Progress
) -> tuple[int, int | None]:
    """Where the answer begins, and how long the whole file is, where it says so."""
    if response.status == 206:
        found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != have:
            raise DownloadError("the server answers with another part than it was asked for")
        return have, None if found[2] == "*" else int(found[2])
    if have:  # it cannot go on in the middle
        file.truncate(0)
        advance(-have)
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _verify(remote: RemoteFile, part: Path) -> None:
    with open(part, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != remote.sha256:
        size = part.stat().st_size
        part.unlink()
        raise DownloadError(
            f"{remote.url}: the {size} bytes have the sha256 {found}, not {remote.sha256}; they "
            "were removed"
        )
