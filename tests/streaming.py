"""What tests of streams share: sound with known words, starts, and hearing it in one process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bundles import RATE, with_bursts
from numpy.typing import NDArray

from wakeword.audio.pcm import encode_int16
from wakeword.client import (
    PROTOCOL,
    BlockingStreamClient,
    ClientOptions,
    DetectionMessage,
    Event,
    StartMessage,
)
from wakeword.runtime import Spotter

QUICK = ClientOptions(first_delay_s=0.01, longest_delay_s=0.05, give_up_s=20.0)
"""Reconnects at once, so that tests are quick."""

Found = tuple[str, int]
"""A word and the sample where its detection ends."""


def start(**changes: Any) -> StartMessage:
    """What most tests ask for."""
    return StartMessage(protocol=PROTOCOL, **{"sample_rate": RATE, "encoding": "s16le", **changes})


def bursts(seconds: float = 24.0, seed: int = 1) -> NDArray[np.int16]:
    """Words of the tiny bundle at random times in a little noise; int16: nothing is rounded."""
    rng = np.random.default_rng(seed)
    words = [
        (at + float(rng.uniform(0, 0.5)), ("low tone", "high tone")[int(rng.integers(2))])
        for at in np.arange(0.5, seconds - 1.5, 1.8)
    ]
    return encode_int16(with_bursts(seconds, words, noise=0.002))


def cut(samples: NDArray[Any], seed: int = 1, most: int = 9000) -> Iterator[NDArray[Any]]:
    """The samples in chunks of random sizes."""
    rng, at = np.random.default_rng(seed), 0
    while at < len(samples):
        size = int(rng.integers(1, most))
        yield samples[at : at + size]
        at += size


def offline(bundle: Path | str, samples: NDArray[Any]) -> list[Found]:
    """What is heard without any network."""
    found = Spotter(bundle).feed(samples, last=True)
    return [(d.keyword, d.end_sample) for d in found]


def detections(events: Sequence[Event]) -> list[Found]:
    """The detections among events."""
    return [(e.keyword, e.end_sample) for e in events if isinstance(e, DetectionMessage)]


def streamed(url: str, samples: NDArray[Any], options: ClientOptions = QUICK) -> list[Event]:
    """All events of one stream."""
    with BlockingStreamClient(url, start(), options) as client:
        return list(client.stream(cut(samples)))
