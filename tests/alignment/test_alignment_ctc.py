"""Words found by their letters, in audio whose letters are tones at known times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tone_letters import RATE, spoken, tone_letters

from wakeword.alignment.ctc import ByLetters, CtcAligner, find_word, make_aligner
from wakeword.data.align import WordTimes, align_by_energy
from wakeword.errors import AudioError, ConfigError

WAYS = ("ctc-sequential", "ctc-path")
NEAR_S = 0.06
"""Half a letter: CTC says where a letter is, not where it begins and ends."""


def aligner(method: ByLetters, **placing: object) -> CtcAligner:
    return CtcAligner(tone_letters(**placing), method)


def found(times: WordTimes | None) -> tuple[float, float]:
    assert times is not None
    return times.start_s, times.end_s


@pytest.mark.parametrize("method", WAYS)
@given(start=st.floats(0.1, 1.3), word=st.sampled_from(["abc", "abca", "fade", "e"]))
@settings(max_examples=15, deadline=None)
def test_a_word_is_where_its_letters_are(method: str, start: float, word: str) -> None:
    times = aligner(method)(spoken(word, 2.0, start), RATE, word, word)
    assert found(times) == pytest.approx((start, start + 0.1 * len(word)), abs=NEAR_S)
    assert times is not None and times.log_likelihood is not None
    assert -3.0 < times.log_likelihood < 1e-6 and times.contrast_db > 20.0


@pytest.mark.parametrize("method", WAYS)
def test_other_rates_give_the_same_times(method: str) -> None:
    clip, align = spoken("dace", 2.0, 0.7), aligner(method)
    expected = found(align(clip, RATE, "dace", "dace"))
    for samples, rate in ((clip[::2].copy(), RATE // 2), (np.repeat(clip, 2), 2 * RATE)):
        assert found(align(samples, rate, "dace", "dace")) == pytest.approx(expected, abs=0.03)


def test_in_a_sentence_the_path_finds_the_word_that_is_meant() -> None:
    """Its letters occur before it, too: the transcript says which are its own."""
    clip = spoken("bad face cab fad", 3.0, 0.4)
    for word, first, last in (("face", 4, 8), ("cab", 9, 12), ("fad", 13, 16)):
        times = aligner("ctc-path")(clip, RATE, word, "bad face cab fad")
        assert found(times) == pytest.approx((0.4 + first / 10, 0.4 + last / 10), abs=NEAR_S)


def test_padding_is_added_within_the_recording() -> None:
    clip = spoken("fade", 1.0, 0.3)
    bare = found(aligner("ctc-path")(clip, RATE, "fade", "fade"))
    padded = aligner("ctc-path", path_padding_s=(0.1, 0.05))(clip, RATE, "fade", "fade")
    assert found(padded) == pytest.approx((bare[0] - 0.1, bare[1] + 0.05))
    all_of_it = aligner("ctc-path", path_padding_s=(1.0, 1.0))(clip, RATE, "fade", "fade")
    assert found(all_of_it) == (0.0, 1.0)
    other = aligner("ctc-sequential", path_padding_s=(1.0, 1.0))(clip, RATE, "fade", "fade")
    assert found(other) == pytest.approx(bare, abs=NEAR_S)


@pytest.mark.parametrize("method", WAYS)
def test_letters_are_only_where_there_is_sound(method: str) -> None:
    """A faint 'f' 45 dB below the word, long before it, as hiss looks to a network."""
    clip = spoken("fade", 2.0, 1.2)
    quiet = spoken("f", 2.0, 0.3, letter_s=0.3, level=0.1 * 10 ** (-45 / 20))
    align = aligner(method)
    assert found(align(clip + quiet, RATE, "fade", "fade"))[0] == pytest.approx(1.2, abs=NEAR_S)
    posteriors = align._posteriors(clip)
    np.testing.assert_allclose(posteriors.sum(axis=1), 1.0, atol=1e-5)
    anywhere = aligner(method, sound_only=False)
    np.testing.assert_array_equal(anywhere._posteriors(clip), anywhere.model.posteriors(clip))
    assert posteriors[:50, 1:].max() < 1e-3


@pytest.mark.parametrize("method", WAYS)
def test_where_something_else_is_said_there_is_no_word(method: str) -> None:
    clip = spoken("abc", 1.5, 0.5)
    assert aligner(method)(clip, RATE, "def", "def") is None
    assert aligner(method)(clip[:100], RATE, "abc", "abc") is None
    assert aligner(method)(clip[: RATE // 10], RATE, "abcdefabcdef", "abcdefabcdef") is None


@pytest.mark.parametrize("method", WAYS)
def test_texts_that_cannot_be_spelt(method: str) -> None:
    align, clip = aligner(method), spoken("abc", 1.5, 0.5)
    for word in ("xyz", "ab1", "", "?!"):
        with pytest.raises(ConfigError, match=r"cannot be spelt|does not hold"):
            align(clip, RATE, word, word)
    with pytest.raises(ConfigError, match="it has no 'x'"):
        align(clip, RATE, "axe", "axe")
    assert align(clip, RATE, "abc", "abc 17") is None
    with pytest.raises(ConfigError, match="does not hold 'ab'"):
        align(clip, RATE, "ab", "abc")


@pytest.mark.parametrize("method", WAYS)
def test_samples_that_are_no_audio_are_refused(method: str) -> None:
    with pytest.raises(AudioError, match="finite"):
        aligner(method)(np.full(RATE, np.nan, np.float32), RATE, "abc", "abc")


@pytest.mark.parametrize(
    ("word", "transcript", "at"),
    [
        ("cab", "cab", (0, 2)),
        ("cab", "a cab", (2, 4)),
        ("cab", "cabs a cab's", (7, 9)),
        ("smart mirror", "the smart mirror", (4, 15)),
    ],
)
def test_a_word_is_looked_for_as_a_whole(word: str, transcript: str, at: tuple[int, int]) -> None:
    assert find_word(word, transcript) == at


def test_aligners_by_name() -> None:
    assert make_aligner("energy") is align_by_energy
    clip = spoken("abc", 2.0, 0.5)
    assert align_by_energy(clip, RATE, "abc", "abc") is not None
    assert align_by_energy(clip, RATE, "abc", "abc def") is None
