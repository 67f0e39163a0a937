"""What a named network is: family, parameters, front end, and what its paper prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wakeword.frontend import FrontendConfig


@dataclass(frozen=True)
class Printed:
    """What a paper prints of a network; None where it prints nothing.

    ``accuracy`` is a share, of the twelve classes of Speech Commands; ``time_ms`` is on one small
    core of a Pixel 1; ``memory_kb`` are thousands of bytes, 8-bit weights and activations.
    """

    source: str
    parameters_thousands: float | None = None
    mflops: float | None = None
    accuracy: float | None = None
    time_ms: float | None = None
    memory_kb: float | None = None


@dataclass(frozen=True)
class NamedNetwork:
    """One network of a paper, with the front end and the window that it was published with."""

    name: str
    family: str
    title: str
    parameters: Mapping[str, Any]
    frontend: FrontendConfig
    seconds: float = 1.0
    printed: Printed | None = None

    @property
    def frames(self) -> int:
        """Whole frames in the window that it was made for."""
        return self.frontend.frames_after(round(self.seconds * self.frontend.sample_rate))

    @property
    def channels(self) -> int:
        """Features of a frame."""
        return self.frontend.channels
