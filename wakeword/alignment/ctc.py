"""Words found from their letters, and every way of alignment by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from wakeword.alignment.lattice import best_path, log_likelihood
from wakeword.alignment.model import SHIPPED, LetterModel, load_letter_model
from wakeword.alignment.sequential import align_characters, smooth_over_time
from wakeword.audio.resample import resample
from wakeword.data.align import (
    DEFAULT_ALIGN,
    Aligner,
    WordTimes,
    align_by_energy,
    edge_bar_db,
    floor_and_peak_db,
    level_db,
)
from wakeword.errors import ConfigError

ByLetters = Literal["ctc-sequential", "ctc-path"]
Method = Literal["energy", ByLetters]
METHODS: tuple[Method, ...] = get_args(Method)
LEAST_LOG_LIKELIHOOD = -8.0
"""Natural logarithm for each character, below which nothing like the text is said. Recordings of
the text are seldom below -4; those of another word often are not either: this refuses silence and
noise, it does not tell words apart."""

_TINY = 1e-8
_UNHEARD = 1e-3
"""What is left of a letter's posterior where there is no sound: not 0, so that a text always fits
if it is short enough."""


@dataclass(frozen=True)
class CtcAligner:
    """Finds words by the letters that a network reads: an :class:`Aligner`.

    ``ctc-sequential`` is Algorithm 1 of the paper on the letters of the word alone, wherever in
    the recording they are; ``ctc-path`` takes the best path through the whole transcript.
    """

    model: LetterModel
    method: ByLetters

    def __call__(
        self, samples: NDArray[np.float32], sample_rate: int, word: str, transcript: str
    ) -> WordTimes | None:
        """Where ``word`` is in samples (n,) of ``transcript``.

        Returns
        -------
        times
            None where the transcript cannot be what is said, or cannot be spelt.

        Raises
        ------
        ConfigError
            The word cannot be spelt with the network's letters, or is not in the transcript.
        """
        metadata = self.model.metadata
        first, last = find_word(metadata.plain(word), metadata.plain(transcript))
        rate = metadata.frontend.sample_rate
        samples = resample(samples, sample_rate, rate)
        posteriors = self._posteriors(samples)
        letters = metadata.spell(word)
        labels = letters if word == transcript else metadata.spell_or_none(transcript)
        if len(posteriors) == 0 or labels is None:
            return None
        logs = np.log(np.maximum(posteriors.astype(np.float64), _TINY))
        likelihood = log_likelihood(logs, labels) / len(labels)
        if not likelihood >= LEAST_LOG_LIKELIHOOD:
            return None
        if self.method == "ctc-path":
            path = best_path(logs, labels)
            if path is None:
                return None
            steps, padding = (path[first, 0], path[last, 1]), metadata.placing.path_padding_s
        else:
            steps = self._sequential(posteriors, letters)
            padding = metadata.placing.padding_s
        return self._times(samples, (int(steps[0]), int(steps[1])), padding, likelihood)

    def _posteriors(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Posteriors (T, labels), with no letter where there is no sound.

        PCEN makes a room's hiss as loud as speech, and hiss looks like the letters of fricatives.
        """
        posteriors = self.model.posteriors(samples)
        if len(posteriors) == 0 or not self.model.metadata.placing.sound_only:
            return posteriors
        level = level_db(samples, self.model.metadata.frontend.sample_rate)
        middle_s = self.model.first_s + self.model.step_s * np.arange(len(posteriors))
        frames = np.rint(middle_s / DEFAULT_ALIGN.hop_s).astype(int)[:, None] + (-1, 0, 1)
        heard = level[frames.clip(0, len(level) - 1)].max(axis=1) >= edge_bar_db(level)
        letters = np.where(heard[:, None], posteriors[:, 1:], posteriors[:, 1:] * _UNHEARD)
        blank = 1.0 - letters.sum(axis=1, keepdims=True)
        return np.concatenate([blank, letters], axis=1).astype(np.float32)

    def _sequential(self, posteriors: NDArray[np.float32], labels: list[int]) -> tuple[int, int]:
        """Algorithm 1; a space is no character: words need not be said apart."""
        placing, letters = self.model.metadata.placing, self.model.metadata.letters
        spoken = [label for label in labels if letters[label - 1] != " "]
        smooth = smooth_over_time(posteriors, placing.smoothing_steps)
        return align_characters(smooth[:, spoken].T, placing.decay).span

    def _times(
        self,
        samples: NDArray[np.float32],
        steps: tuple[int, int],
        padding_s: tuple[float, float],
        likelihood: float,
    ) -> WordTimes:
        """Time steps to seconds inside the recording."""
        rate = self.model.metadata.frontend.sample_rate
        start, end = (self.model.first_s + step * self.model.step_s for step in steps)
        floor, peak = floor_and_peak_db(level_db(samples, rate))
        return WordTimes(
            max(0.0, start - padding_s[0]),
            min(len(samples) / rate, end + padding_s[1]),
            peak - floor,
            likelihood,
        )


def find_word(word: str, transcript: str) -> tuple[int, int]:
    """Index of the first and last character of ``word`` in ``transcript``, as whole words.

    Raises
    ------
    ConfigError
        It is not there.
    """
    found = re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", transcript) if word else None
    if found is None:
        raise ConfigError(f"the transcript '{transcript}' does not hold '{word}'")
    return found.start(), found.end() - 1


def make_aligner(method: Method, folder: Path | None = None) -> Aligner:
    """The aligner of a name; ``folder`` holds the network, by default the one that is shipped.

    Raises
    ------
    BundleError
        The network cannot be read.
    """
    if method == "energy":
        return align_by_energy
    return CtcAligner(load_letter_model(folder or SHIPPED), method)
