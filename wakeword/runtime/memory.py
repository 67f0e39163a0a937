"""Memory of batches, for processes that do little else than score; and how to give it back."""

from __future__ import annotations

import contextlib
import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of mallopt(3)."""


def keep_memory() -> None:
    """Let glibc keep the memory of a batch for the next one: without this it goes back to the
    system each time, and up to a twelfth of all time goes into getting it again."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):  # other C libraries have no such thing
        libc = ctypes.CDLL(None)
        libc.mallopt(M_TRIM_THRESHOLD, 256 * 1024 * 1024)
        libc.mallopt(M_MMAP_THRESHOLD, 64 * 1024 * 1024)


def give_memory_back() -> None:
    """Hand what is free back to the system, now and then: :func:`keep_memory` would keep the most
    that any batch, or any crowd of streams, has ever needed."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
