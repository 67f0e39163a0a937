"""Clips of words in noise, in babble, on the line, in rooms: what a bundle is measured on.

What is mixed with a clip follows from the seed and the clip's own name: it is the same at every
SNR and distance, and does not depend on what else is in the manifest.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wakeword.audio.files import read_audio
from wakeword.data.manifest import Recording
from wakeword.data.mixing import babble, fit, mix_at_snr, rms
from wakeword.data.rooms import simulate_distances
from wakeword.data.telephone import through_a_telephone
from wakeword.errors import EvaluationError
from wakeword.evaluation.conditions import Condition, Kind

if TYPE_CHECKING:
    from wakeword.training.trials import TrialConfig

Samples = NDArray[np.float32]
_KEPT_RECORDINGS = 512
_NOISE_TRIES = 20


class Mixer:
    """Puts clips under conditions.

    Parameters
    ----------
    noise, talk
        Recordings of noise, and of running speech for babble.
    """

    def __init__(
        self,
        noise: Sequence[Recording],
        talk: Sequence[Recording],
        config: TrialConfig,
        sample_rate: int,
    ) -> None:
        self.sample_rate = sample_rate
        self._noise, self._talk, self._config = noise, talk, config
        self._rooms: Mapping[float, Sequence[Samples]] = {}
        self._read = lru_cache(_KEPT_RECORDINGS)(partial(_read_pcm, rate=sample_rate))

    @property
    def distances_m(self) -> tuple[float, ...]:
        """At which clips can be heard, ascending."""
        return tuple(self._rooms)

    def lacks(self, kind: Kind) -> str | None:
        """What is missing to mix clips with noise or babble; None where nothing is."""
        if kind == "noise" and not self._noise:
            named = ", ".join(sorted(self._config.noise_corpora)) or "none are named"
            return f"the usable recordings hold nothing of the noise corpora ({named})"
        if kind == "babble" and len(self._talk) < self._config.talkers:
            return (
                f"babble of {self._config.talkers} talkers needs as many recordings of running "
                f"speech without the words; there are {len(self._talk)}"
            )
        return None

    def simulate_rooms(
        self, distances_m: Iterable[float], progress: Callable[[float], None] | None = None
    ) -> None:
        """Make the rooms in which clips are heard at these distances."""
        distances = sorted(set(distances_m))
        for distance_m in distances:
            Condition("clean", distance_m=distance_m)  # refuses what cannot be
        count, seed = self._config.rooms, self._config.seed
        found = simulate_distances(distances, count, seed, self.sample_rate, progress)
        self._rooms = dict(zip(distances, zip(*found, strict=True), strict=True))

    def check(self, condition: Condition) -> None:
        """Raise an EvaluationError where noise, speech or a room is missing for this."""
        lack = self.lacks(condition.kind)
        if lack is not None:
            raise EvaluationError(lack)
        if condition.distance_m is not None and condition.distance_m not in self._rooms:
            raise EvaluationError(f"no rooms were simulated for {condition.distance_m:g} m")

    def offset_s(self, condition: Condition) -> float:
        """Seconds of noise alone, or of the line's, before the clip begins."""
        return 0.0 if condition.kind == "clean" else self._config.context_s

    def seconds(self, recording: Recording, name: str, condition: Condition) -> float:
        """Length of :meth:`mix`."""
        tail = 0.0
        if condition.distance_m is not None:
            tail = len(self._room(name, condition.distance_m)) / self.sample_rate
        return recording.seconds + tail + 2.0 * self.offset_s(condition)

    def mix(self, recording: Recording, name: str, condition: Condition) -> tuple[Samples]:
        """The clip under a condition, as the one block of a stream.

        SNR is that at the microphone: a room changes no level.
        """
        speech = self._speech(recording, name, condition)
        if condition.kind == "clean":
            return (speech,)
        if condition.kind == "telephone":
            line = self._rng(name, condition.kind)
            return (through_a_telephone(speech, self.sample_rate, line),)
        _, sound = self._draw(len(speech), name, condition.kind)
        mixed = mix_at_snr(speech, sound, condition.snr_db, self.sample_rate)
        # A loud clip in louder noise would clip: no microphone is set like that.
        return (mixed / np.float32(max(1.0, float(np.abs(mixed).max(initial=0.0)))),)

    def mixed_in(
        self, recording: Recording, name: str, condition: Condition
    ) -> tuple[Recording, ...]:
        """Which recordings :meth:`mix` mixes with the clip; none where it needs none."""
        if condition.kind in ("clean", "telephone"):
            return ()
        length = len(self._speech(recording, name, condition))
        return tuple(self._draw(length, name, condition.kind)[0])

    def _speech(self, recording: Recording, name: str, condition: Condition) -> Samples:
        """The clip in its room, and room for some noise before and after it."""
        speech = read_audio(recording.path, self.sample_rate)
        if condition.distance_m is not None:
            speech = self._from_afar(speech, name, condition.distance_m)
        return np.pad(speech, round(self.offset_s(condition) * self.sample_rate))

    def _draw(self, length: int, name: str, kind: Kind) -> tuple[Sequence[Recording], Samples]:
        """What a clip is mixed with: the recordings, and samples (length,) made of them."""
        rng = self._rng(name, kind)
        return (self._draw_noise if kind == "noise" else self._draw_babble)(length, rng)

    def _from_afar(self, speech: Samples, name: str, distance_m: float) -> Samples:
        """The clip in one of the rooms, with its decay; times stay where they are."""
        from wakeword.data.voices import colour

        room = self._room(name, distance_m)
        return colour(np.pad(speech, (0, len(room))), self.sample_rate, room)

    def _room(self, name: str, distance_m: float) -> Samples:
        rooms = self._rooms[distance_m]
        return rooms[int(self._rng(name, "room").integers(len(rooms)))]

    def _rng(self, name: str, purpose: str) -> np.random.Generator:
        words = (self._config.seed, zlib.crc32(name.encode()), zlib.crc32(purpose.encode()))
        return np.random.default_rng(words)

    def _draw_noise(
        self, length: int, rng: np.random.Generator
    ) -> tuple[Sequence[Recording], Samples]:
        """A random stretch of a random noise, again where it is digital silence."""
        for _ in range(_NOISE_TRIES):
            recording = self._noise[int(rng.integers(len(self._noise)))]
            piece = fit(self._read_float(recording), length, rng)
            if rms(piece) > 0.0:
                return [recording], piece
        raise EvaluationError("the noise recordings are digital silence")

    def _draw_babble(
        self, length: int, rng: np.random.Generator
    ) -> tuple[Sequence[Recording], Samples]:
        chosen = rng.choice(len(self._talk), self._config.talkers, replace=False)
        talkers = [self._talk[int(i)] for i in chosen]
        voices = [self._read_float(r) for r in talkers]
        return talkers, babble(voices, length, self.sample_rate, rng)

    def _read_float(self, recording: Recording) -> Samples:
        return self._read(recording).astype(np.float32) / np.float32(32_768.0)


def _read_pcm(recording: Recording, rate: int) -> NDArray[np.int16]:
    """Samples (n,) at half the memory of float32."""
    audio = read_audio(recording.path, rate)
    pcm: NDArray[np.int16] = np.clip(np.rint(audio * 32_768.0), -32_768, 32_767).astype(np.int16)
    return pcm
