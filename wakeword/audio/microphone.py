"""Live capture: a callback that copies into a ring buffer, and a reader that notices silence."""

from __future__ import annotations

import time
from contextlib import suppress
from types import TracebackType
from typing import Any

import numpy as np

from wakeword.audio.devices import InputDevice, find_device, list_devices, portaudio
from wakeword.audio.patience import CLOSING, OPENING
from wakeword.audio.pcm import Samples
from wakeword.audio.ring import RingBuffer
from wakeword.errors import DeviceError, DeviceLostError

START_S = 5.0
"""A device may take this long to deliver its first samples."""

STALL_S = 2.0
"""A device that delivered and then keeps quiet for this long has vanished."""


class Microphone:
    """One input device at its native rate, one channel; captures between open and close.

    >>> with Microphone() as microphone:
    ...     while True:
    ...         samples = microphone.read(timeout_s=0.5)

    Parameters
    ----------
    device
        Number, name or part of a name; None is the default device.
    buffer_s
        Seconds that can wait unread; what comes on top is dropped and counted.
    refresh
        Look for devices that came after the program started; no other microphone may be open.

    Raises
    ------
    DeviceError
        No PortAudio, no such device, or it cannot be opened because it is busy.
    MissingExtraError
        sounddevice is not installed.
    """

    def __init__(
        self, device: str | int | None = None, *, buffer_s: float = 10.0, refresh: bool = False
    ) -> None:
        # Restarting PortAudio would wait for a stream that does not close; a new one may open.
        refresh = refresh and not CLOSING.hangs
        self.device: InputDevice = find_device(device, list_devices(refresh))
        self._sounddevice = portaudio()
        self.sample_rate = self.device.sample_rate
        self._ring = RingBuffer(max(1, round(buffer_s * self.sample_rate)))
        self._overflows = 0
        self._stream: Any = None
        self._heard = False
        self._last_samples_s = 0.0

    @property
    def dropped_samples(self) -> int:
        """Samples lost because :meth:`read` was not called often enough."""
        return self._ring.dropped_samples

    @property
    def overflows(self) -> int:
        """How often the device or its driver reported that it lost input of unknown length."""
        return self._overflows

    def open(self) -> None:
        """Begin to capture.

        Raises
        ------
        DeviceError
            The device does not open.
        """
        try:
            self._stream = OPENING.call(self._start, late=lambda stream: stream.close())
        except self._sounddevice.PortAudioError as error:
            raise DeviceError(
                f"microphone '{self.device.name}' cannot be opened; another program may be "
                f"using it ({error})"
            ) from error
        self._last_samples_s = time.monotonic()

    def __enter__(self) -> Microphone:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def read(self, timeout_s: float = 0.5, min_samples: int = 1) -> Samples:
        """Return what was captured since the last call, (n,) float32, waiting if need be.

        Parameters
        ----------
        timeout_s
            Wait at most this long for ``min_samples``; after it n may be less, also 0.

        Raises
        ------
        DeviceLostError
            The device has vanished: its stream ended, or nothing came for 2 s (5 s at first).
        """
        if self._stream is None:
            raise DeviceError("the microphone is closed")
        self._ring.wait(min_samples, timeout_s)
        samples: Samples = self._ring.read()
        now = time.monotonic()
        if len(samples):
            self._heard, self._last_samples_s = True, now
        elif not self._is_active():
            raise DeviceLostError(f"microphone '{self.device.name}' has vanished: its stream ended")
        elif now - self._last_samples_s > (STALL_S if self._heard else START_S):
            raise DeviceLostError(
                f"microphone '{self.device.name}' delivers nothing: no samples for "
                f"{now - self._last_samples_s:.1f} s"
            )
        return samples

    def close(self) -> None:
        """Stop capturing; calling it again does nothing."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        # Both may fail on a device that has vanished, where nothing is left to end. A stream
        # whose end hangs stays as it is: it might come to it while another one is opened.
        with suppress(DeviceError):
            for end in (stream.abort, stream.close):
                with suppress(self._sounddevice.PortAudioError):
                    CLOSING.call(end)

    def _start(self) -> Any:
        stream = self._sounddevice.InputStream(
            samplerate=self.sample_rate,
            device=self.device.index,
            channels=1,
            dtype="float32",
            callback=self._copy,
        )
        try:
            stream.start()
        except self._sounddevice.PortAudioError:
            stream.close()
            raise
        return stream

    def _is_active(self) -> bool:
        try:
            return bool(self._stream.active)
        except self._sounddevice.PortAudioError:
            return False

    def _copy(self, samples: np.ndarray[Any, Any], _frames: int, _time: Any, status: Any) -> None:
        """PortAudio's callback, on its own thread: copy, count, nothing else."""
        self._ring.write(samples[:, 0])
        if status.input_overflow:
            self._overflows += 1
