"""What a stream carries from one connection to the next."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import numpy as np

from wakeword.audio.pcm import BYTES_PER_SAMPLE
from wakeword.client.backlog import Backlog
from wakeword.client.channel import Channel
from wakeword.client.events import BacklogFull, Clip, Resumed
from wakeword.client.settings import ClientOptions
from wakeword.errors import ConfigError, ProtocolError
from wakeword.protocol import (
    AckMessage,
    ClientSession,
    DetectionMessage,
    ReadyMessage,
    ScoreMessage,
    ServerMessage,
    StartMessage,
    WarningMessage,
)
from wakeword.protocol.client_session import CONTEXT_S

PIECE_S = 1.0
"""Audio is appended in pieces of this length, each when there is room."""

_ACK_LAG_S = 3.0


class StreamState:
    """Session, backlog and events of one stream, over all of its connections."""

    def __init__(self, start: StartMessage, options: ClientOptions) -> None:
        if start.encoding == "opus":
            raise ConfigError("this client sends s16le, f32le or mulaw, not opus")
        self.options = options
        self.rate = start.sample_rate
        self.session = ClientSession(replace(start, acks=True))
        self.frame_bytes = BYTES_PER_SAMPLE[start.encoding] * start.channels
        # So that keep_s really can pass without a loss: an ack is some time behind the sound.
        kept_s = CONTEXT_S + _ACK_LAG_S + options.keep_s
        self.backlog = Backlog(self.frame_bytes, self.rate, kept_s, start.first_sample)
        self.events = Channel()
        self.connected = self.ended = self.end_sent = False
        self.acks_come = True
        self.detections: Counter[str] = Counter()
        self.connections = 0
        self.unheard_samples = 0
        self._unsaid_unheard = 0
        self._said_full = False
        self._acked_before = start.first_sample
        self._work = asyncio.Event()
        self._room = asyncio.Event()

    @property
    def unacknowledged_s(self) -> float:
        """Seconds of audio that no service has certainly heard."""
        return (self.backlog.end - self.session.acked_samples) / self.rate

    @property
    def has_room(self) -> bool:
        """Whether a piece can be appended without anything being lost."""
        if self.acks_come:
            return self.unacknowledged_s <= self.options.keep_s
        return self.backlog.unsent <= PIECE_S * self.rate

    def begin_connection(self) -> StartMessage:
        """What to say first over a new connection; all that is kept will be sent again."""
        lost = max(0, self.backlog.begin - self.session.acked_samples)
        self.unheard_samples += lost
        self._unsaid_unheard += lost
        self.backlog.rewind()
        self.end_sent, self.acks_come = False, True
        start = self.session.reconnect(self.backlog.begin)
        self._acked_before = self.session.acked_samples
        return start

    def take_progress(self) -> bool:
        """Whether anything was acknowledged since this was last asked."""
        before, self._acked_before = self._acked_before, self.session.acked_samples
        return self._acked_before > before

    def append(self, data: bytes) -> None:
        """Add audio to send."""
        self.backlog.append(data, self.session.grid_samples)
        if self.backlog.begin > self.session.acked_samples and not self._said_full:
            self._said_full = True
            self.events.push(BacklogFull(self.options.keep_s, self.connected))
        self._work.set()

    def end(self) -> None:
        """No more audio comes."""
        self.ended = True
        self._work.set()

    def take_audio(self, max_bytes: int) -> bytes:
        """The next audio to send: no further ahead of the last ack than the window."""
        window = round(min(self.options.window_s, self.options.keep_s) * self.rate)
        until = self.session.acked_samples + window if self.acks_come else self.backlog.end
        data = self.backlog.take(max_bytes, until)
        self._room.set()
        return data

    async def wait_for_work(self) -> None:
        """Wait until there may be something to send: audio, an ack, the end."""
        await self._work.wait()
        self._work.clear()

    async def wait_for_room(self) -> None:
        """Wait until something was sent."""
        await self._room.wait()
        self._room.clear()

    async def receive(self, data: str | bytes) -> ServerMessage | None:
        """Take a message of the service and pass on what its owner wants to know.

        Raises
        ------
        ProtocolError
            It is none that may come now.
        """
        if isinstance(data, bytes):
            audio = self.session.receive_bytes(data)
            if audio is not None:
                samples = np.frombuffer(audio.data, "<i2")
                clip = audio.clip
                await self.events.put(
                    Clip(clip.detection_id, clip.sample_rate, clip.start_sample, samples)
                )
            return None
        message = self.session.receive_text(data)
        if isinstance(message, AckMessage):
            self._acknowledge(message.samples)
        elif isinstance(message, ReadyMessage):
            await self._ready(message)
        elif isinstance(message, DetectionMessage | ScoreMessage | WarningMessage):
            if isinstance(message, DetectionMessage):
                self.detections[message.keyword] += 1
            await self.events.put(message)
        return message

    def _acknowledge(self, samples: int) -> None:
        if samples > self.backlog.sent:
            raise ProtocolError(
                f"the service acknowledges sample {samples}, but only {self.backlog.sent} were sent"
            )
        self.backlog.drop_before(min(self.session.keep_from_sample, self.backlog.sent))
        self.acks_come = True
        if self.has_room:  # not at any ack: one that frees a little of a full backlog ends nothing
            self._said_full = False
        self._work.set()
        self._room.set()

    async def _ready(self, message: ReadyMessage) -> None:
        if self.connections:
            resent = self.backlog.end - self.backlog.begin
            await self.events.put(Resumed(resent / self.rate, self._unsaid_unheard / self.rate))
        self._unsaid_unheard = 0
        self.connections += 1
        await self.events.put(message)
