"""Samples to features for many streams at once: framing, mel energies, compression.

The one front end of the project: training, evaluation, command line and service call
``Frontend.process``. State goes in and comes out; the object itself never changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import AudioError
from wakeword.frontend.config import FrontendConfig
from wakeword.frontend.mel import dct_matrix, mel_filters
from wakeword.frontend.pcen import compress, smooth

Features = NDArray[np.float32]
"""(streams, frames, channels) float32."""

MAX_PEAK = 1000.0
"""60 dB above full scale: beyond it is another scale, far beyond it energies overflow."""

_BLOCK_FRAMES = 128
_ONE_THREAD_PRODUCT = 2**18
"""Multiplications up to which OpenBLAS stays in the calling thread. Beyond, its threads wait for
each other by spinning: on a busy machine that took twenty times the CPU time."""


@dataclass(frozen=True)
class FrontendState:
    """What the front end carries between two calls, for ``streams`` streams.

    tail (streams, samples): samples that belong to frames not yet complete.
    smoothed (streams, n_mels): PCEN's M after the last frame; NaN before the first.
    """

    tail: NDArray[np.float32]
    smoothed: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.tail)

    @staticmethod
    def stack(states: Sequence[FrontendState]) -> FrontendState:
        """One state of many; all must have the same tail length."""
        return FrontendState(
            np.concatenate([s.tail for s in states]), np.concatenate([s.smoothed for s in states])
        )

    def split(self) -> list[FrontendState]:
        """The inverse of :meth:`stack`: one state per stream."""
        return [
            FrontendState(self.tail[i : i + 1], self.smoothed[i : i + 1]) for i in range(len(self))
        ]


class Frontend:
    """Turns samples into features as ``config`` says.

    Frame ``k`` covers samples ``[k hop, k hop + window)`` of the stream: nothing is padded,
    so the first frame is as real as all others, and features do not depend on chunking.
    """

    def __init__(self, config: FrontendConfig) -> None:
        self.config = config
        self._filters = mel_filters(config)
        n = np.arange(config.window_samples)
        self._window = (0.5 - 0.5 * np.cos(2.0 * np.pi * n / config.window_samples)).astype(
            np.float32
        )
        self._dct = dct_matrix(config.n_mels, config.n_mfcc)
        self._has_pcen = config.kind in ("pcen", "pcen+logmel")

    def initial_state(self, streams: int = 1) -> FrontendState:
        """The state of ``streams`` new streams: nothing heard, PCEN not yet adapted."""
        return FrontendState(
            np.zeros((streams, 0), np.float32),
            np.full((streams, self.config.n_mels), np.nan, np.float32),
        )

    def silence(self) -> NDArray[np.float32]:
        """Features (channels,) of digital silence: what a window holds before the stream began."""
        zero = np.zeros((1, 1, self.config.n_mels), np.float32)
        return np.asarray(self.compress(zero, zero)[0, 0])

    def process(
        self, samples: NDArray[np.float32], state: FrontendState
    ) -> tuple[Features, FrontendState]:
        """Compute the features of all frames that ``samples`` complete.

        Parameters
        ----------
        samples (streams, n) float32 in [-1, 1], any n including 0.
        state
            What the previous call returned, or :meth:`initial_state`.

        Returns
        -------
        features (streams, frames, channels), state

        Raises
        ------
        AudioError
            Wrong shape or type; a NaN, an infinite sample, or one above ``MAX_PEAK``.
        """
        if samples.ndim != 2 or samples.dtype != np.float32 or len(samples) != len(state):
            raise AudioError(
                f"samples must be float32 of shape ({len(state)}, n), "
                f"not {samples.dtype} of shape {samples.shape}"
            )
        peak = max(samples.max(initial=0.0), -samples.min(initial=0.0))
        if not peak <= MAX_PEAK:  # also where it is NaN
            raise AudioError(
                f"samples reach {peak:g}, but full scale is 1 and they must be finite and at most "
                f"{MAX_PEAK:g}"
            )
        buffered = np.concatenate([state.tail, samples], axis=1)
        energies = self._mel_energies(buffered)
        frames = energies.shape[1]
        smoothed = self.smooth(energies, state.smoothed)
        last = smoothed[:, -1] if frames else state.smoothed
        tail = buffered[:, frames * self.config.hop_samples :]
        return self.compress(energies, smoothed), FrontendState(tail.copy(), last.copy())

    def power(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Power spectra (streams, frames, fft_size // 2 + 1) of all whole frames in ``samples``."""
        c = self.config
        frames = c.frames_after(samples.shape[1])
        if frames == 0:
            return np.zeros((len(samples), 0, c.fft_size // 2 + 1), np.float32)
        row, one = samples.strides
        framed = np.lib.stride_tricks.as_strided(
            samples, (len(samples), frames, c.window_samples), (row, one * c.hop_samples, one),
            writeable=False,
        )  # fmt: skip
        # Padded here, because rfft pads frame by frame, which takes half as long as the transform.
        padded = np.zeros((len(samples), frames, c.fft_size), np.float32)
        np.multiply(framed, self._window, out=padded[:, :, : c.window_samples])
        spectra = np.fft.rfft(padded)
        return np.asarray(spectra.real**2 + spectra.imag**2, np.float32)

    def _mel_energies(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """``energies(power(samples))``, some frames at a time so that spectra stay in the cache."""
        c = self.config
        frames = c.frames_after(samples.shape[1])
        out = np.empty((len(samples), frames, c.n_mels), np.float32)
        streams_at_once = max(1, _BLOCK_FRAMES // max(1, frames))
        for top in range(0, len(samples), streams_at_once):
            rows = slice(top, top + streams_at_once)
            for first in range(0, frames, _BLOCK_FRAMES):
                last = min(first + _BLOCK_FRAMES, frames)
                end = (last - 1) * c.hop_samples + c.window_samples
                piece = samples[rows, first * c.hop_samples : end]
                out[rows, first:last] = self.energies(self.power(piece))
        return out

    def energies(
        self, power: NDArray[np.float32], filters: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Mel energies (streams, frames, n_mels); ``filters`` replaces the bank (warped ones)."""
        bank = self._filters if filters is None else filters
        flat = power.reshape(-1, power.shape[-1])
        out = np.empty((len(flat), bank.shape[1]), np.float32)
        rows = max(1, _ONE_THREAD_PRODUCT // bank.size)
        for first in range(0, len(flat), rows):
            np.matmul(flat[first : first + rows], bank, out=out[first : first + rows])
        return out.reshape(*power.shape[:-1], bank.shape[1])

    def smooth(
        self, energies: NDArray[np.float32], last: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """PCEN's smoothed energies, or the energies themselves where the kind needs none."""
        return smooth(energies, self.config.pcen.s, last) if self._has_pcen else energies

    def compress(self, energies: NDArray[np.float32], smoothed: NDArray[np.float32]) -> Features:
        """Energies to features, by the configured kind."""
        kind = self.config.kind
        if kind == "pcen":
            return compress(energies, smoothed, self.config.pcen)
        log_mel: Features = np.log(energies + np.float32(self.config.log_floor))
        if kind == "pcen+logmel":
            return np.concatenate(
                [compress(energies, smoothed, self.config.pcen), log_mel], axis=-1
            )
        return log_mel if kind == "logmel" else log_mel @ self._dct
