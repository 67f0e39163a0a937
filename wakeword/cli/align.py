"""``wakeword align``: where the words of recordings were found, with pictures to check it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wakeword.alignment.ctc import METHODS, Method, make_aligner
from wakeword.cli.options import note
from wakeword.cli.plot import require_matplotlib
from wakeword.cli.progress import progress
from wakeword.data.manifest import SPLITS
from wakeword.errors import ManifestError
from wakeword.files import atomic_write, fresh_folder, refuse_foreign

if TYPE_CHECKING:
    from wakeword.data.alignment import Alignment, Summary

TABLE_FILE = "alignment.csv"
COLUMNS = (
    *("path", "text", "start_s", "end_s", "seconds", "contrast_db", "log_likelihood"),
    *("known_start_s", "known_end_s", "start_error_s", "end_error_s"),
)
EPILOG = """\b
Examples:
  wakeword align recordings.csv --text computer
  wakeword align recordings.csv --text computer --out alignment   # pictures to look through
  wakeword align recordings.csv --split train --count 200 --out alignment
  wakeword align recordings.csv --text computer --method ctc-path --sentences

\b
Where a word was not found as you hear it, write its times into the manifest
(word_start_s, word_end_s): training takes stated times as they are.
"""


@click.command(epilog=EPILOG)
@click.argument("manifest", type=click.Path(path_type=Path), metavar="MANIFEST")
@click.option(
    "--text",
    "texts",
    multiple=True,
    metavar="WORD",
    help="Recordings whose whole text is this; repeatable. [default: every text of one to three "
    "words that five recordings or more share]",
)
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="energy",
    show_default=True,
    help="By level, or by what a small network reads: 'ctc-sequential' looks for the word's "
    "letters in their order (Algorithm 1 of Arik et al. 2017), 'ctc-path' takes the best path "
    "through the whole transcript.",
)
@click.option(
    "--aligner",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The network of the ctc methods, as train-aligner wrote it. [default: English]",
)
@click.option(
    "--sentences",
    is_flag=True,
    help="Also recordings whose transcript holds the word among others; ctc methods only.",
)
@click.option("--split", type=click.Choice(SPLITS), help="Only this split. [default: all]")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write alignment.csv and pictures of 40 clips a page into this folder, the most "
    "suspicious clips first.",
)
@click.option(
    "--count",
    type=click.IntRange(1),
    metavar="N",
    help="At most N clips of each word, chosen at random. [default: all]",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Which clips --count chooses.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per word.")
def align(
    manifest: Path,
    texts: tuple[str, ...],
    method: Method,
    aligner: Path | None,
    sentences: bool,
    split: str | None,
    out: Path | None,
    count: int | None,
    seed: int,
    as_json: bool,
) -> None:
    """Find the word in each clip of MANIFEST as training does, and say how sure that is.

    By level, a word is the stretch of the clip that stands out most; the ctc methods find it by
    its letters. Prints, for each word, how many clips have none, how long the words are (median,
    5th to 95th percentile), how far they stand out of the background, how well what the network
    read fits the text (natural logarithm of the likelihood for each letter, median), and, where
    the manifest states times, by how much start and end differ from them (median, 95th
    percentile).
    """
    from wakeword.data.alignment import align_recordings, choose, summarize
    from wakeword.data.manifest import read_manifest

    if method == "energy" and (sentences or aligner is not None):
        option = "--sentences" if sentences else "--aligner"
        raise click.UsageError(f"{option} needs one of the methods {', '.join(METHODS[1:])}")
    find = make_aligner(method, aligner)
    if out is not None:
        refuse_foreign(out, "an alignment", _is_ours, ManifestError)
        require_matplotlib("drawing alignments")
    listed = read_manifest(manifest)
    for warning in listed.warnings:
        note(f"manifest {warning}")
    chosen = choose(listed, texts, split, count, seed, sentences)
    with progress("aligning", sum(map(len, chosen.values())), "clips") as advance:
        aligned = {
            text: align_recordings(text, found, find, advance) for text, found in chosen.items()
        }
    if out is not None:
        _write(out, aligned, manifest.parent)
        note(f"alignment written to {out}")
    summaries = [summarize(text, found) for text, found in aligned.items()]
    if as_json:
        for summary in summaries:
            click.echo(json.dumps(asdict(summary), ensure_ascii=False))
    else:
        click.echo(_table(summaries))


def _is_ours(name: str) -> bool:
    return name == TABLE_FILE or name.endswith(".png")


def _write(out: Path, aligned: Mapping[str, Sequence[Alignment]], root: Path) -> None:
    """The whole folder or none: a table in the manifest's order, pages for each word."""
    from wakeword.data.alignment import most_suspicious_first
    from wakeword.data.contact_sheet import CLIPS_PER_PAGE, contact_sheet

    pages = [
        (name, text, ordered[first : first + CLIPS_PER_PAGE], first, len(ordered))
        for name, text in _file_names(aligned).items()
        for ordered in [most_suspicious_first(aligned[text])]
        for first in range(0, len(ordered), CLIPS_PER_PAGE)
    ]
    with fresh_folder(out) as fresh, progress("drawing", len(pages), "pages") as advance:
        with atomic_write(fresh / TABLE_FILE) as file:
            table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(row for found in aligned.values() for row in _rows(found, root))
        for name, text, clips, first, total in pages:
            title = f"'{text}': clips {first + 1} to {first + len(clips)} of {total}"
            with atomic_write(fresh / f"{name}-{first // CLIPS_PER_PAGE + 1:03d}.png", "wb") as png:
                png.write(contact_sheet(clips, title))
            advance(1)


