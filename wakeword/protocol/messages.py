"""What a server says.

Times count samples at the rate that ``start`` declared, in the client's own numbering: the first
sample that it sends has the number ``first_sample``. Clips have a rate of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from wakeword.errors import ProtocolError

ThresholdSource = Literal["requested", "target", "site", "model"]
"""Who decided a threshold: start's ``threshold``, its ``false_alarms_per_hour``, this site's
owner, or the model's default."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadyWord:
    """A word that is listened for."""

    word: str
    """As it is written."""
    threshold: float
    """Score at which it is reported, between 0 and 1."""
    source: ThresholdSource
    """Who decided the threshold: `requested` by start's `threshold`, `target` by its
    `false_alarms_per_hour`, `site` by the owner of the server, `model` by its default."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadyModel:
    """A model that listens."""

    name: str
    """Its name."""
    version: str
    """Its version."""
    words: tuple[ReadyWord, ...]
    """Its words that are listened for."""
    refractory_s: float = 1.0
    """Seconds after a detection in which the same word is not detected again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What the server bears."""

    message_bytes: int
    """Longest binary message, bytes."""
    buffer_s: float
    """Seconds of audio that wait for being scored before the socket is no longer read."""
    idle_s: float
    """Seconds without audio after which the stream is ended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadyMessage:
    """The answer to `start`: what the server made of it. Audio may be sent before it comes."""

    type: Literal["ready"] = "ready"
    protocol: int
    """Version of the protocol that is spoken."""
    stream_id: str
    """Name of this stream in messages, logs and `GET /v1/streams`."""
    sample_rate: int
    """As declared, Hz: all sample numbers count at this rate."""
    models: tuple[ReadyModel, ...]
    """What listens."""
    step_ms: float
    """Milliseconds of audio from one score to the next."""
    latency_ms: float
    """Milliseconds from the end of a word to its detection that the models and the resampler need
    by their nature; computing and the network come on top."""
    limits: Limits
    """What the server bears."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DetectionMessage:
    """A word was heard; it lies between the two samples."""

    type: Literal["detection"] = "detection"
    id: str
    """Name of this detection, for its clip and its verdict."""
    stream_id: str
    """As in `ready`."""
    keyword: str
    """The word."""
    model: str
    """Which model heard it."""
    score: float
    """How sure it is, between 0 and 1: at or above the threshold."""
    threshold: float
    """The threshold at that time."""
    start_sample: int
    """Where the audio begins that the model judged."""
    end_sample: int
    """Where it ends: usually 0 to 300 ms after the end of the word."""
    start_s: float
    """start_sample in seconds."""
    end_s: float
    """end_sample in seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipMessage:
    """Audio of a detection: the next message is binary and holds it, s16le, one channel."""

    type: Literal["clip"] = "clip"
    detection_id: str
    """Which detection."""
    sample_rate: int
    """Of the clip, Hz: the model's, not the declared one."""
    start_sample: int
    """Number of its first sample in the stream, at the declared rate."""
    samples: int
    """Samples in the clip: half its bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreMessage:
    """What was compared with the thresholds at the end of one step."""

    type: Literal["score"] = "score"
    model: str
    """Whose scores."""
    end_sample: int
    """End of the step."""
    end_s: float
    """end_sample in seconds."""
    scores: Mapping[str, float]
    """Smoothed score of each word, between 0 and 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AckMessage:
    """How far the server is: detections before this sample have been sent."""

    type: Literal["ack"] = "ack"
    samples: int
    """All audio before the sample of this number was scored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WarningMessage:
    """Something that the owner of the stream should know; the stream goes on."""

    type: Literal["warning"] = "warning"
    code: str
    """What it is about: see the table of warnings."""
    message: str
    """The same for people."""
    model: str | None = None
    """Which model, where it is about one."""
    word: str | None = None
    """Which word, where it is about one."""
    values: Mapping[str, float] = field(default_factory=dict)
    """Its numbers by name, the units in the names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorMessage:
    """Why the connection is closed now."""

    type: Literal["error"] = "error"
    code: str
    """What is wrong: see the table of errors."""
    message: str
    """The same for people, with the value and the limit."""
    close_code: int
    """Of the close frame that follows."""
    value: float | str | None = None
    """What was refused, where that is one value."""
    limit: float | str | None = None
    """What it broke."""
    retry_after_s: float | None = None
    """Seconds after which to try again, where the server knows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SummaryMessage:
    """What became of the stream: the last message, or the last before `error`."""

    type: Literal["summary"] = "summary"
    stream_id: str
    """As in `ready`."""
    samples: int
    """Samples that were received and scored, at the declared rate."""
    seconds: float
    """The same in seconds."""
    detections: Mapping[str, int]
    """How many of each word were sent."""
    warnings: int
    """How many were sent."""
    max_lag_ms: float
    """Longest time that audio waited here for its score, milliseconds."""
    real_time_factor: float
    """Seconds of audio per second since the first audio: 1 for a microphone, more for a file."""
    reason: str
    """Why the stream ended: `end` (the client's), `shutdown`, `idle` or `error`."""
    scores_dropped: int = 0
    """`score` messages that were left out because the client read too slowly."""


ServerMessage = (
    ReadyMessage
    | DetectionMessage
    | ClipMessage
    | ScoreMessage
    | AckMessage
    | WarningMessage
    | ErrorMessage
    | SummaryMessage
)


def error_message(error: ProtocolError, retry_after_s: float | None = None) -> ErrorMessage:
    """The message that tells the other side about ``error``."""
    return ErrorMessage(
        code=str(error.code),
        message=str(error),
        close_code=int(error.close_code),
        value=error.value,
        limit=error.limit,
        retry_after_s=retry_after_s,
    )
