"""Writing files whole or not at all, and reading JSON with a size limit."""

from __future__ import annotations

import csv
import json
import os
import re
import reprlib
import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Literal, overload

from wakeword.errors import WakewordError

MAX_JSON_BYTES = 4 * 1024 * 1024
_MANY_NUMBERS = re.compile(r"\[\n\s+((?:[-+.\deE]+,\s+){8,}[-+.\deE]+)\s+\]")


@overload
def atomic_write(
    path: str | os.PathLike[str], mode: Literal["w"] = "w"
) -> AbstractContextManager[IO[str]]: ...
@overload
def atomic_write(
    path: str | os.PathLike[str], mode: Literal["wb"]
) -> AbstractContextManager[IO[bytes]]: ...
def atomic_write(path: str | os.PathLike[str], mode: str = "w") -> AbstractContextManager[IO[Any]]:
    """Open ``path`` for writing so that it changes only when everything was written.

    The bytes go to a temporary file in the same folder, are flushed to the disk, and the
    file is renamed over ``path`` when the block ends. On any exception, Ctrl-C included,
    the temporary file is removed and ``path`` is as it was. A link is written through.

    Parameters
    ----------
    mode
        ``"w"``: UTF-8 text, line ends as given; ``"wb"``: bytes.

    Raises
    ------
    OSError
        As from :func:`open`, a full disk included.
    """
    if mode not in ("w", "wb"):
        raise ValueError(f"atomic_write: mode {mode!r}, but it must be 'w' or 'wb'")
    return _replacing(Path(os.path.realpath(path)), mode)


@contextmanager
def fresh_folder(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a folder as one step: it is the whole old one or the whole new one, never a mixture.

    Yields an empty folder beside ``folder``, which takes its place when the block ends. On any
    exception, Ctrl-C included, it is removed and ``folder`` is as it was. A link is written
    through.

    Raises
    ------
    OSError
        As from any writing, a full disk included.
    """
    target = Path(os.path.realpath(folder))
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        fresh.mkdir()
        yield fresh
        _swap(fresh, target)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def refuse_foreign(
    folder: str | os.PathLike[str],
    what: str,
    is_ours: Callable[[str], bool],
    error: type[WakewordError],
) -> None:
    """Refuse to replace a folder that holds anything but ``what`` (with its article).

    Raises
    ------
    error
        ``folder`` is a file, or the name of something in it is not ours.
    """
    target = Path(folder)
    if not target.exists():
        return
    if not target.is_dir():
        raise error(f"cannot write {what} to {target}: it is a file")
    foreign = sorted(entry.name for entry in target.iterdir() if not is_ours(entry.name))
    if foreign:
        raise error(
            f"cannot write {what} to {target}: it holds files that are not part of {what}: "
            f"{', '.join(foreign[:5])}"
        )


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write ``value`` as indented UTF-8 JSON, atomically; NaN and infinity are refused.

    Long lists of numbers take one line each.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    text = _MANY_NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text)
    with atomic_write(path) as out:
        out.write(text + "\n")


def write_csv(path: str | os.PathLike[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write ``rows`` as UTF-8 CSV, atomically; the keys of the first are the header."""
    with atomic_write(path) as file:
        if rows:
            out = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            out.writeheader()
            out.writerows(rows)


def read_json(
    path: str | os.PathLike[str],
    max_bytes: int = MAX_JSON_BYTES,
    error: type[WakewordError] = WakewordError,
) -> Any:
    """Read a JSON file of at most ``max_bytes``.

    Raises
    ------
    error
        The file is missing, too large, not UTF-8, not JSON, or holds NaN, an infinity or a
        key twice.
    """
    data = read_bytes(path, max_bytes, error)
    try:
        return parse_json(data.decode("utf-8"))
    except ValueError as why:
        raise error(f"{path} is not valid JSON: {why}") from why


def parse_json(text: str) -> Any:
    """Parse JSON; a ValueError for anything else, NaN, infinities and a key twice included."""
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_bytes(
    path: str | os.PathLike[str], max_bytes: int, error: type[WakewordError] = WakewordError
) -> bytes:
    """Read a whole file of at most ``max_bytes``; anything else raises ``error``."""
    try:
        with open(path, "rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as why:
        raise error(f"cannot read {path}: {why.strerror or why}") from why
    if len(data) > max_bytes:
        raise error(f"{path} is larger than {max_bytes} bytes, the limit for this kind of file")
    return data


if os.name == "posix":

    def sync_folder(folder: Path) -> None:
        """Make a rename inside ``folder`` survive a power cut."""
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

else:  # pragma: no cover - Windows cannot open folders

    def sync_folder(folder: Path) -> None:
        """Nothing to do: NTFS journals renames."""


@contextmanager
def _replacing(path: Path, mode: str) -> Iterator[IO[Any]]:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    encoding = "utf-8" if mode == "w" else None
    newline = "" if mode == "w" else None
    try:
        with open(temporary, mode.replace("w", "x"), encoding=encoding, newline=newline) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as why:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(why, OSError) and why.filename in (None, str(temporary)):
            why.filename = str(path)  # a full disk names no file, and nobody knows the other name
        raise
    sync_folder(path.parent)


def _swap(fresh: Path, target: Path) -> None:
    """Put ``fresh`` in the place of ``target``; a folder cannot be renamed over another."""
    if not target.exists():
        os.rename(fresh, target)
        sync_folder(target.parent)
        return
    old = target.with_name(f".{target.name}.{secrets.token_hex(4)}.old")
    os.rename(target, old)
    try:
        os.rename(fresh, target)
    except BaseException:
        os.rename(old, target)
        raise
    sync_folder(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number that JSON allows")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"key {reprlib.repr(twice)} appears twice")
    return table
