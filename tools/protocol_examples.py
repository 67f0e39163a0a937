"""An example of every message of the streaming protocol, as in one conversation."""

from __future__ import annotations

from collections.abc import Mapping

from wakeword.protocol import (
    AckMessage,
    ClientMessage,
    ClipMessage,
    DetectionMessage,
    EndMessage,
    ErrorCode,
    Limits,
    ReadyMessage,
    ReadyModel,
    ReadyWord,
    ScoreMessage,
    ServerMessage,
    StartMessage,
    SummaryMessage,
    WarningCode,
    WarningMessage,
    error_message,
    refusal,
)

STREAM = "kitchen-5f0c2a"
DETECTION = "01JD2Z8Q4M"

_MESSAGES: tuple[ClientMessage | ServerMessage, ...] = (
    StartMessage(
        protocol=1,
        sample_rate=16_000,
        encoding="s16le",
        models=("seven:computer", "alexa"),
        threshold={"computer": 0.9},
        scores=True,
        clips=True,
        acks=True,
        name="kitchen",
    ),
    EndMessage(),
    ReadyMessage(
        protocol=1,
        stream_id=STREAM,
        sample_rate=16_000,
        models=(
            ReadyModel(
                name="seven",
                version="1.0.0",
                words=(
                    ReadyWord(word="alexa", threshold=0.82, source="model"),
                    ReadyWord(word="computer", threshold=0.9, source="requested"),
                ),
            ),
        ),
        step_ms=100.0,
        latency_ms=300.0,
        limits=Limits(message_bytes=1_048_576, buffer_s=5.0, idle_s=30.0),
    ),
    DetectionMessage(
        id=DETECTION,
        stream_id=STREAM,
        keyword="computer",
        model="seven",
        score=0.971,
        threshold=0.9,
        start_sample=24_000,
        end_sample=48_000,
        start_s=1.5,
        end_s=3.0,
    ),
    ClipMessage(
        detection_id=DETECTION, sample_rate=16_000, start_sample=16_000, samples=32_000
    ),
    ScoreMessage(
        model="seven", end_sample=48_000, end_s=3.0, scores={"alexa": 0.002, "computer": 0.971}
    ),
    AckMessage(samples=48_000),
    WarningMessage(
        code=WarningCode.CLIPPING,
        message="3.1 % of the samples of a second are at full scale: the microphone is too loud",
        values={"clipped_percent": 3.1},
    ),
    error_message(
        refusal(
            ErrorCode.BAD_MESSAGE,
            "threshold = 1.5, but it must be between 0 and 1, both excluded",
            1.5,
            "between 0 and 1, both excluded",
        )
    ),
    SummaryMessage(
        stream_id=STREAM,
        samples=96_000,
        seconds=6.0,
        detections={"computer": 1},
        warnings=1,
        max_lag_ms=38.5,
        real_time_factor=1.0,
        reason="end",
    ),
)

EXAMPLES: Mapping[str, ClientMessage | ServerMessage] = {m.type: m for m in _MESSAGES}
"""By type."""
