"""Calls into an audio system that may never return.

On Linux, PortAudio reaches PulseAudio or PipeWire through ALSA plugins that can wait for ever
when the server stops or ends at the wrong moment. Such calls run in threads of their own, so
that listening can report it, go on, and be ended with Ctrl-C. Elsewhere calls are made
directly: Windows ties audio objects to the thread that made them.
"""

from __future__ import annotations

import atexit
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from wakeword.errors import DeviceError

T = TypeVar("T")


class Patience:
    """Makes calls of one kind, each for a limited time, and remembers those that hang.

    Parameters
    ----------
    doing
        What the calls do, for messages.
    limit_s
        How long to wait for one.
    alone
        Refuse a call while an earlier one hangs.
    """

    def __init__(self, doing: str, limit_s: float, *, alone: bool) -> None:
        self._doing = doing
        self._limit_s = limit_s
        self._alone = alone
        self._hanging: list[Future[Any]] = []

    @property
    def hangs(self) -> bool:
        """Whether a call still hangs."""
        self._hanging = [future for future in self._hanging if not future.done()]
        return bool(self._hanging)

    def call(self, action: Callable[[], T], late: Callable[[T], None] | None = None) -> T:
        """Return ``action()``.

        Parameters
        ----------
        late
            Undoes what ``action`` did, where it ends after all when nobody waits any more.

        Raises
        ------
        DeviceError
            It takes too long, or an earlier one does. Other errors are those of ``action``.
        """
        if sys.platform != "linux":
            return action()
        if self._alone and self.hangs:
            raise DeviceError(f"the audio system hangs: an earlier try at {self._doing}")
        future: Future[T] = Future()
        abandoned = threading.Event()
        arguments = (future, action, late, abandoned)
        threading.Thread(target=_fulfil, args=arguments, daemon=True).start()
        try:
            return future.result(self._limit_s)
        except TimeoutError as error:
            raise DeviceError(
                f"the audio system hangs: {self._doing} takes more than {self._limit_s:g} s"
            ) from error
        finally:
            if not future.done():
                abandoned.set()
                self._hanging.append(future)
                _leave_portaudio_running()


def _fulfil(
    future: Future[T],
    action: Callable[[], T],
    late: Callable[[T], None] | None,
    abandoned: threading.Event,
) -> None:
    try:
        result = action()
        if late is not None and abandoned.is_set():
            late(result)
        future.set_result(result)
    except BaseException as error:
        future.set_exception(error)


def _leave_portaudio_running() -> None:
    """Keep sounddevice from ending PortAudio when Python ends: that would hang as well."""
    sounddevice = sys.modules.get("sounddevice")
    if sounddevice is not None:
        atexit.unregister(sounddevice._exit_handler)


OPENING = Patience("opening a microphone", 5.0, alone=True)
CLOSING = Patience("closing a microphone", 3.0, alone=False)
