"""``wakeword say``: synthetic recordings of words and of what sounds almost like them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wakeword.cli.near_options import NearOptions, near_options
from wakeword.cli.options import note
from wakeword.cli.progress import progress
from wakeword.errors import SynthesisError
from wakeword.files import refuse_foreign

if TYPE_CHECKING:
    from wakeword.data.synthesis.takes import Take
    from wakeword.data.synthesis.voices import Engine, Voice

EPILOG = """\b
Examples:
  wakeword say "hey kitchen" --list > near.txt      # look, strike out, add
  wakeword say "hey kitchen" --near-list near.txt --out synthetic
  wakeword say computer jarvis --takes 500 --near-takes 0 --out synthetic

\b
Then name the folder's manifest.csv in the recipe: docs/training.md says how. Interrupt it
at any time and call it again: what is there is kept.
"""


@click.command(epilog=EPILOG)
@click.argument("words", metavar="WORD...", nargs=-1, required=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Write recordings and their manifest.csv into this folder.")  # fmt: skip
@click.option("--list", "only_list", is_flag=True,
              help="Print the near misses as text instead.")  # fmt: skip
@click.option("--takes", type=click.IntRange(0, 100_000), default=300, show_default=True,
              metavar="N", help="Recordings of each WORD.")  # fmt: skip
@near_options
@click.option("--engine", "engines", type=click.Choice(("espeak-ng", "flite", "festival")),
              multiple=True,
              help="Only this synthesiser; repeatable. [default: all on PATH]")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True,
              help="Which voice says what, how fast and how high.")  # fmt: skip
def say(
    words: tuple[str, ...],
    out: Path | None,
    only_list: bool,
    takes: int,
    near: NearOptions,
    engines: tuple[Engine, ...],
    seed: int,
) -> None:
    """Let speech synthesisers say each WORD, and phrases that sound almost like it.

    For words that too few people have recorded, and against alarms at what sounds alike. Near
    misses are words and pairs of words whose sounds differ least from those of WORD: "commuter"
    and "come tudor" of "computer". What holds WORD ("computers") is left out. Voices of the split
    dev are not among those of train. Synthesisers are found on PATH: espeak-ng, flite, festival.
    """
    from wakeword.data.synthesis.near_list import format_near_list
    from wakeword.data.synthesis.pronunciation import check_phrase
    from wakeword.data.synthesis.recordings import is_ours

    phrases = tuple(dict.fromkeys(map(check_phrase, words)))
    if only_list:
        click.echo(format_near_list(near.find(phrases)), nl=False)
        return
    if out is None:
        raise click.UsageError("name a folder with --out, or print the near misses with --list")
    refuse_foreign(out, "synthetic recordings", is_ours, SynthesisError)
    _make(out, phrases, near.texts(phrases), (takes, near.takes), engines, seed)


def _make(
    out: Path,
    words: Sequence[str],
    near: Sequence[str],
    takes: tuple[int, int],
    engines: Sequence[Engine],
    seed: int,
) -> None:
    from wakeword.data.synthesis.recordings import MANIFEST_FILE, make_recordings
    from wakeword.data.synthesis.takes import NEAR_MISSES, WORDS, plan_takes
    from wakeword.data.synthesis.voices import installed_voices, split_of

    voices = installed_voices(engines)
    _note_voices(voices)
    planned = plan_takes(words, WORDS, voices, takes[0], seed)
    planned += plan_takes(near, NEAR_MISSES, voices, takes[1], seed)
    with progress("saying", len(planned), "takes") as advance:
        made = make_recordings(out, planned, split_of(voices), advance)
    for why in made.failed:
        note(f"left out: {why}")
    _note_made(made.seconds)
    if made.reused:
        note(f"{made.reused} of them were there already")
    click.echo(out / MANIFEST_FILE)


def _note_voices(voices: Sequence[Voice]) -> None:
    counts = Counter(v.engine for v in voices)
    each = ", ".join(f"{engine} {count}" for engine, count in counts.items())
    note(f"{len(voices)} voices ({each}) of {len({v.speaker for v in voices})} speakers")


def _note_made(seconds: dict[Take, float]) -> None:
    hours = sum(seconds.values()) / 3600.0
    counts = Counter(take.corpus for take in seconds)
    each = ", ".join(f"{count} of corpus {corpus}" for corpus, count in counts.items())
    note(f"{each}: {hours:.2f} h")
