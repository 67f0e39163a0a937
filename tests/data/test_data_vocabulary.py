"""Whose times a manifest states: of the word alone, or of the one word that a sentence says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wakeword.data.manifest import Recording
from wakeword.data.vocabulary import LEAST_CLIPS, Vocabulary

TIMES = (0.5, 0.9)


def said(text: str, corpus: str = "calls", timed: bool = True) -> Recording:
    times = TIMES if timed else (np.nan, np.nan)
    return Recording(Path("a.wav"), corpus, text, "s1", "train", *times, 3.0)


CLIPS = [
    *[said("operator")] * LEAST_CLIPS,
    *[said("think engine", timed=False)] * LEAST_CLIPS,
    *[said("]")] * LEAST_CLIPS,
    *[said("voyager")] * (LEAST_CLIPS - 1),
    *[said("one two three four")] * LEAST_CLIPS,
    *[said("jarvis", "others")] * LEAST_CLIPS,
]


def test_words_are_short_texts_that_recordings_of_one_corpus_share() -> None:
    found = Vocabulary.of(CLIPS).words
    assert found == {"calls": {"operator", "think engine"}, "others": {"jarvis"}}


@pytest.mark.parametrize(
    ("recording", "word"),
    [
        (said("operator"), "operator"),
        (said("get me the operator, please"), "operator"),
        (said("'operator's"), "operator"),
        (said("hello think-engine how are you"), "think engine"),
        (said("operator", timed=False), None),
        (said("get me the operator please", timed=False), None),
        (said("operator hello operator"), None),
        (said("operator of the think engine"), None),
        (said("the voyager is gone"), None),
        (said("nothing of ours"), None),
        (said("operators and cooperators"), None),
        (said("hey jarvis"), None),
        (said("get me the operator", "others"), None),
        (said("get me the operator", "unheard of"), None),
        (said(""), None),
    ],
)
def test_times_are_of_the_only_word_that_is_said_once(
    recording: Recording, word: str | None
) -> None:
    assert Vocabulary.of(CLIPS).timed_word(recording) == word


@pytest.mark.parametrize(
    ("text", "times"), [("", 0), ("a", 1), ("a b a", 2), ("a-a 'a' _a_ aa", 4), ("b", 0)]
)
def test_words_are_counted_as_whole_words(text: str, times: int) -> None:
    assert said(text).times_said("a") == times
    assert said(text).says("a") == (times > 0)
