"""Recordings of any length as segments that are scored by themselves, alike to one long stream."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.audio.files import read_blocks
from wakeword.data.manifest import Recording
from wakeword.runtime import Bundle

Samples = NDArray[np.float32]

SEGMENT_S = 60.0
"""What is scored at a time, and lost when a run is stopped. Sixteen are open in each thread."""
LEAD_S = 4.0
"""Heard before each segment, so that PCEN has adapted: six of its time constants and a window."""


@dataclass(frozen=True)
class Cut:
    """How recordings are cut, in samples; both are whole steps of the engine."""

    sample_rate: int
    step: int
    segment: int
    lead: int

    @classmethod
    def of(cls, bundle: Bundle, segment_s: float = SEGMENT_S, lead_s: float = LEAD_S) -> Cut:
        """The cut that fits a bundle's rate and steps."""
        step, rate = bundle.metadata.step_samples, bundle.metadata.frontend.sample_rate
        segment, lead = (math.ceil(s * rate / step) * step for s in (segment_s, lead_s))
        return cls(rate, step, segment, lead)


@dataclass(frozen=True, eq=False)
class Segment:
    """A stretch of a recording with what was heard before it.

    samples (n,)
        ``lead`` samples of the recording before the segment, then the segment.
    start
        Sample of the recording at which the segment itself begins.
    last
        Whether the recording ends with it.
    """

    recording: Recording
    number: int
    samples: Samples
    lead: int
    start: int
    last: bool

    @property
    def length(self) -> int:
        """Samples of the segment itself."""
        return len(self.samples) - self.lead


def segments(recording: Recording, cut: Cut, done: Container[int] = ()) -> Iterator[Segment]:
    """Cut one recording, read forward once; segments whose numbers are ``done`` are passed over.

    Raises
    ------
    AudioError
        It cannot be read; segments before the fault have been given by then.
    """
    held = np.zeros(0, np.float32)
    start = number = 0
    for block in read_blocks(recording.path, cut.sample_rate):
        held = np.concatenate([held, block])
        # One step more than a segment, so that the last segment is known to be the last.
        while (ready := min(start, cut.lead) + cut.segment) + cut.step <= len(held):
            if number not in done:
                lead = min(start, cut.lead)
                yield Segment(recording, number, held[:ready].copy(), lead, start, False)
            start, number = start + cut.segment, number + 1
            held = held[max(0, ready - cut.lead) :]
    if number not in done:
        yield Segment(recording, number, held, min(start, cut.lead), start, True)
