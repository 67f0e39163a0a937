"""Recordings that arrive over HTTP: straight to files in the state folder, never to memory.

The total size is bounded before, in ``bodies``; here the number and the size of the parts are.
File names of the client are for messages only: on the disk they have names of our own.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from wakeword_service.problems import Problem
from wakeword_service.store import StorageFull, StoreError

AT_ONCE = 4
MAX_FILES = 1000
MAX_FIELDS = 200
MAX_FIELD_BYTES = 1024
MULTIPART = "multipart/form-data"


@dataclass(frozen=True)
class UploadedFile:
    """One file of a form: the field it came in, what the client calls it, where it lies."""

    field: str
    name: str
    path: Path


@dataclass
class Form:
    """A received form; ``fields`` in the order in which they came."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    files: list[UploadedFile] = field(default_factory=list)

    def values(self, name: str) -> list[str]:
        """All values of a field."""
        return [value for field_name, value in self.fields if field_name == name]


class UploadFolder:
    """Where uploads lie: a folder for each, gone when nobody needs it any more."""

    def __init__(self, state_dir: Path) -> None:
        self._root = state_dir / "uploads"
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def clear(self) -> None:
        """Remove everything: what a crash left behind."""
        shutil.rmtree(self._root, ignore_errors=True)

    def make(self) -> Path:
        """A new empty folder; StorageFull where there is no room even for that."""
        folder = self._root / secrets.token_hex(8)
        with _storage():
            folder.mkdir(mode=0o700, parents=True)
        return folder

    def remove(self, folder: Path) -> None:
        """Remove a folder and what is in it."""
        shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One of the few uploads at a time; a 503 where all are taken."""
        if not self._turns.acquire(blocking=False):
            raise Problem(
                503, "busy", "Too many uploads at a time",
                f"{AT_ONCE} uploads are on their way already",
                headers={"Retry-After": "5"}, limit=AT_ONCE,
            )  # fmt: skip
        try:
            yield
        finally:
            self._turns.release()

    @asynccontextmanager
    async def temporary(self) -> AsyncIterator[Path]:
        """A folder for the length of the block."""
        folder = await run_in_threadpool(self.make)
        try:
            yield folder
        finally:
            self.remove(folder)


def media_type(request: Request) -> tuple[str, dict[bytes, bytes]]:
    """The declared type of a body, in lower case, and its options."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    return kind.decode("latin-1").lower(), options


async def receive_form(request: Request, folder: Path) -> Form:
    """Take a multipart form; its files lie in ``folder``.

    Raises
    ------
    Problem
        415 where it is no such form, 413 for too many or too large parts, 422 where it is damaged.
    StorageFull
        There is no room for the files.
    """
    kind, options = media_type(request)
    if kind != MULTIPART or not options.get(b"boundary"):
        raise Problem(
            415, detail=f"the body must be {MULTIPART} with a boundary", value=kind, limit=MULTIPART
        )
    receiver = _Receiver(folder, options[b"boundary"])
    try:
        async for chunk in _chunks(request):
            await run_in_threadpool(receiver.take, chunk)
        return receiver.finish()
    finally:
        receiver.close()


async def receive_file(request: Request, path: Path) -> None:
    """Take the body as it is into ``path``; errors as :func:`receive_form`."""
    with _storage(), open(path, "xb") as file:
        async for chunk in _chunks(request):
            await run_in_threadpool(file.write, chunk)


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        raise Problem(400, "cut_short", detail="the client left before its body ended") from None


@contextmanager
def _storage() -> Iterator[None]:
    try:
        yield
    except OSError as why:
        full = why.errno in (errno.ENOSPC, errno.EDQUOT)
        kind = StorageFull if full else StoreError
        raise kind(f"the upload cannot be kept: {why.strerror or why}") from why


class _Receiver:
    """Takes the parts of a form apart."""

    def __init__(self, folder: Path, boundary: bytes) -> None:
        self._folder = folder
        self._form = Form()
        self._headers: dict[bytes, bytes] = {}
        self._header = self._value = b""
        self._name = ""
        self._data = b""
        self._file: BinaryIO | None = None
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._open,
                    "on_part_data": self._part,
                    "on_part_end": self._close_part,
                    "on_end": self._end,
                },
            )
        except FormParserError as why:
            raise _damaged(str(why)) from None

    def take(self, chunk: bytes) -> None:
        try:
            with _storage():
                self._parser.write(chunk)
        except FormParserError as why:
            raise _damaged(str(why)) from None

    def finish(self) -> Form:
        if not self._ended:
            raise _damaged("it ends before its last boundary")
        return self._form

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _begin(self) -> None:
        self._headers = {}

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header = self._value = b""

    def _open(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if b"name" not in options:
            raise _damaged("a part has no name")
        self._name = options[b"name"].decode("utf-8", "replace")[:100]
        self._data = b""
        filename = options.get(b"filename")
        if filename is None:
            if len(self._form.fields) >= MAX_FIELDS:
                raise _too_many("fields", MAX_FIELDS)
            return
        if len(self._form.files) >= MAX_FILES:
            raise _too_many("files", MAX_FILES)
        name = os.path.basename(filename.decode("utf-8", "replace"))[:100] or "a file"
        path = self._folder / f"{len(self._form.files):04d}"
        self._form.files.append(UploadedFile(self._name, name, path))
        self._file = open(path, "xb")  # noqa: SIM115 - closed at the end of the part

    def _part(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
            return
        self._data += data[start:end]
        if len(self._data) > MAX_FIELD_BYTES:
            raise Problem(
                413,
                detail=f"field '{self._name}' is longer than {MAX_FIELD_BYTES} bytes",
                limit=MAX_FIELD_BYTES,
            )

    def _close_part(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
            return
        try:
            self._form.fields.append((self._name, self._data.decode("utf-8")))
        except UnicodeDecodeError:
            raise _damaged(f"field '{self._name}' is not UTF-8") from None

    def _end(self) -> None:
        self._ended = True


def _damaged(why: str) -> Problem:
    return Problem(422, "bad_form", "The form is damaged", f"the multipart body is damaged: {why}")


def _too_many(what: str, limit: int) -> Problem:
    return Problem(413, detail=f"the form has more than {limit} {what}", limit=limit)
