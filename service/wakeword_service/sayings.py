"""The messages about a stream, from what is known of it."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from wakeword.errors import ProtocolError
from wakeword.protocol import (
    AckMessage,
    ClipMessage,
    CloseCode,
    DetectionMessage,
    ErrorMessage,
    ScoreMessage,
    SummaryMessage,
    WarningCode,
    WarningMessage,
    error_message,
)
from wakeword.runtime import Detection, StepResult, Stream
from wakeword_service.live import LiveStream

RETRY_AFTER_S = 5
"""What a client is told to wait when the server is full; lag is judged over two seconds."""

SCORE_DIGITS = 4


def input_sample(live: LiveStream, stream: Stream, model_sample: int) -> int:
    """A sample number at the model's rate as the client counts: at its rate, from its first."""
    rate = live.start.sample_rate
    return live.start.first_sample + round(model_sample * rate / stream.engine.sample_rate)


def detection(live: LiveStream, stream: Stream, found: Detection, number: str) -> DetectionMessage:
    """A word was heard."""
    start = input_sample(live, stream, found.start_sample)
    end = input_sample(live, stream, found.end_sample)
    rate = live.start.sample_rate
    return DetectionMessage(
        id=number,
        stream_id=live.id,
        keyword=found.keyword,
        model=found.model,
        score=round(found.score, 6),
        threshold=found.threshold,
        start_sample=start,
        end_sample=end,
        start_s=start / rate,
        end_s=end / rate,
    )


def clip(
    live: LiveStream, stream: Stream, number: str, begin: int, samples: NDArray[Any]
) -> ClipMessage:
    """The sound of a detection comes next."""
    return ClipMessage(
        detection_id=number,
        sample_rate=stream.engine.sample_rate,
        start_sample=input_sample(live, stream, begin),
        samples=len(samples),
    )


def score(live: LiveStream, result: StepResult) -> ScoreMessage:
    """The scores of one step."""
    end = input_sample(live, result.stream, result.end_sample)
    values = (round(float(value), SCORE_DIGITS) for value in result.smoothed)
    return ScoreMessage(
        model=result.stream.engine.bundle.name,
        end_sample=end,
        end_s=end / live.start.sample_rate,
        scores=dict(zip(result.stream.words, values, strict=True)),
    )


def ack(live: LiveStream) -> AckMessage:
    """All audio up to here was scored by all models."""
    samples = min(
        input_sample(live, s, min(s.scored_steps * s.engine.step_samples, s.received_samples))
        for s in live.streams
    )
    return AckMessage(samples=samples)


def lag(lag_s: float, limit_s: float) -> WarningMessage:
    """Scoring is late."""
    return WarningMessage(
        code=WarningCode.LAG,
        message=f"the server is busy: audio is scored {lag_s:.1f} s after it came, "
        f"more than {limit_s:g} s; nothing is lost",
        values={"lag_ms": round(1000 * lag_s, 1), "limit_ms": 1000 * limit_s},
    )


def threshold_changed(model: str, word: str, before: float, now: float) -> WarningMessage:
    """The owner of the server has tuned a word."""
    return WarningMessage(
        code=WarningCode.THRESHOLD_CHANGED,
        message=f"the threshold of '{word}' is now {now:g}, before it was {before:g}",
        model=model,
        word=word,
        values={"threshold": now, "before": before},
    )


def summary(live: LiveStream, reason: str) -> SummaryMessage:
    """What became of the stream."""
    scored = max(0, min(ack(live).samples - live.start.first_sample, 2**53))
    return SummaryMessage(
        stream_id=live.id,
        samples=scored,
        seconds=scored / live.start.sample_rate,
        detections=dict(live.counters.detections),
        warnings=live.counters.warnings,
        max_lag_ms=round(1000 * live.counters.max_lag_s, 1),
        real_time_factor=round(live.real_time_factor, 3),
        reason=reason,
        scores_dropped=live.outbox.scores_dropped,
    )


def error_of(error: ProtocolError) -> ErrorMessage:
    """Why the connection is closed, and when to try again where that may help."""
    full = error.close_code in (CloseCode.TRY_AGAIN_LATER, CloseCode.TOO_MANY_STREAMS)
    return error_message(error, retry_after_s=RETRY_AFTER_S if full else None)
