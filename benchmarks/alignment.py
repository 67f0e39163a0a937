"""How far are words from where they were found? Measures it, and writes docs/training.md.

    python benchmarks/alignment.py --manifest ../shared/data/manifest.csv [--method energy]

Every way of alignment looks for the words of one corpus whose times were marked by hand: alone
in their clips, and, where a method can, inside sentences.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sections import Section

from wakeword.alignment.ctc import METHODS, Method, make_aligner
from wakeword.cli.progress import progress
from wakeword.data.alignment import Alignment, align_recordings, choose
from wakeword.data.manifest import Manifest, read_manifest
from wakeword.data.vocabulary import Vocabulary
from wakeword.evaluation.tables import markdown

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "training.md"
SECTION = "alignment"
WITHIN_S = (0.05, 0.1, 0.2)
"""Shares of clips whose start and end are both no further off than this."""


@dataclass(frozen=True)
class Errors:
    """Found minus stated times of one method in one kind of recording, (clips, 2) seconds."""

    method: Method
    inside: bool
    clips: int
    seconds: np.ndarray

    def row(self) -> list[str]:
        """As the table of docs/training.md has it."""
        cells = []
        for column in self.seconds.T:
            half, most = np.percentile(np.abs(column), [50, 95])
            cells += [f"{np.median(column):+.3f}", f"{half:.3f}", f"{most:.3f}"]
        wrong = np.abs(self.seconds).max(axis=1)
        cells += [f"{100 * np.mean(wrong <= limit):.1f} %" for limit in WITHIN_S]
        where = "in sentences" if self.inside else "alone"
        missing = self.clips - len(self.seconds)
        return [self.method, where, str(self.clips), str(missing), *cells]


def main() -> None:
    """Align with every method and write the table."""
    parser = argparse.ArgumentParser(description="How far are words from where they were found?")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--corpus", default="wuw2", help="whose times were marked by hand")
    parser.add_argument("--split", help="only this split")
    parser.add_argument("--method", action="append", choices=METHODS, help="repeatable")
    parser.add_argument("--document", type=Path, default=DOCUMENT, help="the page to write")
    given = parser.parse_args()
    section = Section(given.document, SECTION)
    timed = with_times(read_manifest(given.manifest), given.corpus, given.split)
    rows = [e.row() for m in given.method or METHODS for e in errors_of(m, timed, given.corpus)]
    section.write(text_of(timed, given.corpus, rows))


def with_times(manifest: Manifest, corpus: str, split: str | None) -> Manifest:
    """The recordings of a corpus of which it is stated where which word is."""
    vocabulary = Vocabulary.of(manifest)
    wanted = manifest.where(lambda r: r.corpus == corpus and split in (None, r.split))
    kept = tuple(r for r in wanted if vocabulary.timed_word(r) is not None)
    return replace(manifest, recordings=kept)


def errors_of(method: Method, timed: Manifest, corpus: str) -> Iterator[Errors]:
    """Words alone, and inside sentences where the method reads transcripts."""
    sentences = method != "energy"
    words = sorted(Vocabulary.of(timed).words[corpus])
    chosen = choose(timed, words, sentences=sentences)
    align = make_aligner(method, None)
    found: list[Alignment] = []
    with progress(method, sum(map(len, chosen.values())), "recordings") as advance:
        for word, recordings in chosen.items():
            found += align_recordings(word, recordings, align, advance)
    for inside in (False, True):
        group = [a for a in found if (a.recording.text not in words) == inside]
        if group:
            errors = np.array([a.errors_s for a in group if a.errors_s is not None])
            yield Errors(method, inside, len(group), errors.reshape(-1, 2))


def text_of(timed: Manifest, corpus: str, rows: Sequence[Sequence[str]]) -> str:
    """The section: what was measured on, and the table."""
    speakers = len({r.speaker for r in timed})
    hours = math.fsum(r.seconds for r in timed) / 3600.0
    header = [
        "method", "words", "clips", "not found",
        *(f"{edge}, {what}" for edge in ("start", "end") for what in ("bias", "error", "95 %")),
        *(f"both within {limit:g} s" for limit in WITHIN_S),
    ]  # fmt: skip
    return (
        f"Corpus `{corpus}`: {len(timed)} recordings with times marked by hand, {speakers} "
        f"speakers, {hours:.1f} h. In seconds: bias is the median of found minus marked, error "
        f"the median of what it is off by, one in twenty is off by more than 95 %.\n\n"
        f"{markdown(header, rows)}"
    )


if __name__ == "__main__":
    main()
