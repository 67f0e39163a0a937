"""Things about the audio of a stream that its owner should know, each said once while it lasts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wakeword.protocol import WarningCode, WarningMessage

CLIPPED = 0.999
"""Of full scale: samples at or above it were cut off by the microphone's converter."""

BLOCK_S = 0.5
"""Audio that is judged as one."""

CLIPPED_SHARE = 0.002
"""Of the samples of a block. Speech that peaks once at full scale is not worth a warning."""

CLEAN_S = 10.0
"""After so much audio without it, clipping is said again when it comes back."""

SILENT = 10 ** (-70 / 20)
"""Of full scale. A muted microphone dithers at -90 dB, a quiet room is above -60 dB."""

PACE_S = 10.0
"""The pace of audio is measured over so much time."""

PACE_TOLERANCE = 0.1
"""Clocks of sound cards differ by 0.1 %, messages arrive unevenly; beyond 10 % it is no stream
of a microphone, or a network that cannot carry it."""

BURST_S = 20.0
"""So far ahead of the clock is faster than real time, however short the stream. A client that
connects again sends up to 15 s at once, and that is right."""


class LevelWatch:
    """Clipping, and silence only; judged block by block, however the audio is cut.

    Parameters
    ----------
    sample_rate
        Of the samples, in Hz.
    silence_s
        Silence for so long is worth a warning.
    """

    def __init__(self, sample_rate: int, silence_s: float) -> None:
        self._block = max(1, round(BLOCK_S * sample_rate))
        self._silence_s = silence_s
        self._samples = self._clipped = 0
        self._peak = 0.0
        self._clean_s = CLEAN_S
        self._silent_s = 0.0

    def look(self, samples: NDArray[Any], peak: float | None = None) -> list[WarningMessage]:
        """Look at the next samples (n,) or (n, channels), int16 or float, and say what is new.

        Parameters
        ----------
        peak
            Of all of them, full scale 1, where it is known.
        """
        found: list[WarningMessage] = []
        while len(samples):
            room = self._block - self._samples
            if peak is not None and peak < CLIPPED and len(samples) <= room:
                self._peak = max(self._peak, peak)
                self._samples += len(samples)
            else:
                self._measure(samples[:room])
            samples = samples[room:]
            if self._samples == self._block:
                found += self._clipping() + self._silence()
                self._samples = self._clipped = 0
                self._peak = 0.0
        return found

    def _measure(self, piece: NDArray[Any]) -> None:
        full = 2.0**15 if piece.dtype.kind == "i" else 1.0
        peak = max(float(piece.max()), -float(piece.min())) / full
        if peak >= CLIPPED:
            loud = (piece >= CLIPPED * full) | (piece <= -CLIPPED * full)
            self._clipped += int(np.count_nonzero(loud)) // (piece.size // len(piece))
        self._peak = max(self._peak, peak)
        self._samples += len(piece)

    def _clipping(self) -> list[WarningMessage]:
        share = self._clipped / self._block
        if share < CLIPPED_SHARE:
            self._clean_s += BLOCK_S
            return []
        new, self._clean_s = self._clean_s >= CLEAN_S, 0.0
        return [_clipping(share)] if new else []

    def _silence(self) -> list[WarningMessage]:
        before, self._silent_s = self._silent_s, self._silent_s + BLOCK_S
        if self._peak > SILENT:
            self._silent_s = 0.0
        return [_silence(self._silent_s)] if before < self._silence_s <= self._silent_s else []


class PaceWatch:
    """Audio that comes faster or slower than the clock."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._start_s = self._since_s = 0.0
        self._start = 0.0
        self._state: WarningCode | None = None

    def look(self, now: float, received_s: float, *, held_back: bool) -> list[WarningMessage]:
        """Judge the pace; call it about once a second.

        Parameters
        ----------
        now, received_s
            The clock, and the audio received so far, both in seconds.
        held_back
            We do not read the socket now: then the client is as fast as we let it.
        """
        if self._since is None:
            self._since = self._start = now
            self._since_s = self._start_s = received_s
            return []
        if received_s - self._start_s - (now - self._start) > BURST_S:
            return self._become(WarningCode.FASTER_THAN_REAL_TIME, now, received_s)
        if held_back:
            self._since, self._since_s = now, received_s
            return []
        if now - self._since < PACE_S:
            return []
        pace = (received_s - self._since_s) / (now - self._since)
        if pace < 1.0 - PACE_TOLERANCE:
            return self._become(WarningCode.SLOWER_THAN_REAL_TIME, now, received_s)
        if abs(pace - 1.0) < PACE_TOLERANCE / 2:
            self._state = None
            self._start, self._start_s = now, received_s
        self._since, self._since_s = now, received_s
        return []

    def _become(self, state: WarningCode, now: float, received_s: float) -> list[WarningMessage]:
        new, self._state = state is not self._state, state
        elapsed_s = max(now - self._start, 1e-3)
        pace = (received_s - self._start_s) / elapsed_s
        self._since = self._start = now
        self._since_s = self._start_s = received_s
        return [_pace(state, pace, elapsed_s)] if new else []


def _clipping(share: float) -> WarningMessage:
    return WarningMessage(
        code=WarningCode.CLIPPING,
        message=f"{100 * share:.1f} % of the samples are at full scale: turn the microphone down",
        values={"clipped_percent": round(100 * share, 2)},
    )


def _silence(silent_s: float) -> WarningMessage:
    return WarningMessage(
        code=WarningCode.SILENCE,
        message=f"nothing but silence for {silent_s:.0f} s: is the microphone muted?",
        values={"silent_s": round(silent_s, 1)},
    )


def _pace(code: WarningCode, pace: float, elapsed_s: float) -> WarningMessage:
    said = "faster" if code is WarningCode.FASTER_THAN_REAL_TIME else "slower"
    return WarningMessage(
        code=code,
        message=f"audio comes {said} than real time: {pace:.2f} s each second, for "
        f"{elapsed_s:.0f} s; if it is live, its sample rate was declared wrongly",
        values={"audio_s_per_s": round(pace, 3)},
    )
