"""What a client tells its owner: the service's messages, and what happens to the connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.protocol import (
    DetectionMessage,
    ReadyMessage,
    ScoreMessage,
    SummaryMessage,
    WarningMessage,
)


@dataclass(frozen=True)
class Disconnected:
    """The connection is lost; the next try is in ``retry_in_s`` seconds.

    close_code: of the close frame; 1006 where there was none.
    """

    reason: str
    close_code: int
    retry_in_s: float


@dataclass(frozen=True)
class Resumed:
    """A new connection goes on; it comes before its ``ready``.

    resent_s: sound that is sent again. unheard_s: sound that no service has certainly heard
    and that was kept no more.
    """

    resent_s: float
    unheard_s: float


@dataclass(frozen=True)
class BacklogFull:
    """``keep_s`` seconds wait unacknowledged: older sound is forgotten. Said once an outage.

    connected: the connection stands, but the service acknowledges nothing, or more slowly than
    sound comes; should it break, what is forgotten cannot be sent again.
    """

    keep_s: float
    connected: bool


@dataclass(frozen=True, eq=False)
class Clip:
    """Sound around a detection: samples (n,) int16 at sample_rate.

    start_sample: of its first sample, in the numbering and at the rate of the stream.
    """

    detection_id: str
    sample_rate: int
    start_sample: int
    samples: NDArray[np.int16]


Event = (
    ReadyMessage
    | DetectionMessage
    | Clip
    | ScoreMessage
    | WarningMessage
    | Disconnected
    | Resumed
    | BacklogFull
)


@dataclass(frozen=True)
class StreamReport:
    """A stream that has ended, over all of its connections.

    samples: sent, per channel. detections: by word. unheard_s: see :class:`Resumed`.
    summary: the service's own, of the last connection.
    """

    samples: int
    seconds: float
    detections: Mapping[str, int]
    connections: int
    unheard_s: float
    summary: SummaryMessage
