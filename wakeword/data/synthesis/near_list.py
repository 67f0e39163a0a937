"""Lists of near misses as text, for people to look through: a phrase a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from wakeword.data.corpus import Progress
from wakeword.data.synthesis.neighbours import Lexicon, Neighbour, near_misses
from wakeword.data.synthesis.pronunciation import check_phrase, pronounce, read_vocabulary
from wakeword.errors import ConfigError

MOST_LINES = 100_000


def find_near_misses(
    words: Sequence[str], vocabulary: Sequence[Path], most: int, progress: Progress | None = None
) -> dict[str, list[Neighbour]]:
    """Near misses of each word among the words of text files, the nearest first.

    Parameters
    ----------
    words
        As :func:`wakeword.data.synthesis.pronunciation.check_phrase` gives them.
    progress
        Called with the number of words whose pronunciation was found.

    Raises
    ------
    ConfigError
        A file cannot be read or holds no words.
    SynthesisError
        espeak-ng is not installed or fails.
    """
    known = tuple(sorted({w for path in vocabulary for w in read_vocabulary(path)}))
    said = pronounce(known, progress)
    heard = [(w, s) for w, s in zip(known, said, strict=True) if len(s)]
    lexicon = Lexicon(tuple(w for w, _ in heard), tuple(s for _, s in heard))
    found: dict[str, list[Neighbour]] = {}
    for word in words:
        parts = pronounce(word.split())
        if not all(map(len, parts)):
            raise ConfigError(f"espeak-ng cannot say '{word}'")
        near = near_misses(word, parts, lexicon, most)
        found[word] = [n for n in near if not any(holds(n.text, w) for w in words)]
    return found


def format_near_list(found: Mapping[str, Sequence[Neighbour]]) -> str:
    """The list as text: ``phrase <tab> distance``, under a comment for each word."""
    lines = []
    for word, near in found.items():
        lines.append(f"# near misses of '{word}': phrase, distance from 0 (the same) to 1")
        lines += [f"{n.text}\t{n.distance:.2f}" for n in near]
    return "".join(f"{line}\n" for line in lines)


def read_near_list(path: Path, words: Sequence[str]) -> tuple[str, ...]:
    """The phrases of a list, in its order; what stands behind a tab is not read.

    Raises
    ------
    ConfigError
        The file cannot be read, is empty, or a line is no phrase or holds one of ``words``.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"list of near misses {path} cannot be read: {error}") from error
    if len(lines) > MOST_LINES:
        raise ConfigError(f"{path} has {len(lines)} lines, more than {MOST_LINES}")
    phrases: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        text = line.partition("\t")[0].strip()
        if not text or text.startswith("#"):
            continue
        try:
            phrase = check_phrase(text)
        except ConfigError as error:
            raise ConfigError(f"{path}, line {number}: {error}") from error
        held = [w for w in words if holds(phrase, w)]
        if held:
            raise ConfigError(f"{path}, line {number}: '{phrase}' holds the word '{held[0]}'")
        phrases[phrase] = None
    if not phrases:
        raise ConfigError(f"{path} holds no near misses")
    return tuple(phrases)


def holds(phrase: str, word: str) -> bool:
    """Whether ``word`` is said in ``phrase``."""
    return f" {word} " in f" {phrase} "
