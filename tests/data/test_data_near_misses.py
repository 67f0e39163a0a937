"""Near misses: what is found, in what order, what is left out, and lists of them as text."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from synthesisers import needs_espeak

from wakeword.data.synthesis.near_list import (
    find_near_misses,
    format_near_list,
    holds,
    read_near_list,
)
from wakeword.data.synthesis.neighbours import (
    FURTHEST,
    SAME,
    Lexicon,
    Neighbour,
    near_misses,
)
from wakeword.data.synthesis.phonemes import parse_ipa
from wakeword.data.synthesis.pronunciation import check_phrase, pronounce, read_vocabulary
from wakeword.errors import ConfigError

SAID = {
    "computer": "kəmpjuːɾɚ", "computers": "kəmpjuːɾɚz", "kumpyooter": "kəmpjuːɾɚ",
    "commuter": "kəmjuːɾɚ", "compute": "kəmpjuːt", "composer": "kəmpoʊzɚ", "come": "kʌm",
    "cum": "kʌm", "tudor": "tuːdɚ", "banana": "bənænə", "snow": "snoʊ", "boy": "bɔɪ", "toy": "tɔɪ",
    "no": "noʊ", "know": "noʊ", "buoy": "bɔɪ",
}  # fmt: skip
LEXICON = Lexicon(tuple(SAID), tuple(map(parse_ipa, SAID.values())))
REPOSITORY = Path(__file__).resolve().parents[2]
LISTS = sorted((REPOSITORY / "benchmarks" / "near-misses").glob("*.txt"))
SAID_LISTS = sorted((REPOSITORY / "benchmarks").glob("said-*.txt"))


def found(word: str, *said: str, most: int = 20) -> dict[str, float]:
    near = near_misses(word, [parse_ipa(s) for s in said], LEXICON, most)
    return {n.text: n.distance for n in near}


def test_the_nearest_words_of_a_vocabulary() -> None:
    near = found("computer", SAID["computer"])
    single = [text for text in near if " " not in text]
    assert single[:3] == ["commuter", "compute", "composer"]
    assert near["commuter"] < near["compute"] < near["composer"]


def test_the_word_itself_and_what_holds_or_sounds_like_it_is_left_out() -> None:
    near = found("computer", SAID["computer"], most=1000)
    assert not {"computer", "kumpyooter", "computers", "banana"} & set(near)
    assert all(SAME < distance <= FURTHEST for distance in near.values())


def test_a_word_is_divided_into_two_and_said_once_for_each_sound() -> None:
    near = found("computer", SAID["computer"], most=1000)
    assert ("come tudor" in near) != ("cum tudor" in near)
    snow = found("snow boy", SAID["snow"], SAID["boy"], most=1000)
    assert len({"no boy", "know boy", "no buoy", "know buoy"} & set(snow)) == 1
    assert "snow buoy" not in snow, "it is the word itself to the ear"


def test_words_of_a_phrase_alone_come_first_then_near_phrases() -> None:
    near = list(found("snow boy", SAID["snow"], SAID["boy"]))
    assert near[:2] == ["snow", "boy"]
    assert "snow toy" in near
    assert list(found("snow boy", SAID["snow"], SAID["boy"], most=3)) == [*near[:2], "snow toy"]


def test_no_word_fills_the_list() -> None:
    near = found("computer", SAID["computer"], most=1000)
    often = Counter(w for text in near if " " in text for w in text.split())
    assert max(often.values()) <= 3


def test_lists_are_read_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "near.txt"
    near = {"computer": [Neighbour("commuter", 0.125), Neighbour("come tudor", 0.08)]}
    path.write_text(format_near_list(near) + "\n  Added By-Hand \n", encoding="utf-8")
    assert "commuter\t0.12\n" in path.read_text("utf-8")
    assert read_near_list(path, ["computer"]) == ("commuter", "come tudor", "added by-hand")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("commuter\nbig computer\n", "line 2: 'big computer' holds the word 'computer'"),
        ("# nothing\n\n", "holds no near misses"),
        ("\ncom(muter)\n", "line 2: 'com(muter)' must be words"),
        ("a" * 61, "61 characters, more than 60"),
        ("x\n" * 100_001, "100001 lines, more than 100000"),
    ],
)
def test_lists_that_are_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "near.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        read_near_list(path, ["computer"])
    assert says in str(error.value)


def test_files_that_are_not_there_or_no_text(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "digits").write_text("1 2 3", encoding="utf-8")
    for name in ("none", "bytes", "digits"):
        with pytest.raises(ConfigError, match=name):
            read_vocabulary(tmp_path / name)
    for name in ("none", "bytes"):
        with pytest.raises(ConfigError, match=name):
            read_near_list(tmp_path / name, [])


def test_a_vocabulary_is_the_different_words_of_a_text(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("Don't say: the DOG's twin-set, don't! x 12 día", encoding="utf-8")
    assert read_vocabulary(path) == ("don't", "día", "say", "the", "twin-set")


@pytest.mark.parametrize(
    "text", ["", "  ", "two;words", "-v", "$(date)", "a\x00b", 'say "x"', "7up"]
)
def test_what_cannot_be_said_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="must be words"):
        check_phrase(text)


def test_what_can_be_said() -> None:
    assert check_phrase("  Hey   O'Brien's twin-set ") == "hey o'brien's twin-set"
    assert holds("a smart mirror", "smart mirror") and not holds("smart mirrors", "smart mirror")


def listed_words() -> list[str]:
    words = [p.stem.replace("-", " ") for p in LISTS]
    assert len(words) == 7
    return words


@pytest.mark.parametrize("path", LISTS, ids=lambda p: p.stem)
def test_the_lists_of_the_shipped_words_can_be_used(path: Path) -> None:
    assert len(read_near_list(path, listed_words())) >= 60


@pytest.mark.parametrize("path", SAID_LISTS, ids=lambda p: p.stem)
def test_what_people_say_holds_no_shipped_word(path: Path) -> None:
    assert len(read_near_list(path, listed_words())) >= 5


@needs_espeak
def test_espeak_finds_the_near_misses_of_any_word(tmp_path: Path) -> None:
    vocabulary = tmp_path / "text.txt"
    vocabulary.write_text("kitten the commuter met a composer; computers banana", encoding="utf-8")
    near = find_near_misses(["computer", "hey kitchen"], [vocabulary], 10)
    assert near["computer"][0].text == "commuter"
    assert not {"computers", "banana"} & {n.text for n in near["computer"]}
    assert near["hey kitchen"][:2] == [
        n for n in near["hey kitchen"] if n.text in ("hey", "kitchen")
    ]
    assert "hey kitten" in {n.text for n in near["hey kitchen"]}


@needs_espeak
def test_every_phrase_is_pronounced_in_its_place() -> None:
    words = [f"{a}{b}" for a in ("cat", "dog", "bird") for b in ("", "s", "house")] * 250
    done: list[float] = []
    said = pronounce(words, done.append)
    assert sum(done) == len(said) == len(words) > 2000
    for word, phonemes in zip(words, said, strict=True):
        assert phonemes.tobytes() == said[words.index(word)].tobytes()
    assert len({p.tobytes() for p in said}) == 9
