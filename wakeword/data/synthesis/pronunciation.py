"""How words are said: espeak-ng's rules and dictionary, for any word in any spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from wakeword.data.corpus import Progress
from wakeword.data.synthesis.commands import run
from wakeword.data.synthesis.phonemes import Phonemes, parse_ipa
from wakeword.errors import ConfigError, SynthesisError

ACCENT = "en-us"
SYSTEM_WORDS = Path("/usr/share/dict/words")
"""Where Unix systems keep their list of words (Debian: the package wamerican)."""
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['’-](?=[^\W\d_]))*")
_BATCH = 2000
_LONGEST = 60


def check_phrase(text: str) -> str:
    """``text`` in lower case with single spaces, if it is words that can be said.

    Raises
    ------
    ConfigError
        It is empty, too long, or holds anything but letters, spaces, ' and - inside words.
    """
    words = text.lower().split()
    phrase = " ".join(words)
    if not words or not all(_WORD.fullmatch(word) for word in words):
        raise ConfigError(f"'{text}' must be words of letters, with spaces between them")
    if len(phrase) > _LONGEST:
        raise ConfigError(f"'{phrase}' has {len(phrase)} characters, more than {_LONGEST}")
    return phrase


def read_vocabulary(path: Path) -> tuple[str, ...]:
    """All different words of a text file, lower case, sorted; possessives are left out.

    Raises
    ------
    ConfigError
        The file cannot be read or holds no words.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"list of words {path} cannot be read: {error}") from error
    words = {w.lower() for w in _WORD.findall(text) if 1 < len(w) <= _LONGEST}
    words = {w for w in words if not w.endswith(("'s", "’s"))}
    if not words:
        raise ConfigError(f"{path} holds no words")
    return tuple(sorted(words))


def pronounce(phrases: Sequence[str], progress: Progress | None = None) -> list[Phonemes]:
    """How espeak-ng says each of ``phrases``, which :func:`check_phrase` took.

    Raises
    ------
    SynthesisError
        espeak-ng is not installed or fails.
    """
    batches = [phrases[i : i + _BATCH] for i in range(0, len(phrases), _BATCH)]
    said: list[Phonemes] = []
    with ThreadPoolExecutor() as pool:
        for batch in _in_order(pool, batches):
            said += batch
            if progress is not None:
                progress(len(batch))
    return said


def _in_order(
    pool: ThreadPoolExecutor, batches: Sequence[Sequence[str]]
) -> Iterable[list[Phonemes]]:
    try:
        yield from pool.map(_pronounce_batch, batches)
    except BaseException:  # Ctrl-C must not wait for the batches that have not begun
        pool.shutdown(wait=False, cancel_futures=True)
        raise


def _pronounce_batch(phrases: Sequence[str]) -> list[Phonemes]:
    """espeak-ng reads its input line by line and writes a line for each."""
    said = run("espeak-ng", ["-q", "-v", ACCENT, "--ipa"], "".join(f"{p}\n" for p in phrases))
    lines = said.splitlines()
    if len(lines) != len(phrases):
        raise SynthesisError(f"espeak-ng wrote {len(lines)} lines for {len(phrases)} phrases")
    return [parse_ipa(line) for line in lines]
