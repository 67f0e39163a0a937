"""Options of ``wakeword say`` that say which near misses are made, and how many."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wakeword.cli.options import Command
from wakeword.cli.progress import progress
from wakeword.errors import ConfigError

if TYPE_CHECKING:
    from wakeword.data.synthesis.neighbours import Neighbour


@dataclass(frozen=True)
class NearOptions:
    """Where near misses come from, and how often each is said (0: not at all)."""

    count: int
    takes: int
    files: tuple[Path, ...]
    vocabulary: tuple[Path, ...]

    def find(self, words: Sequence[str]) -> Mapping[str, Sequence[Neighbour]]:
        """Look for near misses of each word in the vocabulary."""
        from wakeword.data.synthesis.near_list import find_near_misses
        from wakeword.data.synthesis.pronunciation import SYSTEM_WORDS

        vocabulary = self.vocabulary or (SYSTEM_WORDS,)
        if not self.vocabulary and not SYSTEM_WORDS.exists():
            raise ConfigError(
                f"there is no {SYSTEM_WORDS} (Debian has it in the package wamerican): name a "
                "text whose words may be near misses with --vocabulary"
            )
        with progress("pronouncing", None, "words") as advance:
            return find_near_misses(words, vocabulary, self.count, advance)

    def texts(self, words: Sequence[str]) -> tuple[str, ...]:
        """The near misses to say: those of the lists, or what is found."""
        from wakeword.data.synthesis.near_list import read_near_list

        if not self.takes:
            return ()
        if self.files:
            listed = [text for file in self.files for text in read_near_list(file, words)]
        else:
            listed = [n.text for near in self.find(words).values() for n in near]
        return tuple(dict.fromkeys(listed))


def near_options(command: Command) -> Command:
    """Add the options; the command gets them as one keyword argument ``near``."""

    @functools.wraps(command)
    def with_near(
        *arguments: Any,
        near_misses: int,
        near_takes: int,
        near_list: tuple[Path, ...],
        vocabulary: tuple[Path, ...],
        **others: Any,
    ) -> Any:
        options = NearOptions(near_misses, near_takes, near_list, vocabulary)
        return command(*arguments, near=options, **others)

    for option in (
        click.option("--vocabulary", type=click.Path(path_type=Path), multiple=True,
                     metavar="FILE", help="Text whose words may be near misses; repeatable. "
                     "[default: /usr/share/dict/words]"),
        click.option("--near-list", type=click.Path(path_type=Path), multiple=True,
                     metavar="FILE", help="Say the near misses of this list, as --list writes "
                     "it; repeatable. [default: those that are found]"),
        click.option("--near-takes", type=click.IntRange(0, 10_000), default=12,
                     show_default=True, metavar="N", help="Recordings of each near miss; 0 for "
                     "none."),
        click.option("--near-misses", type=click.IntRange(1, 10_000), default=40,
                     show_default=True, metavar="N", help="Near misses to find for each word."),
    ):  # fmt: skip
        with_near = option(with_near)
    return with_near
