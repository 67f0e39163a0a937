"""What a stream is told: what was heard, how far it was scored, warnings, goodbye."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import structlog
from numpy.typing import NDArray

from wakeword.protocol import WarningCode, WarningMessage, encode_message
from wakeword.runtime import Detection, StepResult
from wakeword_service import sayings
from wakeword_service.live import Ending, LiveStream
from wakeword_service.metrics import Metrics
from wakeword_service.outbox import Close

log = structlog.get_logger(__name__)

ACK_S = 1.0
"""Audio between two acks."""


class Recorder(Protocol):
    """What remembers live use; ``recorder.Recorder`` is it."""

    def steps(self, live: Any, results: Sequence[StepResult]) -> None: ...
    def detection(self, live: Any, detection: Detection, clip: NDArray[Any] | None) -> str: ...


class Answers:
    """Puts messages into the outboxes of streams, and records what they say.

    Any thread may warn; all else is for the worker that has the stream.

    Parameters
    ----------
    lag_limit_s
        A stream whose audio waits longer is warned.
    """

    def __init__(self, recorder: Recorder, metrics: Metrics, lag_limit_s: float) -> None:
        self._recorder = recorder
        self._metrics = metrics
        self._lag_limit_s = lag_limit_s

    def warn(self, live: LiveStream, warning: WarningMessage) -> None:
        """Send a warning; any thread may."""
        live.counters.warnings += 1
        self._metrics.warnings.labels(WarningCode(warning.code)).inc()
        live.outbox.put(encode_message(warning))

    def late(self, live: LiveStream, lag_s: float) -> None:
        """Note how late a stream was scored, and warn where that is much."""
        live.counters.max_lag_s = max(live.counters.max_lag_s, lag_s)
        if not live.late and lag_s > self._lag_limit_s:
            live.late = True
            self.warn(live, sayings.lag(lag_s, self._lag_limit_s))
        elif live.late and lag_s < self._lag_limit_s / 2:
            live.late = False

    def steps(self, live: LiveStream, results: list[StepResult]) -> None:
        """Say what these steps, in the order of time, hold for a stream."""
        if not results:
            return
        try:
            self._recorder.steps(live, results)
        except Exception:
            self._metrics.faults.labels("recorder").inc()
            log.exception("the recorder failed on steps", stream=live.id)
        heard = False
        for result in results:
            for detection in result.detections:
                heard |= self._detected(live, result, detection)
            if live.start.scores and result.end_sample <= result.stream.received_samples:
                text = encode_message(sayings.score(live, result))
                if not live.outbox.put_score(text):
                    self._metrics.dropped.labels("scores").inc()
        if live.start.acks and (heard or live.scored_s - live.counters.acked_s >= ACK_S):
            live.counters.acked_s = live.scored_s
            live.outbox.put(encode_message(sayings.ack(live)))

    def _detected(self, live: LiveStream, result: StepResult, detection: Detection) -> bool:
        """Say and record a detection, unless the client has it from before a reconnect."""
        end = sayings.input_sample(live, result.stream, detection.end_sample)
        if end <= live.start.detect_after_sample and live.start.detect_after_sample:
            return False
        begin, clip = live.clip(detection) or (0, None)
        number = self._record(live, detection, clip)
        count = live.counters.detections
        count[detection.keyword] = count.get(detection.keyword, 0) + 1
        self._metrics.detections.labels(detection.model, detection.keyword).inc()
        message = sayings.detection(live, result.stream, detection, number)
        live.outbox.put(encode_message(message))
        if clip is not None and live.start.clips:
            said = sayings.clip(live, result.stream, number, begin, clip)
            live.outbox.put(encode_message(said), clip.astype("<i2").tobytes())
        return True

    def _record(self, live: LiveStream, detection: Detection, clip: NDArray[Any] | None) -> str:
        try:
            return self._recorder.detection(live, detection, clip)
        except Exception:
            self._metrics.faults.labels("recorder").inc()
            log.exception("the recorder failed on a detection", stream=live.id)
            return f"{live.id}-{detection.model}-{detection.keyword}-{detection.end_sample}"

    def end(self, live: LiveStream, seen: Ending | None) -> None:
        """Say goodbye when all that should be scored was scored."""
        ending = live.ending if live.ending is not None and not live.ending.score_rest else seen
        if ending is None or live.done:
            return
        if ending.score_rest and (live.due_steps or not (live.inbox.empty or live.broken)):
            return
        live.inbox.clear()
        live.outbox.put(encode_message(sayings.summary(live, ending.reason)))
        if ending.error is not None:
            live.outbox.put(encode_message(sayings.error_of(ending.error)))
        live.outbox.put(Close(ending.close_code, ending.reason))
        live.done = True
