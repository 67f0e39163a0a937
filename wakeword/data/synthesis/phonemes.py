"""How alike two pronunciations sound: a weighted edit distance over phonemes in IPA.

Replacing a phoneme costs what its features differ (place, voice and manner of consonants; height,
backness and rounding of vowels), so that "snow boy" and "snow toy" are nearer than "snow boy" and
"snow sky". The features are those of the IPA chart; their weights are ours, a ranking and no more.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Phonemes = NDArray[np.int8]
"""Phonemes (n,) of one pronunciation, as numbers of ``SYMBOLS``."""

# Height (1 close), backness (1 back), rounding, rhotic.
_VOWELS: dict[str, tuple[float, float, float, float]] = {
    "i": (1.0, 0.0, 0, 0), "ɪ": (0.85, 0.15, 0, 0), "ᵻ": (0.85, 0.4, 0, 0), "y": (1.0, 0.0, 1, 0),
    "e": (0.7, 0.05, 0, 0), "ɛ": (0.45, 0.1, 0, 0), "æ": (0.2, 0.15, 0, 0), "a": (0.0, 0.4, 0, 0),
    "ɑ": (0.0, 0.9, 0, 0), "ɒ": (0.05, 1.0, 1, 0), "ɔ": (0.45, 1.0, 1, 0), "o": (0.7, 1.0, 1, 0),
    "ʊ": (0.85, 0.85, 1, 0), "u": (1.0, 1.0, 1, 0), "ʌ": (0.4, 0.8, 0, 0), "ə": (0.5, 0.5, 0, 0),
    "ɐ": (0.45, 0.5, 0, 0), "ɜ": (0.5, 0.5, 0, 1), "ɚ": (0.5, 0.5, 0, 1),
}  # fmt: skip
_VOWEL_WEIGHTS = np.array([0.6, 0.5, 0.1, 0.2])

# Place (0 lips to 1 glottis), voiced, nasal, continuant, sonorant, strident, lateral.
_CONSONANTS: dict[str, tuple[float, float, float, float, float, float, float]] = {
    "p": (0.0, 0, 0, 0, 0, 0, 0), "b": (0.0, 1, 0, 0, 0, 0, 0), "m": (0.0, 1, 1, 0, 1, 0, 0),
    "f": (0.15, 0, 0, 1, 0, 0, 0), "v": (0.15, 1, 0, 1, 0, 0, 0), "w": (0.1, 1, 0, 1, 1, 0, 0),
    "θ": (0.35, 0, 0, 1, 0, 0, 0), "ð": (0.35, 1, 0, 1, 0, 0, 0), "t": (0.45, 0, 0, 0, 0, 0, 0),
    "d": (0.45, 1, 0, 0, 0, 0, 0), "ɾ": (0.45, 1, 0, 0, 0, 0, 0), "n": (0.45, 1, 1, 0, 1, 0, 0),
    "s": (0.45, 0, 0, 1, 0, 1, 0), "z": (0.45, 1, 0, 1, 0, 1, 0), "l": (0.45, 1, 0, 1, 1, 0, 1),
    "ɬ": (0.45, 0, 0, 1, 0, 0, 1), "ɹ": (0.55, 1, 0, 1, 1, 0, 0), "r": (0.5, 1, 0, 1, 1, 0, 0),
    "ʃ": (0.6, 0, 0, 1, 0, 1, 0), "ʒ": (0.6, 1, 0, 1, 0, 1, 0), "ç": (0.75, 0, 0, 1, 0, 0, 0),
    "j": (0.75, 1, 0, 1, 1, 0, 0), "k": (0.9, 0, 0, 0, 0, 0, 0), "ɡ": (0.9, 1, 0, 0, 0, 0, 0),
    "ŋ": (0.9, 1, 1, 0, 1, 0, 0), "x": (0.9, 0, 0, 1, 0, 0, 0), "h": (1.0, 0, 0, 1, 0, 0, 0),
    "ʔ": (1.0, 0, 0, 0, 0, 0, 0),
}  # fmt: skip
_CONSONANT_WEIGHTS = np.array([0.4, 0.2, 0.3, 0.3, 0.4, 0.2, 0.3])

_GLIDES = (("j", "i"), ("j", "ɪ"), ("w", "u"), ("w", "ʊ"), ("ɹ", "ɚ"), ("ɹ", "ɜ"))
_GLIDE_COST = 0.3
_SOFT, _SOFT_COST = "əɐᵻhʔjw", 0.4
"""Phonemes that come and go in quick speech cost less to leave out."""
_CONSONANT_COST, _VOWEL_COST = 0.6, 0.7

SYMBOLS = (*_VOWELS, *_CONSONANTS)
_NUMBER = {symbol: number for number, symbol in enumerate(SYMBOLS)} | {"g": SYMBOLS.index("ɡ")}
PADDING = -1


def parse_ipa(text: str) -> Phonemes:
    """Phonemes (n,) of a pronunciation in IPA; stress, length and what is not known are left out.

    Diphthongs and affricates are the two phonemes that they are written with.
    """
    known = (_NUMBER.get(c) for c in unicodedata.normalize("NFD", text))
    return np.array([number for number in known if number is not None], np.int8)


def pad(pronunciations: Sequence[Phonemes]) -> NDArray[np.int8]:
    """Pronunciations (count, longest), filled with ``PADDING`` on the right."""
    longest = max((len(p) for p in pronunciations), default=0)
    out = np.full((len(pronunciations), longest), PADDING, np.int8)
    for row, phonemes in zip(out, pronunciations, strict=True):
        row[: len(phonemes)] = phonemes
    return out


def distances(target: Phonemes, others: NDArray[np.int8]) -> NDArray[np.float64]:
    """How far each pronunciation is from ``target``: 0 the same, 1 nothing in common.

    Parameters
    ----------
    target (n,)
        One pronunciation, not empty.
    others (count, longest)
        Many, as :func:`pad` gives them.

    Returns
    -------
    distances (count,)
        Cost of the cheapest edit, over what the longer of the two costs to leave out; at most 1.
    """
    whole = np.maximum(GAP[target].sum(), _gaps(others).sum(1))
    return np.asarray(np.minimum(1.0, _edit(target, others)[0] / whole))


def costs_inside(target: Phonemes, others: NDArray[np.int8]) -> NDArray[np.float64]:
    """Cheapest edit (count,) of ``target`` into any stretch of each of ``others``.

    0 where a pronunciation holds the target: "computers" holds "computer".
    """
    return _edit(target, others)[1]


def _edit(
    target: Phonemes, others: NDArray[np.int8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edit costs (count,) into the whole of ``others``, and into their best stretch.

    Wagner and Fischer 1974 over all of ``others`` at once; where the target may begin anywhere
    (Sellers 1980) the first row of the table is 0.
    """
    gaps, known = _gaps(others), others != PADDING
    count, longest = others.shape
    first = np.concatenate([np.zeros((count, 1)), np.cumsum(gaps, 1)], 1)
    results = []
    for row in (first, np.zeros_like(first)):
        for phoneme in target:
            new = np.empty_like(row)
            new[:, 0] = row[:, 0] + GAP[phoneme]
            swap = np.where(known, SUBSTITUTION[phoneme][others], np.inf)
            for j in range(longest):
                cheapest = np.minimum(row[:, j] + swap[:, j], row[:, j + 1] + GAP[phoneme])
                new[:, j + 1] = np.minimum(cheapest, new[:, j] + gaps[:, j])
            row = new
        results.append(row)
    return results[0][:, -1], results[1].min(1)


