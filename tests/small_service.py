"""The smallest honest service: real websockets, the real protocol, a real spotter; in a thread.

It can be told to misbehave in the ways that a client must live with.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from wakeword.audio.pcm import encode_int16, to_mono_float32
from wakeword.protocol import (
    PROTOCOL,
    AckMessage,
    Audio,
    ClipMessage,
    Decoder,
    DetectionMessage,
    Ended,
    ErrorCode,
    Limits,
    ProtocolError,
    ReadyMessage,
    ReadyModel,
    ReadyWord,
    ScoreMessage,
    ServerSession,
    Started,
    StartMessage,
    SummaryMessage,
    as_protocol_error,
    encode_message,
    error_message,
    refusal,
)
from wakeword.runtime import Detection, Spotter, StepResult

MESSAGE_BYTES = 20_000


@dataclass
class Behaviour:
    """acks: tell what was scored. refuse: what the n-th connection (from 0) is told after start.
    ends: answer ``end``. key: the one that is let in."""

    acks: bool = True
    ends: bool = True
    key: str | None = None
    refuse: Callable[[int], ProtocolError | None] = lambda _: None
    step_s: float = 0.0


class SmallService:
    """Serves on a free port of this machine while it is entered."""

    def __init__(self, *models: str | Path, behaviour: Behaviour | None = None, port: int = 0):
        self.models = list(models)
        self.behaviour = behaviour or Behaviour()
        self.port = port
        self.starts: list[StartMessage] = []
        self.failures: list[BaseException] = []
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def __enter__(self) -> SmallService:
        self._thread.start()
        assert self._up.wait(20), "the service does not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(20)
        self._loop.close()
        assert not self.failures, self.failures

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        async with serve(
            self._guarded, "127.0.0.1", self.port, compression=None, close_timeout=0.5
        ) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            self._up.set()
            await self._stopping.wait()
            server.close(code=1012, reason="restarting")

    async def _guarded(self, socket: ServerConnection) -> None:
        try:
            await _Conversation(self, socket).run()
        except ConnectionClosed:
            pass
        except Exception as error:
            self.failures.append(error)
            raise


@dataclass
class _Conversation:
    service: SmallService
    socket: ServerConnection
    session: ServerSession = field(default_factory=lambda: ServerSession(MESSAGE_BYTES))
    heard: list[NDArray[np.float32]] = field(default_factory=list)
    detections: int = 0
    acked: int = 0

    async def run(self) -> None:
        try:
            async for data in self.socket:
                text = isinstance(data, str)
                event: Any = (
                    self.session.receive_text(data) if text else self.session.receive_bytes(data)
                )
                if isinstance(event, Started):
                    await self._start(event.start)
                elif isinstance(event, Audio):
                    await self._hear(self.decoder.decode(event.data))
                elif isinstance(event, Ended) and self.service.behaviour.ends:
                    await self._end()
                    return
        except Exception as error:
            if isinstance(error, ConnectionClosed):
                raise
            said = as_protocol_error(error)
            if said.code == ErrorCode.INTERNAL:
                self.service.failures.append(error)
            after_s = 0.01 if said.code == ErrorCode.OVERLOADED else None
            await self._say(error_message(said, after_s))
            await self.socket.close(said.close_code, str(said)[:100])

    async def _start(self, start: StartMessage) -> None:
        self.service.starts.append(start)
        behaviour = self.service.behaviour
        if behaviour.key is not None and start.key != behaviour.key:
            raise refusal(ErrorCode.UNAUTHORIZED, "unknown key")
        if (error := behaviour.refuse(len(self.service.starts) - 1)) is not None:
            raise error
        self.start = start
        self.decoder = Decoder(start.encoding, start.sample_rate, start.channels)
        self.spotter = Spotter(
            list(start.models) or self.service.models,
            sample_rate=start.sample_rate,
            channels=start.channels,
            thresholds=start.threshold,
            false_alarms_per_hour=start.false_alarms_per_hour,
        )
        await self._say(_ready(start, self.spotter))

    async def _hear(self, samples: NDArray[Any]) -> None:
        await asyncio.sleep(self.service.behaviour.step_s)
        self.heard.append(to_mono_float32(samples))
        for result in self.spotter.steps(samples):
            await self._tell(result)
        scored = min(s.scored_steps for s in self.spotter.streams) // 10
        if self.start.acks and self.service.behaviour.acks and scored > self.acked:
            self.acked = scored
            at = round(scored * self.start.sample_rate) + self.start.first_sample
            await self._say(AckMessage(samples=at))

    async def _tell(self, result: StepResult) -> None:
        rate, first = self.start.sample_rate, self.start.first_sample
        end = result.input_end_sample + first
        if self.start.scores:
            scores = dict(zip(result.stream.words, map(float, result.smoothed), strict=True))
            name = result.stream.engine.bundle.name
            await self._say(
                ScoreMessage(model=name, end_sample=end, end_s=end / rate, scores=scores)
            )
        for detection in result.detections:
            message = self._message(detection)
            if message.end_sample > self.start.detect_after_sample:
                self.detections += 1
                await self._say(message)
                if self.start.clips:
                    await self._clip(message)

    def _message(self, detection: Detection) -> DetectionMessage:
        rate, first = self.start.sample_rate, self.start.first_sample
        start, end = (round(s * rate) + first for s in (detection.start_s, detection.end_s))
        return DetectionMessage(
            id=f"d{len(self.service.starts)}-{self.detections}",
            stream_id=f"s{len(self.service.starts)}",
            keyword=detection.keyword,
            model=detection.model,
            score=detection.score,
            threshold=detection.threshold,
            start_sample=start,
            end_sample=end,
            start_s=start / rate,
            end_s=end / rate,
        )

    async def _clip(self, message: DetectionMessage) -> None:
        first, rate = self.start.first_sample, self.start.sample_rate
        audio = np.concatenate(self.heard)
        begin = max(0, message.end_sample - first - 2 * rate)
        samples = encode_int16(audio[begin : message.end_sample - first])
        await self._say(
            ClipMessage(
                detection_id=message.id,
                sample_rate=rate,
                start_sample=first + begin,
                samples=len(samples),
            )
        )
        await self.socket.send(samples.astype("<i2").tobytes())

    async def _end(self) -> None:
        self.decoder.finish()
        for result in self.spotter.finish_steps():
            await self._tell(result)
        samples = sum(map(len, self.heard))
        summary = SummaryMessage(
            stream_id=f"s{len(self.service.starts)}",
            samples=samples,
            seconds=samples / self.start.sample_rate,
            detections={},
            warnings=0,
            max_lag_ms=0.0,
            real_time_factor=1.0,
            reason="end",
        )
        await self._say(summary)
        await self.socket.close()

    async def _say(self, message: Any) -> None:
        await self.socket.send(encode_message(message))


def _ready(start: StartMessage, spotter: Spotter) -> ReadyMessage:
    return ReadyMessage(
        protocol=PROTOCOL,
        stream_id="s",
        sample_rate=start.sample_rate,
        models=tuple(
            ReadyModel(
                name=s.engine.bundle.name,
                version=s.engine.bundle.metadata.version,
                words=tuple(
                    ReadyWord(word=w, threshold=t, source="model") for w, t in s.thresholds.items()
                ),
                refractory_s=s.engine.bundle.metadata.detector.refractory_s,
            )
            for s in spotter.streams
        ),
        step_ms=100.0,
        latency_ms=0.0,
        limits=Limits(message_bytes=MESSAGE_BYTES, buffer_s=5.0, idle_s=30.0),
    )