def _file_names(texts: Mapping[str, object]) -> dict[str, str]:
    """A file name for each text, and no two the same."""
    names: dict[str, str] = {}
    for text in texts:
        name = plain = re.sub(r"\W+", "-", text).strip("-") or "text"
        while name in names:
            name = f"{plain}-{len(names)}"
        names[name] = text
    return names


def _rows(alignments: Sequence[Alignment], root: Path) -> Iterator[dict[str, Any]]:
    for a in alignments:
        r, found, errors = a.recording, a.found, a.errors_s
        inside = r.path.is_relative_to(root)
        row: dict[str, Any] = {
            "path": (r.path.relative_to(root) if inside else r.path).as_posix(),
            "text": r.text,
        }
        if found is not None:
            row |= {
                "start_s": f"{found.start_s:.2f}",
                "end_s": f"{found.end_s:.2f}",
                "seconds": f"{found.seconds:.2f}",
                "contrast_db": f"{found.contrast_db:.1f}",
            }
            if found.log_likelihood is not None:
                row["log_likelihood"] = f"{found.log_likelihood:.2f}"
        if r.word_start_s == r.word_start_s:  # not NaN: the manifest states them
            row |= {"known_start_s": r.word_start_s, "known_end_s": r.word_end_s}
        if errors is not None:
            row |= {"start_error_s": f"{errors[0]:.3f}", "end_error_s": f"{errors[1]:.3f}"}
        yield row


def _table(summaries: Sequence[Summary]) -> str:
    from wakeword.evaluation.tables import markdown

    read = any(s.log_likelihood is not None for s in summaries)
    header = ["word", "clips", "no word", "too short", "seconds (5-95 %)", "contrast dB",
              *(["log likelihood"] if read else []),
              "times stated", "start off by s (95 %)", "end off by s (95 %)"]  # fmt: skip
    rows = [
        [
            s.text,
            str(s.clips),
            str(s.not_found),
            str(s.too_short),
            _figures(s.seconds_range, s.seconds),
            _number(s.contrast_db, 0),
            *([_number(s.log_likelihood, 2)] if read else []),
            str(s.known),
            _figures(s.start_error_s),
            _figures(s.end_error_s),
        ]
        for s in summaries
    ]
    return markdown(header, rows)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _figures(pair: tuple[float, float] | None, median: float | None = None) -> str:
    """``0.62 (0.41 to 0.98)``, or ``0.03 (0.11)`` where the pair is a median and a bound."""
    if pair is None:
        return ""
    if median is None:
        return f"{pair[0]:.2f} ({pair[1]:.2f})"
    return f"{median:.2f} ({pair[0]:.2f} to {pair[1]:.2f})"