def _gaps(others: NDArray[np.int8]) -> NDArray[np.float64]:
    """What each phoneme costs to leave out; padding costs nothing."""
    return np.where(others == PADDING, 0.0, GAP[others])


def _gap_costs() -> NDArray[np.float64]:
    costs = [
        _SOFT_COST if s in _SOFT else _VOWEL_COST if s in _VOWELS else _CONSONANT_COST
        for s in SYMBOLS
    ]
    return np.array(costs)


def _substitution_costs() -> NDArray[np.float64]:
    """Cost (symbols, symbols) of saying one phoneme for another: symmetric, 0 to 1."""
    costs = np.ones((len(SYMBOLS), len(SYMBOLS)))
    first = 0
    for table, weights in ((_VOWELS, _VOWEL_WEIGHTS), (_CONSONANTS, _CONSONANT_WEIGHTS)):
        features = np.array(list(table.values()))
        apart = (np.abs(features[:, None] - features[None]) * weights).sum(2)
        block = slice(first, first + len(table))
        costs[block, block] = np.minimum(apart, 1.0)
        first += len(table)
    for consonant, vowel in _GLIDES:
        pair = _NUMBER[consonant], _NUMBER[vowel]
        costs[pair] = costs[pair[::-1]] = _GLIDE_COST
    return costs


GAP = _gap_costs()
SUBSTITUTION = _substitution_costs()
