"""``wakeword mine``: the stretches of any amount of audio that a model takes for a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wakeword.cli.mine_options import KeepOptions, keep_options
from wakeword.cli.options import note, say_error
from wakeword.cli.plot import require_matplotlib
from wakeword.cli.progress import progress
from wakeword.data.manifest import SPLITS
from wakeword.errors import AudioError, ConfigError, UnknownModelError
from wakeword.files import refuse_foreign
from wakeword.runtime import Bundle, find_bundle

if TYPE_CHECKING:
    from wakeword.training.hard_negatives.found import Chosen, Peak
    from wakeword.training.hard_negatives.recordings import Audio

FAILED = 2
EPILOG = """\b
Examples:
  wakeword mine seven ~/podcasts television.flac --out mined
  wakeword mine my-model recordings.csv --split train --out mined --per-cluster 1
  wakeword mine seven ~/podcasts --out mined --least-score 0.3   # what was scored is kept

\b
Interrupt it at any time and call it again: it goes on where it stopped. New recordings
are scored, old ones are not. Listen to the clips, remove those that do hold the word,
and name mined/manifest.csv in a recipe's more_manifests: docs/training.md.
"""


@click.command(epilog=EPILOG)
@click.argument("bundle", metavar="MODEL")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH..."
)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path),
              metavar="DIR", help="Folder of the list, the clips, and how far it is.")  # fmt: skip
@click.option("--word", "-w", "words", multiple=True, metavar="WORD",
              help="Only mistakes for this word; repeatable. [default: all of "
                   "the model]")  # fmt: skip
@click.option("--split", type=click.Choice(SPLITS), default="train", show_default=True,
              help="Split of manifests that is taken, and that other files are said to be "
                   "of.")  # fmt: skip
@keep_options
@click.option("--workers", type=click.IntRange(1, 256), metavar="N",
              help="Threads that score. [default: all cores]")  # fmt: skip
def mine(
    bundle: str,
    paths: tuple[Path, ...],
    out: Path,
    words: tuple[str, ...],
    split: str,
    keep: KeepOptions,
    workers: int | None,
) -> int:
    """Run MODEL over recordings in which nobody says its words, and keep its worst mistakes.

    PATH is a folder (with what is below it), an audio file of any length, or a manifest (.csv),
    of which recordings whose transcript holds a word are left out. Mistakes are peaks of the
    smoothed posterior. Those that are the same sound, a clock's ticking, are one cluster, of which
    a few are kept; the list says how many there were.

    Writes mined.jsonl, clips/ with manifest.csv, and sheets/ with pictures. Exit code 2 if a
    recording could not be read; the others are mined.
    """
    from wakeword.training.hard_negatives.recordings import find_audio
    from wakeword.training.hard_negatives.writing import is_ours

    model = find_bundle(bundle)
    choice, wanted = keep.choice, _words(model, words)
    refuse_foreign(out, "mined clips", is_ours, ConfigError)
    if keep.clips and keep.pictures:
        require_matplotlib("drawing mistakes")
    audio = find_audio(paths, wanted, split)
    for warning in audio.warnings:
        note(f"manifest {warning}")
    if audio.saying:
        note(f"{audio.saying} recordings hold a word and are left out")
    peaks, failed = _hunt(model, audio, wanted, out, workers)
    from wakeword.training.hard_negatives.found import choose

    rate = model.metadata.frontend.sample_rate
    chosen, clusters = choose(peaks, rate, choice)
    _write(model, out, audio, chosen, keep)
    _report(wanted, [p for p in peaks if p.score >= choice.least_score], chosen, clusters)
    return FAILED if failed else 0


def _words(model: Bundle, words: Sequence[str]) -> tuple[str, ...]:
    unknown = [w for w in words if w not in model.words]
    if unknown:
        raise UnknownModelError(
            f"{model.name} does not hear '{unknown[0]}'; its words are {', '.join(model.words)}"
        )
    return tuple(dict.fromkeys(words)) or model.words


def _hunt(
    model: Bundle, audio: Audio, words: Sequence[str], out: Path, workers: int | None
) -> tuple[list[Peak], int]:
    """Score what was not scored yet; all peaks, and how many recordings could not be read."""
    from wakeword.training.hard_negatives.hunt import hunt
    from wakeword.training.hard_negatives.journal import Journal, run_key
    from wakeword.training.hard_negatives.segments import Cut

    failed: list[AudioError] = []

    def unreadable(error: AudioError) -> None:
        failed.append(error)
        say_error(str(error))

    cut = Cut.of(model)
    with Journal(out, run_key(model, words, cut)) as journal:
        known_s = sum(journal.scored_samples(r) for r in audio.recordings) / cut.sample_rate
        if known_s:
            note(f"{known_s / 3600.0:.1f} h were scored already")
        with progress("mining", audio.seconds) as advance:
            advance(known_s)
            hunt(model, audio.recordings, words, journal, cut, workers=workers, progress=advance,
                 unreadable=unreadable)  # fmt: skip
        return list(journal.peaks(audio.recordings)), len(failed)


def _write(
    model: Bundle, out: Path, audio: Audio, chosen: Sequence[Chosen], keep: KeepOptions
) -> None:
    from wakeword.training.hard_negatives import writing

    metadata = model.metadata
    rate = metadata.frontend.sample_rate
    clips = writing.plan_clips(chosen, audio.recordings, rate)
    window_s = metadata.window_frames * metadata.frontend.hop_samples / rate
    if keep.clips:
        with progress("cutting", len(clips), "clips") as advance:
            writing.write_clips(out, clips, rate, advance)
        if keep.pictures:
            with progress("drawing", None, "pages") as advance:
                writing.write_sheets(out, clips, rate, advance)
    writing.write_list(out, clips, rate, window_s)
    click.echo(out / writing.LIST_FILE)


def _report(
    words: Sequence[str], peaks: Sequence[Peak], chosen: Sequence[Chosen], clusters: int
) -> None:
    found = Counter(p.word for p in peaks)
    kept = Counter(c.peak.word for c in chosen)
    each = ", ".join(f"{word} {kept[word]} of {found[word]}" for word in words)
    note(f"kept {len(chosen)} of {len(peaks)} mistakes ({clusters} different sounds): {each}")
    largest = max(chosen, key=lambda c: c.cluster_size, default=None)
    if largest is not None and largest.cluster_size > 1:
        note(f"the most frequent sound was mistaken {largest.cluster_size} times")
