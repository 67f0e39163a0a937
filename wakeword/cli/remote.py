"""A stream to a service for the command line: fed here, reported by a thread as answers come."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType

from wakeword.audio.pcm import Samples
from wakeword.client import (
    BlockingStreamClient,
    ClientOptions,
    Event,
    ReadyMessage,
    StartMessage,
    StreamReport,
)
from wakeword.errors import WakewordError

_POLL_S = 0.2
_JOIN_S = 5.0


@dataclass(frozen=True)
class Remote:
    """A service, what to ask it for, and how the connection is kept."""

    url: str
    start: StartMessage
    options: ClientOptions

    def with_scores(self) -> Remote:
        """The same, and scores are asked for."""
        return replace(self, start=replace(self.start, scores=True))

    def open(self, report: Callable[[Event], None]) -> RemoteStream:
        """A new stream; ``report`` gets its events, in another thread."""
        client = BlockingStreamClient(self.url, self.start, self.options)
        return RemoteStream(client, report, waits=not self.options.patient)


class RemoteStream:
    """One stream, for as long as it is entered.

    Entering waits until the service has accepted it, if it ``waits``. What ends the stream, or
    what ``report`` raises, is raised by the next call.
    """

    def __init__(
        self, client: BlockingStreamClient, report: Callable[[Event], None], waits: bool
    ) -> None:
        self._client = client
        self._report = report
        self._waits = waits
        self._failure: BaseException | None = None
        self._accepted = threading.Event()
        self._reader = threading.Thread(target=self._read, name="wakeword-report", daemon=True)

    def __enter__(self) -> RemoteStream:
        self._client.__enter__()
        try:
            self._reader.start()
            # Not for ever: some platforms see Ctrl-C only between two waits.
            while self._waits and not self._accepted.wait(_POLL_S):
                pass
            self._check()
        except BaseException:
            self._client.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()
        self._reader.join(_JOIN_S)

    def take(self, samples: Samples) -> None:
        """Send the next samples (n,) float32, waiting where the stream is not live."""
        self._check()
        try:
            self._client.send(samples)
        except WakewordError:
            self._check()
            raise

    def finish(self) -> StreamReport:
        """Declare the end, wait for the last events to be reported, and say what there was."""
        try:
            report = self._client.end()
        except WakewordError:
            self._check()
            raise
        self._reader.join()
        self._check()
        return report

    def _read(self) -> None:
        try:
            for event in self._client:
                self._report(event)
                if isinstance(event, ReadyMessage):
                    self._accepted.set()
        except BaseException as error:
            self._failure = error
            self._client.close()  # whoever waits for the service must not wait for ever
        finally:
            self._accepted.set()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure
