"""Streaming sample-rate conversion: any declared rate to the one that models hear."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING

import numpy as np

from wakeword.audio.pcm import Samples
from wakeword.errors import AudioError, MissingExtraError, SampleRateError

if TYPE_CHECKING:
    import soxr

MODEL_RATE = 16_000
"""Samples per second of everything behind the resampler."""

MIN_RATE, MAX_RATE = 4_000, 384_000


def check_rate(rate: object, what: str = "sample rate") -> int:
    """Return ``rate`` if it is a whole number of Hz between 4000 and 384000.

    Raises
    ------
    SampleRateError
        It is missing, not a whole number, or outside the limits.
    """
    if rate is None:
        raise SampleRateError(f"the {what} is missing: it must be declared, it is never guessed")
    if isinstance(rate, bool) or not isinstance(rate, int | np.integer):
        raise SampleRateError(f"the {what} must be a whole number of Hz, not {rate!r}")
    if not MIN_RATE <= rate <= MAX_RATE:
        given = reprlib.repr(int(rate))  # it may have thousands of digits
        raise SampleRateError(
            f"the {what} is {given} Hz, but it must be between {MIN_RATE} and {MAX_RATE} Hz"
        )
    return int(rate)


class Resampler:
    """Converts one stream from ``rate_in`` to ``rate_out``, in chunks of any size.

    Output sample ``k`` is the signal at ``k / rate_out`` seconds: nothing is shifted, and how
    the input was cut makes no difference to any bit. ``n`` input samples give
    ``round(n * rate_out / rate_in)`` output samples once the last chunk is in. Before that the
    output lags, because the filter (soxr, quality HQ, flat to 0.91 of the narrower band) must
    see what comes after a sample and works in blocks: at most 40 ms from 22.05 to 48 kHz, 80 ms
    from 96 kHz, 120 ms from 8 kHz, 240 ms from 4 kHz. :attr:`latency_samples` tells the present
    lag. Equal rates pass through at once and need no soxr.

    Parameters
    ----------
    rate_in
        Declared rate of the input, 4000 to 384000 Hz.
    rate_out
        Rate of the output in Hz.

    Raises
    ------
    SampleRateError
        A rate is missing or outside the limits.
    MissingExtraError
        The rates differ and soxr is not installed.
    """

    def __init__(self, rate_in: int, rate_out: int = MODEL_RATE) -> None:
        self.rate_in = check_rate(rate_in, "input sample rate")
        self.rate_out = check_rate(rate_out, "output sample rate")
        self._soxr = None if rate_in == rate_out else _soxr_stream(rate_in, rate_out)
        self._taken = 0
        self._given = 0
        self._finished = False

    @property
    def latency_samples(self) -> float:
        """Output samples that the input so far is worth but that are not out yet."""
        return self._taken * self.rate_out / self.rate_in - self._given

    def process(self, samples: Samples, last: bool = False) -> Samples:
        """Convert the next chunk.

        Parameters
        ----------
        samples (n,) float32 mono, any n including 0
        last
            This chunk ends the stream; what the filter still holds comes out as well.

        Returns
        -------
        resampled (m,) float32

        Raises
        ------
        AudioError
            Wrong shape or type, or the stream was already ended (:meth:`reset` starts anew).
        """
        if samples.ndim != 1 or samples.dtype != np.float32:
            raise AudioError(
                "the resampler takes mono float32 of shape (n,), "
                f"not {samples.dtype} of shape {samples.shape}"
            )
        if self._finished:
            raise AudioError(f"samples after the end of the stream (sample {self._taken})")
        self._finished = last
        out = samples if self._soxr is None else self._soxr.resample_chunk(samples, last=last)
        self._taken += len(samples)
        self._given += len(out)
        return out

    def reset(self) -> None:
        """Forget everything: exactly the state of a new resampler."""
        if self._soxr is not None:
            self._soxr.clear()
        self._taken = self._given = 0
        self._finished = False


def resample(samples: Samples, rate_in: int, rate_out: int = MODEL_RATE) -> Samples:
    """Convert a whole recording: a fresh :class:`Resampler` and one chunk."""
    return Resampler(rate_in, rate_out).process(samples, last=True)


def _soxr_stream(rate_in: int, rate_out: int) -> soxr.ResampleStream:
    try:
        import soxr
    except ImportError as error:
        raise MissingExtraError(
            "soxr", "cli", f"resampling from {rate_in} to {rate_out} Hz"
        ) from error
    return soxr.ResampleStream(rate_in, rate_out, 1, dtype="float32", quality="HQ")
