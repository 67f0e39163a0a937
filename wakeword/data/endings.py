"""Running speech that ends: what comes before a pause sounds more like a word alone than the rest.

Readers pause rarely; people who speak near a microphone end a sentence every few seconds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from wakeword.data.align import level_db

Samples = NDArray[np.float32]

_HOP_S = 0.01
_PAUSE_S = 0.12
_BELOW_DB = 22.0
_SPEECH_S = 0.6
_FADE_S = 0.02


def until_a_pause(talk: Samples, rate: int, rng: np.random.Generator) -> Samples:
    """The beginning of (n,) samples of speech, up to one of its pauses, faded out.

    A pause is 0.12 s or more that stays 22 dB below the loudest; without one, the quietest
    moment counts. At least 0.6 s are kept, if there are as many.
    """
    level = level_db(talk, rate)
    first = round(_SPEECH_S / _HOP_S)
    if len(level) <= first + 2:
        return talk
    span = round(_PAUSE_S / _HOP_S)
    loudest_ahead = maximum_filter1d(level, span, origin=-((span - 1) // 2), mode="nearest")
    quiet = loudest_ahead < level.max() - _BELOW_DB
    begins = np.flatnonzero(quiet[1:] & ~quiet[:-1]) + 1
    begins = begins[begins >= first]
    if len(begins):
        at = int(begins[rng.integers(len(begins))])
    else:
        at = first + int(level[first:].argmin())
    kept = talk[: round((at * _HOP_S + _FADE_S) * rate)].copy()
    n = min(round(_FADE_S * rate), len(kept))
    kept[len(kept) - n :] *= np.linspace(1.0, 0.0, n, dtype=np.float32)
    return kept
