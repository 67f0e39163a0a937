"""Which word of a recording its stated times are of.

A manifest states the times of one word. In a clip that is its whole text; in a sentence it is
the word that other recordings of the corpus consist of, if the sentence says just one of those.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from wakeword.data.manifest import Recording

MOST_PARTS = 3
LEAST_CLIPS = 5
"""A text of up to ``MOST_PARTS`` words is a word if so many recordings of a corpus share it."""


@dataclass(frozen=True)
class Vocabulary:
    """The words of each corpus."""

    words: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, recordings: Iterable[Recording]) -> Vocabulary:
        """The texts of one to three words that five recordings of a corpus or more consist of."""
        shared = Counter(
            (r.corpus, r.text) for r in recordings if 1 <= len(r.text.split()) <= MOST_PARTS
        )
        words: dict[str, set[str]] = {}
        for (corpus, text), clips in shared.items():
            if clips >= LEAST_CLIPS and any(map(str.isalnum, text)):
                words.setdefault(corpus, set()).add(text)
        return cls({corpus: frozenset(found) for corpus, found in words.items()})

    def timed_word(self, recording: Recording) -> str | None:
        """The word whose times the manifest states; None where it states none, or whose is open.

        A sentence that says two words of its corpus, or one of them twice, leaves it open.
        """
        known = self.words.get(recording.corpus, frozenset())
        if math.isnan(recording.word_start_s):
            return None
        if recording.text in known:
            return recording.text
        said = [(word, n) for word in known if (n := recording.times_said(word))]
        return said[0][0] if len(said) == 1 and said[0][1] == 1 else None
