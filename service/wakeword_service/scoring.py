"""What a worker does with a batch of streams: decode, score together, say what was heard.

Nothing that happens to one stream reaches another: its errors end it, and it alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import structlog

from wakeword.errors import EngineLostError, ProtocolError, WakewordError
from wakeword.protocol import CloseCode, Decoder, as_protocol_error
from wakeword.runtime import EngineBase, StepResult, Stream
from wakeword_service import sayings
from wakeword_service.answers import Answers
from wakeword_service.decoding import Decoded, decode
from wakeword_service.live import MAX_STEPS, Ending, LiveStream
from wakeword_service.metrics import Metrics

log = structlog.get_logger(__name__)


class Scoring:
    """Scores batches of streams; several threads may, each with other streams."""

    def __init__(self, answers: Answers, metrics: Metrics) -> None:
        self._answers = answers
        self._metrics = metrics

    def run(self, lives: Sequence[LiveStream], max_steps: int) -> float:
        """Take what has arrived in ``lives``, score at most ``max_steps`` of each, answer.

        Returns
        -------
        lag_s
            The longest that audio of a real-time stream had waited.
        """
        max_steps = min(max_steps, MAX_STEPS)
        endings = self._accept(lives, max_steps)
        since = [live.inbox.oldest for live in lives]
        results = self._step(lives, max_steps)
        now, lags, scored_s = time.monotonic(), [], 0.0
        for live, oldest in zip(lives, since, strict=True):
            new_s = live.note_scored()
            scored_s += new_s
            if new_s and oldest is not None and not live.is_fast:
                lags.append(now - oldest)
                self._answers.late(live, now - oldest)
            try:
                self._answers.steps(live, results.get(live, []))
                self._answers.end(live, endings[live])
            except Exception as why:
                self._fault(live, "answer", why)
        self._metrics.audio_seconds.inc(scored_s)
        if lags:
            self._metrics.stream_lag.observe(lags)
        return max(lags, default=0.0)

    def _accept(
        self, lives: Sequence[LiveStream], max_steps: int
    ) -> dict[LiveStream, Ending | None]:
        """Decode what can be scored now; what else waits stays as it came.

        Returns
        -------
        endings
            As they were before that, so that nothing comes after them.
        """
        endings: dict[LiveStream, Ending | None] = {}
        asked: list[tuple[Decoder, list[bytes]]] = []
        owners = []
        for live in lives:
            endings[live] = live.ending
            try:
                if live.new_thresholds:
                    self._retune(live)
                messages = live.inbox.take(live.room_s(max_steps))
            except Exception as why:
                self._fault(live, "decode", why)
                continue
            if messages and not live.broken:
                asked.append((live.decoder, messages))
                owners.append(live)
        for live, found in zip(owners, decode(asked), strict=True):
            self._feed(live, found)
        for live, ending in endings.items():
            if ending is not None and ending.finish and live.inbox.empty and not live.broken:
                self._finish(live)
            if live.broken:
                endings[live] = live.ending
            live.inbox.wait_for(live.missing_s)
        return endings

    def _feed(self, live: LiveStream, found: Decoded | Exception) -> None:
        try:
            if isinstance(found, Exception):
                raise found
            for stream in live.streams:
                if found.peak is None:
                    stream.accept(found.samples)
                else:
                    stream.accept_checked(found.samples)
            for warning in live.levels.look(*found):
                self._answers.warn(live, warning)
        except Exception as why:
            self._fault(live, "decode", why)

    def _finish(self, live: LiveStream) -> None:
        try:
            live.decoder.finish()
            for stream in live.streams:
                stream.finish()
        except Exception as why:
            self._fault(live, "decode", why)

    def _step(
        self, lives: Sequence[LiveStream], max_steps: int
    ) -> dict[LiveStream, list[StepResult]]:
        owners = {stream: live for live in lives for stream in live.streams if stream.due_steps}
        found: dict[LiveStream, list[StepResult]] = {}
        for engine, streams in _calls(owners, max_steps):
            for stream in streams:
                live = owners[stream]
                if tail := live.tails.get(stream):
                    count = min(stream.due_steps, max_steps) * engine.step_samples
                    tail.append(stream.pending.peek(count))
            for result in self._call(engine, streams, max_steps, owners):
                found.setdefault(owners[result.stream], []).append(result)
        for live, results in found.items():
            if len(live.streams) > 1:
                results.sort(key=lambda result: result.end_s)
        return found

    def _call(
        self,
        engine: EngineBase,
        streams: list[Stream],
        max_steps: int,
        owners: dict[Stream, LiveStream],
    ) -> list[StepResult]:
        """One call for all; if it fails, one for each, to find whose fault it is."""
        started = time.perf_counter()
        try:
            results = engine.step(streams, max_steps)
        except EngineLostError as why:
            self._metrics.faults.labels("process").inc()
            log.error("streams were lost", streams=len(streams), why=str(why))
            for stream in streams:
                self._break(owners[stream], as_protocol_error(why), score_rest=False)
            return []
        except Exception as why:
            if len(streams) == 1:
                self._fault(owners[streams[0]], "score", why)
                return []
            alone = (self._call(engine, [stream], max_steps, owners) for stream in streams)
            return [result for own in alone for result in own]
        self._metrics.tick.observe(time.perf_counter() - started)
        self._metrics.batch.observe(len(results))
        self._metrics.steps.inc(len(results))
        return results

    def _retune(self, live: LiveStream) -> None:
        for key in list(live.new_thresholds):
            value, source = live.new_thresholds.pop(key)
            model, word = key
            for stream in live.streams:
                before = stream.thresholds.get(word)
                if stream.engine.bundle.name != model or before is None:
                    continue
                live.sources[key] = source
                if value != before:
                    stream.retune({word: value})
                    self._answers.warn(live, sayings.threshold_changed(model, word, before, value))

    def _fault(self, live: LiveStream, where: str, why: Exception) -> None:
        """End a stream for its own error, and say it; a bug of ours goes to the log."""
        error = as_protocol_error(why)
        if not isinstance(why, WakewordError) or error.close_code == CloseCode.INTERNAL:
            self._metrics.faults.labels(where).inc()
            log.error("a stream failed", stream=live.id, where=where, exc_info=why)
        # What was complete before a fault of the audio is still scored.
        self._break(live, error, score_rest=where == "decode")

    def _break(self, live: LiveStream, error: ProtocolError, *, score_rest: bool) -> None:
        live.broken = True
        live.ending = Ending("error", CloseCode(error.close_code), error, score_rest=score_rest)

    def break_off(self, live: LiveStream, why: Exception) -> None:
        """End a stream without scoring it any further."""
        self._fault(live, "worker", why)
        self._answers.end(live, None)


def _calls(
    owners: dict[Stream, LiveStream], max_steps: int
) -> Iterator[tuple[EngineBase, list[Stream]]]:
    """Streams of one engine, so many at a time that they make one batch.

    Such a call happens wholly or not at all: after an error no result is lost.
    """
    groups: dict[EngineBase, list[Stream]] = {}
    for stream in owners:
        groups.setdefault(stream.engine, []).append(stream)
    for engine, streams in groups.items():
        batch: list[Stream] = []
        windows = 0
        for stream in streams:
            steps = min(stream.due_steps, max_steps)
            if batch and windows + steps > engine.max_batch:
                yield engine, batch
                batch, windows = [], 0
            batch.append(stream)
            windows += steps
        yield engine, batch
