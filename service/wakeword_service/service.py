"""The parts of one running service, and how they begin and end together."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

import structlog

from wakeword.protocol import CloseCode, ErrorCode, StartMessage, refusal
from wakeword.runtime.memory import give_memory_back
from wakeword_service.admission import Admission
from wakeword_service.answers import Answers
from wakeword_service.auth import Gate, check_can_start
from wakeword_service.jobs import Calibrations
from wakeword_service.keys import Keys
from wakeword_service.live import Caller, Ending, LiveStream, StreamOptions
from wakeword_service.metrics import Metrics
from wakeword_service.models import ModelHost
from wakeword_service.opening import open_live
from wakeword_service.recorder import Recorder
from wakeword_service.scheduler import Scheduler
from wakeword_service.scoring import Scoring
from wakeword_service.settings import Settings
from wakeword_service.store import Store
from wakeword_service.tuning import Tuning

if TYPE_CHECKING:
    from wakeword_service.connection import Connection

log = structlog.get_logger(__name__)

LOOK_S = 0.5
"""How often idle streams, clients that do not read and the lag are looked at."""

GIVE_BACK_S = 20.0
"""How often processes and memory that are not needed any more are given back."""

MAX_UNSENT_BYTES = 1024 * 1024
"""Written to a socket and not taken by its client. Messages wait in the outbox before that; it is
answers to pings that would pile up."""


class Service:
    """What ``app.state.service`` is: make it in a thread, :meth:`start` it in the event loop.

    Raises
    ------
    WakewordError
        A model, the state or the settings cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = metrics = Metrics()
        self.models = ModelHost.load(settings.models)
        for bundle in self.models.bundles():
            metrics.know(bundle.name, bundle.words)
        self.store = Store(settings.state_dir)
        self.keys = Keys(self.store.keys)
        self.gate = Gate(settings, self.keys, metrics.login_failures.inc)
        check_can_start(settings, self.keys)
        self.tuning = Tuning(self.store, self.models)
        self.recorder = Recorder(self.store, settings)
        self.calibrations = Calibrations(settings, self.store)
        self.answers = Answers(self.recorder, metrics, settings.lag_limit_ms / 1000)
        self.scheduler = Scheduler(
            Scoring(self.answers, metrics),
            self.tuning,
            metrics,
            workers=settings.workers,
            processes=settings.processes,
            streams_here=settings.streams_here,
            gather_s=settings.gather_ms / 1000,
        )
        self.admission = Admission(settings, metrics)
        self.connections: set[Connection] = set()
        self._options = StreamOptions(settings.silence_s, settings.keep_clips)
        self._tasks: list[asyncio.Task[Any]] = []

    @property
    def draining(self) -> bool:
        """Whether it is shutting down: nothing new begins."""
        return self.admission.draining

    async def start(self) -> None:
        """Begin to serve."""
        loop = asyncio.get_running_loop()
        self.scheduler.start(loop)
        await asyncio.to_thread(self.recorder.start)
        await asyncio.to_thread(self.calibrations.start)
        self.tuning.subscribe(self.scheduler.retune)
        self.keys.subscribe(self._end_key)
        self._tasks = [
            asyncio.create_task(self.keys.watch(), name="keys"),
            asyncio.create_task(self._look_after(), name="look after streams"),
            asyncio.create_task(self._give_back(), name="give back"),
        ]
        names = [bundle.name for bundle in self.models.bundles()]
        log.info("started", models=names, workers=self.settings.workers)

    async def stop(self) -> None:
        """End all streams with a summary, and write what is left to write."""
        await self.drain()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await asyncio.to_thread(self._stop_threads)
        log.info("stopped")

    async def drain(self) -> None:
        """Take nothing new, and let every stream go with its summary, in ``shutdown_s``."""
        if self.admission.draining:
            return
        self.admission.draining = True
        log.info("shutting down", streams=len(self.scheduler.streams))
        for connection in list(self.connections):
            connection.hurry()
        ending = Ending("shutdown", CloseCode.RESTARTING)
        for live in list(self.scheduler.streams.values()):
            self.scheduler.end(live, ending)
        deadline = time.monotonic() + self.settings.shutdown_s
        while self.connections and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        for connection in list(self.connections):
            connection.cut()

    async def open(self, start: StartMessage, caller: Caller) -> LiveStream:
        """A running stream for ``start``; errors as :func:`opening.open_live`."""
        return await asyncio.to_thread(self._open, start, caller)

    def close(self, live: LiveStream, code: int | None) -> None:
        """The connection of a stream is gone."""
        ending = live.ending
        reason = "disconnected" if ending is None else ending.reason
        unscored_s = 0.0 if live.done else max(0.0, live.inbox.received_s - live.scored_s)
        self.scheduler.remove(live)
        self.metrics.streams.dec()
        self.metrics.ended.labels(reason).inc()
        self.metrics.dropped.labels("audio_seconds").inc(unscored_s)
        log.info(
            "stream ended", stream=live.id, name=live.name, caller=live.caller.name,
            reason=reason, close_code=code, audio_s=round(live.scored_s, 1),
            detections=sum(live.counters.detections.values()), warnings=live.counters.warnings,
            max_lag_ms=round(1000 * live.counters.max_lag_s),
            scores_dropped=live.outbox.scores_dropped,
        )  # fmt: skip

    def _open(self, start: StartMessage, caller: Caller) -> LiveStream:
        lane = self.scheduler.enter()
        try:
            live = open_live(start, caller, self.models, self.tuning, self._options, lane.engine)
        except BaseException:
            self.scheduler.leave(lane)
            raise
        self.scheduler.add(live, lane)
        self.metrics.streams.inc()
        self.metrics.opened.inc()
        log.info(
            "stream opened", stream=live.id, name=live.name, caller=caller.name,
            words=sum(map(len, live.words.values())), encoding=start.encoding,
            sample_rate=start.sample_rate, channels=start.channels,
        )  # fmt: skip
        return live

    def _end_key(self, key_id: str) -> None:
        for live in list(self.scheduler.streams.values()):
            if live.caller.key_id == key_id:
                why = refusal(ErrorCode.UNAUTHORIZED, "the key was removed or has expired")
                self.scheduler.end(live, Ending("error", CloseCode.UNAUTHORIZED, why))

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                self._look(time.monotonic())
            except Exception:  # what watches over all streams must not end for one of them
                self.metrics.faults.labels("look").inc()
                log.exception("looking after streams failed")

    def _look(self, now: float) -> None:
        self.admission.judge(self.scheduler.lag_s(now))
        for connection in list(self.connections):
            self._look_at(connection, now)

    async def _give_back(self) -> None:
        while True:
            await asyncio.sleep(GIVE_BACK_S)
            try:
                await asyncio.to_thread(self.scheduler.rest)
                await asyncio.to_thread(give_memory_back)
            except Exception:
                self.metrics.faults.labels("give_back").inc()
                log.exception("what is not needed could not be given back")

    def _look_at(self, connection: Connection, now: float) -> None:
        live = connection.live
        if connection.unsent_bytes > MAX_UNSENT_BYTES or (live and self._does_not_read(live, now)):
            log.warning("client does not read", stream=live and live.id)
            self.metrics.refused.labels(str(ErrorCode.NOT_READING)).inc()
            if live is not None:
                live.stop(Ending("not_reading", CloseCode.TIMED_OUT))
            connection.cut()
        elif live is not None:
            self._look_at_audio(live, now)

    def _does_not_read(self, live: LiveStream, now: float) -> bool:
        since = live.sending_since
        late = since is not None and now - since > self.settings.send_timeout_s
        return live.outbox.overfull or late

    def _look_at_audio(self, live: LiveStream, now: float) -> None:
        settings, inbox = self.settings, live.inbox
        if live.ending is not None:
            return
        if now - inbox.last_put > settings.idle_s and not live.held_back:
            why = refusal(
                ErrorCode.IDLE,
                f"no audio for {settings.idle_s:g} s",
                round(now - inbox.last_put, 1),
                settings.idle_s,
            )
            self.scheduler.end(live, Ending("idle", CloseCode.TIMED_OUT, why))
            return
        if inbox.first_put is not None:
            held_back = live.held_back or live.lag_s(now) > LOOK_S
            for warning in live.pace.look(now, inbox.received_s, held_back=held_back):
                self.answers.warn(live, warning)
                live.wake()

    def _stop_threads(self) -> None:
        self.scheduler.stop()
        self.calibrations.stop()
        self.recorder.stop()
        self.store.close()
