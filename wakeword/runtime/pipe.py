"""Messages between two processes of ours over a pipe: a kind, and parts of bytes."""

from __future__ import annotations

import struct
from typing import IO

_HEAD = struct.Struct("<BI")
_LENGTH = struct.Struct("<Q")


def write_message(pipe: IO[bytes], kind: int, *parts: bytes | memoryview) -> None:
    """Write a message, wholly.

    Raises
    ------
    OSError
        Nobody reads any more.
    """
    lengths = [_LENGTH.pack(len(part)) for part in parts]
    pipe.write(b"".join([_HEAD.pack(kind, len(parts)), *lengths]))
    for part in parts:
        pipe.write(part)
    pipe.flush()


def read_message(pipe: IO[bytes]) -> tuple[int, list[bytes]]:
    """Wait for a message, and read it wholly.

    Raises
    ------
    EOFError
        The other side has ended, also in the middle of a message.
    """
    kind, count = _HEAD.unpack(_read(pipe, _HEAD.size))
    lengths = [_LENGTH.unpack(_read(pipe, _LENGTH.size))[0] for _ in range(count)]
    return kind, [_read(pipe, length) for length in lengths]


def _read(pipe: IO[bytes], count: int) -> bytes:
    data = pipe.read(count)
    if len(data) < count:
        raise EOFError
    return data
