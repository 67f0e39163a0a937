"""Clients of the streaming service: asynchronous and blocking."""

from wakeword.client.blocking import BlockingStreamClient
from wakeword.client.events import (
    BacklogFull,
    Clip,
    Disconnected,
    Event,
    Resumed,
    StreamReport,
)
from wakeword.client.settings import ClientOptions, stream_url
from wakeword.client.stream import Audio, StreamClient
from wakeword.protocol import (
    PROTOCOL,
    DetectionMessage,
    ReadyMessage,
    ScoreMessage,
    StartMessage,
    WarningMessage,
)

__all__ = [
    "PROTOCOL",
    "Audio",
    "BacklogFull",
    "BlockingStreamClient",
    "ClientOptions",
    "Clip",
    "DetectionMessage",
    "Disconnected",
    "Event",
    "ReadyMessage",
    "Resumed",
    "ScoreMessage",
    "StartMessage",
    "StreamClient",
    "StreamReport",
    "WarningMessage",
    "stream_url",
]
