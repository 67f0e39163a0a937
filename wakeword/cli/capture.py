"""Sound from one microphone after the other, for whatever is to hear it."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Protocol

from wakeword.audio.microphone import Microphone
from wakeword.audio.pcm import Samples
from wakeword.cli.options import note
from wakeword.errors import DeviceError, DeviceLostError

RETRY_S = 1.0
"""How often a vanished microphone is looked for."""

_CHUNK_S = 0.05
_SAY_LOSS_EVERY_S = 5.0


class Ear(Protocol):
    """What hears the sound of a microphone."""

    def begin(self, microphone: Microphone) -> None:
        """A microphone is open: a new stream begins, at its rate."""

    def take(self, samples: Samples) -> None:
        """The next samples (n,) of the stream; n may be 0."""

    def end(self) -> None:
        """The stream ends: the time is over, or the microphone has vanished."""


def capture(
    microphone: Microphone,
    wanted: str | None,
    deadline_s: float | None,
    ear: Ear,
    losses: Losses,
) -> None:
    """Listen until the deadline (of ``time.monotonic()``; None: for ever).

    Where a microphone vanished, its stream ends; the next one is a new stream, so that no word
    is made of two halves.

    Parameters
    ----------
    microphone
        The first one, not yet open.
    wanted
        What the user called it; None is the default device, whichever that becomes.
    losses
        Gets what the microphones have lost.
    """
    microphone.open()
    while True:
        try:
            _hear(microphone, deadline_s, ear, losses)
            return
        except DeviceLostError as lost:
            note(f"{lost}; waiting for it")
        finally:
            microphone.close()
        # A number may mean another device once some have come and gone; a name does not.
        name = None if wanted is None else microphone.device.name
        found = _wait_for(name, deadline_s)
        if found is None:
            return
        microphone = found


class Losses:
    """Counts input that was lost, over all microphones, and says so now and then."""

    def __init__(self) -> None:
        self._dropped_s = 0.0
        self._overflows = 0
        self._unsaid = False
        self._said_at_s = 0.0
        self.start()

    def start(self) -> None:
        """The next microphone begins to count from zero."""
        self._seen = (0, 0)

    def count(self, microphone: Microphone) -> None:
        """Take over what ``microphone`` has counted."""
        now = (microphone.dropped_samples, microphone.overflows)
        self._unsaid = self._unsaid or now != self._seen
        self._dropped_s += (now[0] - self._seen[0]) / microphone.sample_rate
        self._overflows += now[1] - self._seen[1]
        self._seen = now
        if self._unsaid and time.monotonic() - self._said_at_s >= _SAY_LOSS_EVERY_S:
            self._unsaid, self._said_at_s = False, time.monotonic()
            note(f"this machine is too slow or was asleep{self.summary()}")

    def summary(self) -> str:
        """What was lost until now, to end a sentence with; empty where nothing was."""
        parts = []
        if self._dropped_s:
            parts.append(f"; {self._dropped_s:.2f} s of input were dropped")
        if self._overflows:
            times = "once" if self._overflows == 1 else f"{self._overflows} times"
            parts.append(f"; the device lost input {times}")
        return "".join(parts)


def exit_on_sigterm() -> None:
    """Let what a service manager sends end the program as Ctrl-C does."""
    signal.signal(signal.SIGTERM, _terminate)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + signal.SIGTERM)


def _hear(microphone: Microphone, deadline_s: float | None, ear: Ear, losses: Losses) -> None:
    ear.begin(microphone)
    losses.start()
    try:
        while not _is_over(deadline_s):
            ear.take(microphone.read(0.5, round(_CHUNK_S * microphone.sample_rate)))
            losses.count(microphone)
    except DeviceLostError:
        ear.end()
        raise
    ear.end()


def _wait_for(name: str | None, deadline_s: float | None) -> Microphone | None:
    while not _is_over(deadline_s):
        try:
            microphone = Microphone(name, refresh=True)
            microphone.open()
        except DeviceError:
            time.sleep(RETRY_S)
        else:
            return microphone
    return None


def _is_over(deadline_s: float | None) -> bool:
    return deadline_s is not None and time.monotonic() >= deadline_s
