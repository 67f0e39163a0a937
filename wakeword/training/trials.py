"""From a manifest to what a bundle is measured on: clips in noise, negatives, the truth of both.

A recording may be used if it is of the split that is measured, or of a corpus that the bundle
was not trained on: then all its splits are unheard.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wakeword.audio.files import read_audio, read_blocks
from wakeword.audio.resample import MODEL_RATE
from wakeword.data.manifest import Manifest, Recording
from wakeword.data.mixing import babble, fit, mix_at_snr, rms
from wakeword.errors import ConfigError, EvaluationError
from wakeword.evaluation.events import Label, Truth
from wakeword.evaluation.scoring import Clip
from wakeword.runtime import Bundle

Samples = NDArray[np.float32]
Kind = Literal["clean", "noise", "babble"]
_KEPT_RECORDINGS = 512
_NOISE_TRIES = 20
_SHORTEST_TALK_S = 2.0


@dataclass(frozen=True)
class Condition:
    """What clips are mixed with, and how loud; ``clean`` is as recorded."""

    kind: Kind
    snr_db: float = math.inf

    def __post_init__(self) -> None:
        clean = self.kind == "clean"
        if clean != math.isinf(self.snr_db) or not (clean or -40.0 <= self.snr_db <= 80.0):
            raise ConfigError(f"{self.kind} at {self.snr_db} dB SNR; it must be from -40 to 80 dB")

    @property
    def name(self) -> str:
        """As reports and operating points call it."""
        return "clean" if self.kind == "clean" else f"{self.kind} at {self.snr_db:g} dB SNR"


@dataclass(frozen=True)
class TrialConfig:
    """How trials are made.

    noise_corpora
        Which corpora of the manifest are noise: alarms are counted in them, and clips mixed
        with them.
    context_s
        Noise or babble alone before and after each mixed clip, so that PCEN is adapted to it.
    talkers
        Voices in the babble, each another recording of running speech.
    """

    noise_corpora: frozenset[str]
    split: str = "dev"
    seed: int = 1
    context_s: float = 1.0
    talkers: int = 6


class Trials:
    """The recordings of a manifest on which a bundle can be measured honestly.

    Parameters
    ----------
    words
        Those of the bundle.
    trained_on
        Corpora that it was trained on.
    sample_rate
        In which it hears: recordings are read at this rate.

    Raises
    ------
    EvaluationError
        The manifest has no recording that may be used.
    """

    def __init__(
        self,
        manifest: Manifest,
        words: Sequence[str],
        trained_on: Collection[str],
        config: TrialConfig,
        sample_rate: int = MODEL_RATE,
    ) -> None:
        self.words = tuple(words)
        self.config = config
        self.sample_rate = sample_rate
        self._root = manifest.path.parent
        self.recordings = manifest.where(
            lambda r: r.split == config.split or r.corpus not in trained_on
        )
        if not self.recordings:
            raise EvaluationError(
                f"{manifest.path} has no recording of the split '{config.split}', "
                "nor of a corpus that the bundle was not trained on"
            )
        self._noise = [r for r in self.recordings if r.corpus in config.noise_corpora]
        self._talk = [r for r in self.recordings if self._is_talk(r)]
        self._read = lru_cache(_KEPT_RECORDINGS)(partial(_read_pcm, rate=sample_rate))

    @classmethod
    def of_bundle(cls, bundle: Bundle, manifest: Manifest, config: TrialConfig) -> Trials:
        """What ``bundle`` can be measured on: its words, its rate, and nothing it has heard."""
        metadata = bundle.metadata
        trained_on = {source.corpus for source in metadata.training.data}
        return cls(manifest, bundle.words, trained_on, config, metadata.frontend.sample_rate)

    @property
    def clips_of(self) -> dict[str, int]:
        """Number of clips of each word."""
        return {word: sum(r.text == word for r in self.recordings) for word in self.words}

    @property
    def seconds(self) -> float:
        """Length of :meth:`recorded`."""
        return sum(r.seconds for r in self.recordings)

    @property
    def mixed_seconds(self) -> float:
        """Length of :meth:`mixed` under any one condition."""
        clips = [r for r in self.recordings if r.text in self.words]
        return sum(r.seconds + 2.0 * self.config.context_s for r in clips)

    def left_out(self) -> list[Recording]:
        """Recordings in which no alarm of some word can be called false: see :meth:`label`."""
        return [r for r in self.recordings if self.label(r).unsure]

    def lacks(self, kind: Kind) -> str | None:
        """What is missing to mix clips with noise or babble; None where nothing is."""
        if kind == "noise" and not self._noise:
            named = ", ".join(sorted(self.config.noise_corpora)) or "none are named"
            return f"the usable recordings hold nothing of the noise corpora ({named})"
        if kind == "babble" and len(self._talk) < self.config.talkers:
            return (
                f"babble of {self.config.talkers} talkers needs as many recordings of running "
                f"speech without the words; there are {len(self._talk)}"
            )
        return None

    def conditions(
        self, snrs_db: Iterable[float], kinds: Iterable[Kind] = ("noise", "babble")
    ) -> list[Condition]:
        """Clean, then each kind from faint to loud, as far as the recordings allow."""
        snrs = sorted(set(snrs_db), reverse=True)
        possible = [kind for kind in kinds if self.lacks(kind) is None]
        return [Condition("clean"), *(Condition(kind, snr) for kind in possible for snr in snrs)]

    def recorded(self) -> Iterable[Clip]:
        """Every usable recording as it is: the negatives, and the clean clips among them."""
        for recording in self.recordings:
            read = partial(read_blocks, recording.path, self.sample_rate)
            yield Clip(self.label(recording), read)

    def mixed(self, condition: Condition) -> Iterable[Clip]:
        """Every clip of a word in noise or babble, with some of it before and after.

        Which noise a clip gets follows from the seed and its own name: it is the same at
        every SNR, and does not depend on what else is in the manifest's order.

        Raises
        ------
        EvaluationError
            The manifest has no noise, or too little running speech for babble.
        """
        lack = self.lacks(condition.kind)
        if lack is not None:
            raise EvaluationError(lack)
        for recording in self.recordings:
            if recording.text in self.words:
                label = self.label(recording, self.config.context_s)
                yield Clip(label, partial(self._mix, recording, condition))

    def label(self, recording: Recording, offset_s: float = 0.0) -> Label:
        """What is known of a recording that begins ``offset_s`` into its stream.

        A recording whose text is exactly a word is a clip of it, anywhere inside where the
        manifest gives no times. Where a transcript merely holds a word, or there is no
        transcript, nobody knows whether an alarm there is false: such words are unsure.
        """
        unsure: set[str] = set()
        truths: tuple[Truth, ...] = ()
        if recording.text in self.words:
            start, end = recording.word_start_s, recording.word_end_s
            if math.isnan(start):
                start, end = 0.0, recording.seconds
            truths = (Truth(recording.text, offset_s + start, offset_s + end),)
        if recording.corpus not in self.config.noise_corpora:
            unsure = {
                w
                for w in self.words
                if w != recording.text and (recording.says(w) or not recording.text)
            }
        speaker = "" if recording.speaker == "unknown" else recording.speaker
        return Label(self._name(recording), recording.corpus, speaker, truths, frozenset(unsure))

    def _mix(self, recording: Recording, condition: Condition) -> tuple[Samples]:
        keys = (self._name(recording), condition.kind)
        rng = np.random.default_rng([self.config.seed, *(zlib.crc32(k.encode()) for k in keys)])
        rate = self.sample_rate
        context = round(self.config.context_s * rate)
        speech = np.pad(read_audio(recording.path, rate), context)
        draw = self._draw_noise if condition.kind == "noise" else self._draw_babble
        mixed = mix_at_snr(speech, draw(len(speech), rng), condition.snr_db, rate)
        # A loud clip in louder noise would clip: no microphone is set like that.
        return (mixed / np.float32(max(1.0, float(np.abs(mixed).max(initial=0.0)))),)

    def _draw_noise(self, length: int, rng: np.random.Generator) -> Samples:
        """A random stretch of a random noise, again where it is digital silence."""
        for _ in range(_NOISE_TRIES):
            noise = self._read_float(self._noise[int(rng.integers(len(self._noise)))])
            piece = fit(noise, length, rng)
            if rms(piece) > 0.0:
                return piece
        raise EvaluationError("the noise recordings are digital silence")

    def _draw_babble(self, length: int, rng: np.random.Generator) -> Samples:
        chosen = rng.choice(len(self._talk), self.config.talkers, replace=False)
        talkers = [self._read_float(self._talk[int(i)]) for i in chosen]
        return babble(talkers, length, self.sample_rate, rng)

    def _read_float(self, recording: Recording) -> Samples:
        return self._read(recording).astype(np.float32) / np.float32(32_768.0)

    def _is_talk(self, recording: Recording) -> bool:
        return (
            " " in recording.text
            and recording.seconds >= _SHORTEST_TALK_S
            and recording.corpus not in self.config.noise_corpora
            and not any(recording.says(w) for w in self.words)
        )

    def _name(self, recording: Recording) -> str:
        """Path as the manifest has it, so that it is the same on every machine."""
        inside = recording.path.is_relative_to(self._root)
        return (recording.path.relative_to(self._root) if inside else recording.path).as_posix()


def _read_pcm(recording: Recording, rate: int) -> NDArray[np.int16]:
    """Samples (n,) at half the memory of float32."""
    audio = read_audio(recording.path, rate)
    pcm: NDArray[np.int16] = np.clip(np.rint(audio * 32_768.0), -32_768, 32_767).astype(np.int16)
    return pcm
