"""What a client says: ``start``, then audio, then ``end``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from wakeword.audio.pcm import BYTES_PER_SAMPLE, MAX_CHANNELS
from wakeword.audio.resample import MAX_RATE, MIN_RATE, check_rate
from wakeword.errors import ProtocolError, SampleRateError
from wakeword.protocol.codes import ErrorCode, refusal

PROTOCOL = 1
"""Version of the protocol."""

WireEncoding = Literal["s16le", "f32le", "mulaw", "opus"]
"""Encodings of audio on the wire."""

OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
OPUS_CHANNELS = 2
MAX_OPUS_BYTES = 8_192
"""Longest opus packet: 120 ms at 510 kbit/s, the codec's highest rate, are 7650 bytes."""

MAX_BYTES_PER_S = 4 * 1024 * 1024
"""Of audio, as declared: 40 channels at 48 kHz, or every rate with one channel. What waits for a
server is bounded in seconds, and they must not be worth a gigabyte."""

MAX_MODELS = 64
MAX_MODEL_CHARS = 160
MAX_NAME_CHARS = 64
MAX_KEY_CHARS = 256
MAX_SAMPLE = 2**53 - 1
"""Largest whole number that every JSON parser keeps exactly."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StartMessage:
    """What the client sends and wants to hear: its first message."""

    type: Literal["start"] = "start"
    protocol: int
    """Version of this protocol: 1."""
    sample_rate: int
    """Samples per second of the audio, Hz: 4000 to 384000; of opus 8000, 12000, 16000, 24000 or
    48000."""
    encoding: WireEncoding
    """How samples become bytes."""
    channels: int = 1
    """Interleaved channels, mixed to one: 1 to 64, of opus 1 or 2; with all of them at most 4 MiB
    of audio a second."""
    models: tuple[str, ...] = ()
    """What to listen for: names of models, words, or `model:word`; none means every word that the
    server has. At most 64."""
    threshold: float | Mapping[str, float] | None = None
    """Report a word at this score: one number between 0 and 1 for all words, or a number for each
    of some words. By default the server's."""
    false_alarms_per_hour: float | None = None
    """Instead: the threshold with which so many false alarms an hour were measured, for words
    without a `threshold` of their own."""
    scores: bool = False
    """Send a `score` for every step of every model, 10 a second."""
    clips: bool = False
    """Send a `clip` after every `detection`."""
    acks: bool = False
    """Send an `ack` about once a second, for reconnecting without loss."""
    name: str = ""
    """Label of the stream for people, at most 64 printable characters."""
    key: str | None = field(default=None, repr=False)
    """Key of the service, where it was not sent in a header."""
    first_sample: int = 0
    """Number of the first sample that will be sent."""
    detect_after_sample: int = 0
    """Detections that end at or before this sample are not sent: another connection has."""

    def __post_init__(self) -> None:
        if self.protocol != PROTOCOL or isinstance(self.protocol, bool):
            message = f"protocol = {self.protocol!r}, but this server speaks version {PROTOCOL}"
            raise refusal(ErrorCode.UNSUPPORTED, message, self.protocol, PROTOCOL)
        _check_audio(self)
        _check_models(self.models)
        _check_thresholds(self)
        _check_text("name", self.name, MAX_NAME_CHARS)
        if self.key is not None and not 1 <= len(self.key) <= MAX_KEY_CHARS:
            # Its length only: even a wrong key is nobody's business.
            found = f"of {len(self.key)} characters"
            raise _refused("key", found, f"of 1 to {MAX_KEY_CHARS} characters")
        for name in ("first_sample", "detect_after_sample"):
            value = getattr(self, name)
            if not 0 <= value <= MAX_SAMPLE:
                raise _refused(name, value, f"between 0 and {MAX_SAMPLE}")


@dataclass(frozen=True, kw_only=True, slots=True)
class EndMessage:
    """No more audio comes: score the rest, send a summary, close."""

    type: Literal["end"] = "end"


ClientMessage = StartMessage | EndMessage


def _check_audio(start: StartMessage) -> None:
    if start.encoding not in get_args(WireEncoding):
        raise _refused("encoding", start.encoding, f"one of {', '.join(get_args(WireEncoding))}")
    try:
        check_rate(start.sample_rate, "sample_rate")
    except SampleRateError as why:
        limit = f"{MIN_RATE} to {MAX_RATE} Hz"
        raise refusal(ErrorCode.BAD_MESSAGE, str(why), start.sample_rate, limit) from why
    opus = start.encoding == "opus"
    if opus and start.sample_rate not in OPUS_RATES:
        rates = ", ".join(map(str, OPUS_RATES))
        raise _refused("sample_rate of opus", start.sample_rate, f"one of {rates} Hz")
    most = OPUS_CHANNELS if opus else MAX_CHANNELS
    if isinstance(start.channels, bool) or not 1 <= start.channels <= most:
        of_opus = " of opus" if opus else ""
        raise _refused(f"channels{of_opus}", start.channels, f"between 1 and {most}")
    _check_flood(start)


def _check_flood(start: StartMessage) -> None:
    if start.encoding == "opus":
        return  # its bytes do not follow from its rate
    bytes_per_s = BYTES_PER_SAMPLE[start.encoding] * start.sample_rate * start.channels
    if bytes_per_s > MAX_BYTES_PER_S:
        raise refusal(
            ErrorCode.BAD_MESSAGE,
            f"{start.channels} channels of {start.encoding} at {start.sample_rate} Hz are "
            f"{bytes_per_s} bytes a second, but at most {MAX_BYTES_PER_S} are taken",
            bytes_per_s,
            MAX_BYTES_PER_S,
        )


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
        _check_text("a word in threshold", word, MAX_MODEL_CHARS)
        if value is not None and not 0.0 < value < 1.0:
            of_word = f" of '{word}'" if word else ""
            raise _refused(f"threshold{of_word}", value, "between 0 and 1, both excluded")
    if target is None:
        return
    if not target > 0.0:
        raise _refused("false_alarms_per_hour", target, "above 0")
    if threshold is not None and not isinstance(threshold, Mapping):
        limit = "left out where one threshold is given for all words"
        raise _refused("false_alarms_per_hour", target, limit)


def _check_text(name: str, text: str, most: int) -> None:
    if len(text) > most or not text.isprintable():
        raise _refused(name, text, f"at most {most} printable characters")


def _refused(name: str, value: object, limit: str) -> ProtocolError:
    error = refusal(ErrorCode.BAD_MESSAGE, "", value, limit)
    error.args = (f"{name} = {error.value}, but it must be {limit}",)
    return error
