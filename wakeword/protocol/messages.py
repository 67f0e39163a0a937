"""Every message of the streaming protocol, and its way to JSON and back.

Times count samples at the rate that ``start`` declared, in the client's own numbering: the first
sample it sends is number ``first_sample``. Clips have a rate of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from wakeword.audio.pcm import MAX_CHANNELS
from wakeword.audio.resample import MAX_RATE, MIN_RATE, check_rate
from wakeword.errors import ProtocolError, SampleRateError
from wakeword.protocol.codes import ErrorCode, refusal

PROTOCOL = 1
"""Version of the protocol."""

WireEncoding = Literal["s16le", "f32le", "mulaw", "opus"]
"""Encodings of audio on the wire."""

ThresholdSource = Literal["requested", "target", "site", "model"]
"""Who decided a threshold: start's ``threshold``, its ``false_alarms_per_hour``, this site's
owner, or the model's default."""

OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
OPUS_CHANNELS = 2
MAX_MODELS = 64
MAX_MODEL_CHARS = 160
MAX_NAME_CHARS = 64
MAX_KEY_CHARS = 256
MAX_SAMPLE = 2**53 - 1
"""Largest whole number that every JSON parser keeps exactly."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StartMessage:
    """What the client sends and wants to hear; its first message.

    models: names of models, words, or ``model:word``; empty means all words.
    threshold: in (0, 1), one for all words or by word. false_alarms_per_hour: an operating
    point instead, for the words without a threshold.
    scores, clips, acks: also wanted. name: label of the stream. key: of the service's API.
    detect_after_sample: detections that end at or before it are not sent (reconnect).
    """

    type: Literal["start"] = "start"
    protocol: int
    sample_rate: int
    encoding: WireEncoding
    channels: int = 1
    models: tuple[str, ...] = ()
    threshold: float | Mapping[str, float] | None = None
    false_alarms_per_hour: float | None = None
    scores: bool = False
    clips: bool = False
    acks: bool = False
    name: str = ""
    key: str | None = field(default=None, repr=False)
    first_sample: int = 0
    detect_after_sample: int = 0

    def __post_init__(self) -> None:
        if self.protocol != PROTOCOL or isinstance(self.protocol, bool):
            raise refusal(
                ErrorCode.UNSUPPORTED,
                f"protocol = {self.protocol!r}, but this server speaks version {PROTOCOL}",
                self.protocol,
                PROTOCOL,
            )
        _check_audio(self)
        _check_models(self.models)
        _check_thresholds(self)
        _check_text("name", self.name, MAX_NAME_CHARS)
        if self.key is not None and not 1 <= len(self.key) <= MAX_KEY_CHARS:
            raise _refused(
                "key", f"of {len(self.key)} characters", f"1 to {MAX_KEY_CHARS} characters"
            )
        for name in ("first_sample", "detect_after_sample"):
            value = getattr(self, name)
            if not 0 <= value <= MAX_SAMPLE:
                raise _refused(name, value, f"0 to {MAX_SAMPLE}")


@dataclass(frozen=True, kw_only=True, slots=True)
class EndMessage:
    """No more audio comes: score the rest, send a summary, close."""

    type: Literal["end"] = "end"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadyWord:
    """A word that is listened for."""

    word: str
    threshold: float
    source: ThresholdSource


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadyModel:
    """A model that listens."""

    name: str
    version: str
    words: tuple[ReadyWord, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """message_bytes: longest message. buffer_s: audio that waits here before the socket is no
    longer read. idle_s: without audio for so long the stream ends."""

    message_bytes: int
    buffer_s: float
    idle_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadyMessage:
    """What the server made of ``start``.

    step_ms: audio between two scores. latency_ms: from the end of a word to its detection
    because of how the models and the resampler work, without computation and network.
    """

    type: Literal["ready"] = "ready"
    protocol: int
    stream_id: str
    sample_rate: int
    models: tuple[ReadyModel, ...]
    step_ms: float
    latency_ms: float
    limits: Limits


@dataclass(frozen=True, kw_only=True, slots=True)
class DetectionMessage:
    """A word was heard between start_sample and end_sample."""

    type: Literal["detection"] = "detection"
    id: str
    stream_id: str
    keyword: str
    model: str
    score: float
    threshold: float
    start_sample: int
    end_sample: int
    start_s: float
    end_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipMessage:
    """Audio of a detection: the next binary message, ``samples`` s16le mono at sample_rate.

    start_sample is the number of its first sample in the stream, at the declared rate.
    """

    type: Literal["clip"] = "clip"
    detection_id: str
    sample_rate: int
    start_sample: int
    samples: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreMessage:
    """Smoothed scores of one step, by word: what is compared with the thresholds."""

    type: Literal["score"] = "score"
    model: str
    end_sample: int
    end_s: float
    scores: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class AckMessage:
    """All audio before sample number ``samples`` was scored and its detections were sent."""

    type: Literal["ack"] = "ack"
    samples: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WarningMessage:
    """Something that the owner of the stream should know; it goes on.

    code: a WarningCode. model, word: which one, where it is about one. values: its numbers.
    """

    type: Literal["warning"] = "warning"
    code: str
    message: str
    model: str | None = None
    word: str | None = None
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorMessage:
    """Why the connection is closed now.

    code: an ErrorCode. close_code: of the close frame that follows. value, limit: what was
    refused. retry_after_s: when to try again, where the server knows.
    """

    type: Literal["error"] = "error"
    code: str
    message: str
    close_code: int
    value: float | str | None = None
    limit: float | str | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SummaryMessage:
    """What became of the stream; the last message but for ``error``.

    samples, seconds: audio scored. detections: by word. real_time_factor: seconds of audio
    per second since ``ready``. reason: ``end``, ``shutdown``, ``idle``, ``error``.
    """

    type: Literal["summary"] = "summary"
    stream_id: str
    samples: int
    seconds: float
    detections: Mapping[str, int]
    warnings: int
    max_lag_ms: float
    real_time_factor: float
    reason: str


ClientMessage = StartMessage | EndMessage
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


def _check_audio(start: StartMessage) -> None:
    if start.encoding not in get_args(WireEncoding):
        raise _refused("encoding", start.encoding, ", ".join(get_args(WireEncoding)))
    try:
        check_rate(start.sample_rate, "sample_rate")
    except SampleRateError as why:
        limit = f"{MIN_RATE} to {MAX_RATE} Hz"
        raise refusal(ErrorCode.BAD_MESSAGE, str(why), start.sample_rate, limit) from why
    most = OPUS_CHANNELS if start.encoding == "opus" else MAX_CHANNELS
    if isinstance(start.channels, bool) or not 1 <= start.channels <= most:
        raise _refused(f"channels of {start.encoding}", start.channels, f"1 to {most}")
    if start.encoding == "opus" and start.sample_rate not in OPUS_RATES:
        rates = ", ".join(map(str, OPUS_RATES))
        raise _refused("sample_rate of opus", start.sample_rate, f"one of {rates} Hz")


def _check_models(models: tuple[str, ...]) -> None:
    if len(models) > MAX_MODELS:
        raise _refused("models", f"a list of {len(models)}", f"at most {MAX_MODELS} names")
    for index, name in enumerate(models):
        if not name:
            raise _refused(f"models[{index}]", name, "a model, a word or model:word")
        _check_text(f"models[{index}]", name, MAX_MODEL_CHARS)


def _check_thresholds(start: StartMessage) -> None:
    threshold, target = start.threshold, start.false_alarms_per_hour
    by_word = threshold if isinstance(threshold, Mapping) else {"": threshold}
    for word, value in by_word.items():
        _check_text("threshold's word", word, MAX_MODEL_CHARS)
        if value is not None and not 0.0 < value < 1.0:
            of_word = f" of {word!r}" if word else ""
            raise _refused(f"threshold{of_word}", value, "between 0 and 1, both excluded")
    if target is not None and not target > 0.0:
        raise _refused("false_alarms_per_hour", target, "above 0")
    if target is not None and threshold is not None and not isinstance(threshold, Mapping):
        raise _refused(
            "false_alarms_per_hour", target, "absent where one threshold is given for all words"
        )


def _check_text(name: str, text: str, most: int) -> None:
    if len(text) > most or not text.isprintable():
        raise _refused(name, text, f"at most {most} printable characters")


def _refused(name: str, value: object, limit: str) -> ProtocolError:
    error = refusal(ErrorCode.BAD_MESSAGE, "", value, limit)
    error.args = (f"{name} = {error.value!s}, but it must be {limit}",)
    return error
