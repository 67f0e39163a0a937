"""The audio of many streams decoded together: what most clients send takes a few array operations.

Whole samples of 16-bit mono PCM are scaled and looked at for all streams at once. Everything else
is decoded stream by stream. Both give the same samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wakeword.protocol import Decoder

FULL_SCALE = np.float32(1.0 / 2**15)


class Decoded(NamedTuple):
    """samples (n,) float32, or (n, channels) int16 or float32; peak: of the former, full scale 1,
    None where nobody has looked."""

    samples: NDArray[Any]
    peak: float | None


def decode(asked: Sequence[tuple[Decoder, Sequence[bytes]]]) -> list[Decoded | Exception]:
    """Decode the next messages, one or more, of each stream; what fails is given in its place."""
    found: list[Decoded | Exception | None] = []
    plain: list[bytes] = []
    lengths: list[int] = []
    for decoder, messages in asked:
        data = messages[0] if len(messages) == 1 else b"".join(messages)
        if decoder.take_plain(data):
            plain.append(data)
            lengths.append(len(data) // 2)
            found.append(None)
        else:
            found.append(_alone(decoder, messages))
    together = iter(_together(plain, lengths))
    return [next(together) if one is None else one for one in found]


def _together(plain: Sequence[bytes], lengths: Sequence[int]) -> list[Decoded]:
    if not plain:
        return []
    mono = np.frombuffer(b"".join(plain), "<i2") * FULL_SCALE
    starts = list(accumulate(lengths, initial=0))
    peaks = np.maximum.reduceat(np.abs(mono), starts[:-1]).tolist()
    return [
        Decoded(mono[start : start + length], peak)
        for start, length, peak in zip(starts[:-1], lengths, peaks, strict=True)
    ]


def _alone(decoder: Decoder, messages: Sequence[bytes]) -> Decoded | Exception:
    try:
        return Decoded(decoder.decode(*messages), None)
    except Exception as why:
        return why
