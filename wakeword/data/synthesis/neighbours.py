"""Near misses of a word: words and pairs of words that sound almost like it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from wakeword.data.synthesis.phonemes import (
    GAP,
    Phonemes,
    costs_inside,
    distances,
    pad,
)

SAME = 0.055
"""Nearer than this is the word itself in another spelling."""
FURTHEST = 0.5
_HOLDS = 0.05
"""A phrase that holds all of the word but so much of it is no near miss: "computers"."""
_PARTS = 10
_SHORTEST_PART = 2
_OFTEN = 3
"""So many phrases may share a word that is not of the wake word: "ell etcher", "all etcher"."""


@dataclass(frozen=True)
class Neighbour:
    """A phrase and how far it sounds from the word: 0 the same, 1 nothing in common."""

    text: str
    distance: float


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Words with their pronunciations."""

    words: tuple[str, ...]
    said: tuple[Phonemes, ...]

    @cached_property
    def table(self) -> NDArray[np.int8]:
        """All pronunciations (words, longest)."""
        return pad(self.said)

    def nearest(self, target: Phonemes, most: int) -> list[int]:
        """Indices of the words that sound most like ``target``, the nearest first."""
        apart = distances(target, self.table)
        return [int(i) for i in np.argsort(apart, kind="stable")[:most]]


def near_misses(
    word: str, parts: Sequence[Phonemes], lexicon: Lexicon, most: int
) -> list[Neighbour]:
    """Phrases of ``lexicon`` that sound most like ``word`` without holding it.

    Half of them are single words, half are phrases of several: each word of the phrase replaced
    by one that is near it, or the sounds of the whole divided between two words. The words of a
    phrase alone ("mirror" of "smart mirror") come first: people say them.

    Parameters
    ----------
    word
        In lower case, may be several words.
    parts
        The pronunciation of each of its words.
    most
        At most so many; fewer where no more are within ``FURTHEST``.
    """
    whole = np.concatenate(parts)
    single = _judged(
        word, whole, ((w, s) for w, s in zip(lexicon.words, lexicon.said, strict=True))
    )
    several = _judged(word, whole, _phrases(word, parts, whole, lexicon))
    alone = [w for w in dict.fromkeys(word.split()) if w != word]
    apart: NDArray[np.float64] | list[float]
    apart = distances(whole, pad([parts[word.split().index(w)] for w in alone])) if alone else []
    found = [Neighbour(w, float(d)) for w, d in zip(alone, apart, strict=True)]
    room = max(0, most - len(found))
    few = min(len(single), max(room // 2, room - len(several)))
    chosen = [n for n in single if n.text not in alone][:few]
    chosen += _varied(several, set(word.split()))[: room - few]
    return found[:most] + sorted(chosen, key=lambda n: (n.distance, n.text))


def _phrases(
    word: str, parts: Sequence[Phonemes], whole: Phonemes, lexicon: Lexicon
) -> Iterable[tuple[str, Phonemes]]:
    """Phrases of several words, each with its sounds; more than are wanted."""
    if 1 < len(parts) <= 3:
        choices = [
            [(w, s), *((lexicon.words[i], lexicon.said[i]) for i in lexicon.nearest(s, _PARTS))]
            for w, s in zip(word.split(), parts, strict=True)
        ]
        yield from _joined(choices)
    for cut in range(_SHORTEST_PART, len(whole) - _SHORTEST_PART + 1):
        halves = (whole[:cut], whole[cut:])
        yield from _joined(
            [[(lexicon.words[i], lexicon.said[i]) for i in lexicon.nearest(h, _PARTS)]
             for h in halves]
        )  # fmt: skip


def _joined(choices: Sequence[Sequence[tuple[str, Phonemes]]]) -> Iterable[tuple[str, Phonemes]]:
    for chosen in product(*choices):
        yield " ".join(w for w, _ in chosen), np.concatenate([s for _, s in chosen])


def _varied(phrases: Sequence[Neighbour], of_the_word: set[str]) -> list[Neighbour]:
    """The phrases without those whose words have been in ``_OFTEN`` nearer ones."""
    often: Counter[str] = Counter()
    kept = []
    for phrase in phrases:
        words = [w for w in phrase.text.split() if w not in of_the_word]
        if all(often[w] < _OFTEN for w in words):
            often.update(words)
            kept.append(phrase)
    return kept


def _judged(
    word: str, whole: Phonemes, candidates: Iterable[tuple[str, Phonemes]]
) -> list[Neighbour]:
    """Those that are near but neither the word itself nor hold it, the nearest first.

    Of phrases that sound the same ("no boy", "know boy") the first is kept.
    """
    by_sound = {
        said.tobytes(): (text, said)
        for text, said in reversed(list(candidates))
        if _letters(text) != _letters(word)
    }
    spelled = dict(reversed(by_sound.values()))
    if not spelled:
        return []
    table = pad(list(spelled.values()))
    apart = distances(whole, table)
    holds = costs_inside(whole, table) < _HOLDS * GAP[whole].sum()
    found = [
        Neighbour(text, float(d))
        for text, d, held in zip(spelled, apart, holds, strict=True)
        if SAME < d <= FURTHEST and not held
    ]
    return sorted(found, key=lambda n: (n.distance, n.text))


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalpha())
