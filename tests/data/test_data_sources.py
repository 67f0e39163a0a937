"""What training draws from: every recording in its place, and nothing silently missing."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_corpus import (
    CLIP_S,
    KINDS,
    RATE,
    SENTENCE,
    WORD_S,
    WORDS,
    burst,
    corpus_of,
    faint,
    recording,
    words_and_company,
)

from wakeword.data.align import WordTimes
from wakeword.data.corpus import Corpus
from wakeword.data.sources import Sources, collect
from wakeword.errors import ManifestError

HUM = (recording("fan", "hum"), burst(1.0, 0.0, 1.0))
TALK = (recording(SENTENCE, seconds=3.0), burst(3.0, 0.0, 3.0))
ALPHA = (recording("alpha", times_s=WORD_S), burst(CLIP_S, *WORD_S))


def sorted_into(corpus: Corpus, *labels: str) -> Sources:
    return collect(corpus, labels, KINDS, [])


def texts(sources: Sources, indices: tuple[int, ...]) -> set[str]:
    return {sources.corpus.recordings[i].text for i in indices}


def test_every_recording_is_sorted_into_its_kind() -> None:
    room = np.ones(1, np.float32)
    sources = collect(words_and_company(), WORDS, KINDS, [room])
    assert [len(w) for w in sources.words] == [4, 4]
    assert [sum(w.synthetic for w in words) for words in sources.words] == [1, 1]
    assert texts(sources, sources.speech) == {SENTENCE}
    assert texts(sources, sources.clips) == {"gamma"}
    assert texts(sources, sources.noise) == {"fan"}
    assert texts(sources, sources.music) == {"song"}
    assert len(sources.rooms) == 1 and sources.mined == ()
    used = [*(w.index for words in sources.words for w in words), *sources.speech,
            *sources.clips, *sources.noise, *sources.music]  # fmt: skip
    assert sorted(used) == list(range(len(sources.corpus)))


def test_labels_keep_their_order() -> None:
    corpus = words_and_company()
    for labels in (WORDS, WORDS[::-1]):
        sources = collect(corpus, labels, KINDS, [])
        for label, words in zip(labels, sources.words, strict=True):
            assert {corpus.recordings[w.index].text for w in words} == {label}


def test_words_without_times_are_aligned_and_those_with_times_are_not() -> None:
    clip = faint(burst(CLIP_S, 0.5, 0.9))
    rows = [(recording("alpha"), clip), (recording("alpha", times_s=(0.1, 0.7)), clip), HUM, TALK]
    aligned, given = sorted_into(corpus_of(rows), "alpha").words[0]
    assert aligned.start / RATE == pytest.approx(0.5, abs=0.03)
    assert aligned.end / RATE == pytest.approx(0.9, abs=0.03)
    assert (given.start, given.end) == (1600, 11_200)


def test_clips_without_a_word_in_them_are_left_out() -> None:
    silent = recording("alpha"), np.zeros(RATE, np.float32)
    click = recording("alpha"), faint(burst(CLIP_S, 0.5, 0.55))
    sources = sorted_into(corpus_of([silent, click, ALPHA, HUM, TALK]), "alpha")
    assert [w.index for w in sources.words[0]] == [2]


def test_a_transcript_that_merely_holds_a_word_is_neither_word_nor_negative() -> None:
    held = recording("say alpha twice", seconds=3.0), burst(3.0, 0.0, 3.0)
    near = recording("alphabet soup", seconds=3.0), burst(3.0, 0.0, 3.0)
    sources = sorted_into(corpus_of([held, near, ALPHA, HUM, TALK]), "alpha")
    assert sources.speech == (1, 4) and sources.clips == ()
    assert [w.index for w in sources.words[0]] == [2]


def test_speech_is_long_and_of_several_words_or_of_unknown_ones_all_else_are_clips() -> None:
    rows = [
        (recording(SENTENCE, seconds=1.9), burst(1.9, 0.0, 1.9)),
        (recording("humming", seconds=9.0), burst(9.0, 0.0, 9.0)),
        (recording("", seconds=1.9), burst(1.9, 0.0, 1.9)),
        (recording("", seconds=9.0), burst(9.0, 0.0, 9.0)),
    ]
    sources = sorted_into(corpus_of([*rows, TALK, ALPHA, HUM]), "alpha")
    assert sources.clips == (0, 1, 2) and sources.speech == (3, 4)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([TALK, HUM], "no usable recording of 'alpha'"),
        ([(recording("alpha"), np.zeros(RATE, np.float32)), TALK, HUM], "of 'alpha'"),
        ([ALPHA, TALK], "holds no noise"),
        ([ALPHA, TALK, (recording("x", "tune"), burst(1.0, 0.0, 1.0))], "holds no noise"),
        ([ALPHA, HUM], "holds no negative speech"),
    ],
    ids=["no word", "only silence", "no noise", "only music", "no speech"],
)
def test_an_empty_class_is_refused_by_name(rows: list[object], says: str) -> None:
    with pytest.raises(ManifestError, match=says):
        sorted_into(corpus_of(rows), "alpha")  # type: ignore[arg-type]


def test_a_word_inside_a_sentence_is_one_at_its_stated_times() -> None:
    """Where five clips say that it is a word, and the sentence says no other."""
    clips = [(recording("alpha", times_s=WORD_S), ALPHA[1])] * 5
    talk = faint(burst(3.0, 0.2, 2.8))
    inside = recording("then alpha said no", "clips", 3.0, (1.2, 1.6)), talk
    untimed = recording("then alpha said no", "clips", 3.0), talk
    twice = recording("alpha or alpha", "clips", 3.0, (1.2, 1.6)), talk
    without = recording("nothing of ours", "clips", 3.0, (1.2, 1.6)), talk
    sources = sorted_into(corpus_of([*clips, inside, untimed, twice, without, HUM]), "alpha")
    assert [w.index for w in sources.words[0]] == [0, 1, 2, 3, 4, 5]
    assert (sources.words[0][5].start, sources.words[0][5].end) == (1.2 * RATE, 1.6 * RATE)
    assert sources.speech == (8,) and sources.clips == ()


def test_an_aligner_that_reads_places_words_in_sentences_that_hold_them_once() -> None:
    asked = []

    def read(samples: np.ndarray, rate: int, word: str, transcript: str) -> WordTimes | None:
        asked.append((len(samples) / rate, word, transcript))
        return None if "not" in transcript else WordTimes(1.0, 1.1 + 0.1 * len(word), 20.0)

    talk = faint(burst(3.0, 0.2, 2.8))
    held = ["then alpha said no", "alpha or alpha", "do not say alpha", "the beta wave", "alphabet"]
    rows = [(recording(text, seconds=3.0), talk) for text in (*held, "alpha and beta wave")]
    sources = collect(corpus_of([*rows, ALPHA, HUM, TALK]), WORDS, KINDS, [], read)
    assert asked == [(3.0, "alpha", held[0]), (3.0, "alpha", held[2]), (3.0, "beta wave", held[3])]
    assert [w.index for w in sources.words[0]] == [0, 6]
    assert [(w.index, w.start, w.end) for w in sources.words[1]] == [(3, RATE, 2 * RATE)]
    assert sources.clips == (4,) and sources.speech == (8,)


def test_words_learnt_beside_are_taken_from_recordings_that_say_nothing_else() -> None:
    sentence = (recording("say gamma once more", seconds=3.0), burst(3.0, 0.0, 3.0))
    gamma = (recording("gamma", times_s=WORD_S), burst(CLIP_S, *WORD_S))
    corpus = corpus_of([ALPHA, gamma, sentence, HUM])
    sources = collect(corpus, ["alpha"], KINDS, [], also=["gamma"])
    assert [[w.index for w in found] for found in (*sources.words, *sources.also)] == [[0], [1]]
    assert sources.speech == (2,) and sources.clips == ()
    with pytest.raises(ManifestError, match="delta"):
        collect(corpus, ["alpha"], KINDS, [], also=["delta"])
