"""The words of a whole manifest, aligned and judged: what ``wakeword align`` shows."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.audio.files import read_audio
from wakeword.data.align import SHORTEST_WORD_S, Aligner, WordTimes
from wakeword.data.manifest import Manifest, Recording
from wakeword.data.vocabulary import LEAST_CLIPS, MOST_PARTS, Vocabulary
from wakeword.errors import ManifestError

RATE = 16_000


@dataclass(frozen=True)
class Alignment:
    """One recording with the word that was found in it, if any."""

    recording: Recording
    found: WordTimes | None

    @property
    def usable(self) -> bool:
        """Whether training would take it."""
        return self.found is not None and self.found.seconds >= SHORTEST_WORD_S

    @property
    def errors_s(self) -> tuple[float, float] | None:
        """Found minus known start and end; None where either is missing."""
        r = self.recording
        if self.found is None or math.isnan(r.word_start_s):
            return None
        return self.found.start_s - r.word_start_s, self.found.end_s - r.word_end_s


@dataclass(frozen=True)
class Summary:
    """All alignments of one text; times in seconds, pairs are the 5th and 95th percentile.

    Errors are absolute, over the ``known`` clips whose times the manifest has: median and 95th
    percentile. Figures of nothing are None.
    """

    text: str
    clips: int
    not_found: int
    too_short: int
    seconds: float | None
    seconds_range: tuple[float, float] | None
    contrast_db: float | None
    log_likelihood: float | None
    known: int
    start_error_s: tuple[float, float] | None
    end_error_s: tuple[float, float] | None


def choose(
    manifest: Manifest,
    texts: Sequence[str] = (),
    split: str | None = None,
    count: int | None = None,
    seed: int = 1,
    sentences: bool = False,
) -> dict[str, list[Recording]]:
    """Recordings by text, each in the manifest's order.

    Parameters
    ----------
    texts
        The words; none: every text of one to three words that five recordings or more share.
    count
        So many of each text at most, drawn by ``seed``.
    sentences
        Also recordings whose transcript holds the text once among other words; not those whose
        stated times are of another word.

    Raises
    ------
    ManifestError
        A text, or any at all, has no recording.
    """
    by_text: dict[str, list[Recording]] = {}
    for r in manifest:
        if split in (None, r.split):
            by_text.setdefault(r.text, []).append(r)
    shared = [
        text
        for text, found in by_text.items()
        if 1 <= len(text.split()) <= MOST_PARTS and len(found) >= LEAST_CLIPS
    ]
    wanted = list(dict.fromkeys(text.strip().lower() for text in texts)) or shared
    where = f"{manifest.path}" + (f", split '{split}'" if split else "")
    missing = [text for text in wanted if not text or text not in by_text]
    if missing or not wanted:
        known = ", ".join(sorted(shared, key=lambda t: -len(by_text[t]))[:10]) or "none"
        raise ManifestError(
            f"{where}: no recording whose whole text is '{missing[0] if missing else 'a word'}'; "
            f"texts that {LEAST_CLIPS} recordings or more share: {known}"
        )
    if sentences:
        vocabulary = Vocabulary.of(manifest)
        by_text |= {
            text: [
                r
                for r in manifest
                if split in (None, r.split) and _holds(r, text, vocabulary.timed_word(r))
            ]
            for text in wanted
        }
    return {text: _sample(text, by_text[text], count, seed) for text in wanted}


def align_recordings(
    word: str,
    recordings: Iterable[Recording],
    align: Aligner,
    progress: Callable[[float], None] | None = None,
) -> list[Alignment]:
    """Read each recording and find ``word`` in it.

    Raises
    ------
    AudioError
        A recording cannot be read.
    ConfigError
        The aligner cannot spell a text.
    """
    out: list[Alignment] = []
    for recording in recordings:
        samples = read_audio(recording.path, RATE)
        out.append(Alignment(recording, align(samples, RATE, word, recording.text)))
        if progress:
            progress(1)
    return out


def most_suspicious_first(alignments: Sequence[Alignment]) -> list[Alignment]:
    """Those without a word, then the shortest, longest, faintest, least likely and most wrong."""
    found = [(i, a.found) for i, a in enumerate(alignments) if a.found is not None]
    wrong = [(i, max(map(abs, e))) for i, a in enumerate(alignments) if (e := a.errors_s)]
    likely = [(i, f.log_likelihood) for i, f in found if f.log_likelihood is not None]
    orders = [
        [i for i, _ in sorted(found, key=lambda f: f[1].seconds)],
        [i for i, _ in sorted(found, key=lambda f: -f[1].seconds)],
        [i for i, _ in sorted(found, key=lambda f: f[1].contrast_db)],
        [i for i, _ in sorted(likely, key=lambda f: f[1])],
        [i for i, _ in sorted(wrong, key=lambda w: -w[1])],
    ]
    place = {i: -1 for i, a in enumerate(alignments) if a.found is None}
    for order in orders:
        for at, i in enumerate(order):
            place[i] = min(place.get(i, at), at)
    return [alignments[i] for i in sorted(place, key=lambda i: (place[i], i))]


def summarize(text: str, alignments: Sequence[Alignment]) -> Summary:
    """Count and measure the alignments of one text."""
    found = [a.found for a in alignments if a.found is not None]
    seconds = np.array([f.seconds for f in found])
    errors = np.abs(np.array([a.errors_s for a in alignments if a.errors_s is not None]))
    return Summary(
        text,
        clips=len(alignments),
        not_found=len(alignments) - len(found),
        too_short=sum(f.seconds < SHORTEST_WORD_S for f in found),
        seconds=float(np.median(seconds)) if found else None,
        seconds_range=_percentiles(seconds, 5, 95) if found else None,
        contrast_db=float(np.median([f.contrast_db for f in found])) if found else None,
        log_likelihood=_median([f.log_likelihood for f in found if f.log_likelihood is not None]),
        known=len(errors),
        start_error_s=_percentiles(errors[:, 0], 50, 95) if len(errors) else None,
        end_error_s=_percentiles(errors[:, 1], 50, 95) if len(errors) else None,
    )


def _holds(recording: Recording, word: str, timed: str | None) -> bool:
    if recording.text == word:
        return True
    stated = not math.isnan(recording.word_start_s)
    return recording.times_said(word) == 1 and (not stated or timed == word)


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None


def _percentiles(values: NDArray[np.float64], low: float, high: float) -> tuple[float, float]:
    return float(np.percentile(values, low)), float(np.percentile(values, high))


def _sample(
    text: str, recordings: list[Recording], count: int | None, seed: int
) -> list[Recording]:
    """Which ones does not depend on what other texts there are."""
    if count is None or len(recordings) <= count:
        return recordings
    rng = np.random.default_rng([seed, zlib.crc32(text.encode())])
    return [recordings[i] for i in np.sort(rng.choice(len(recordings), count, replace=False))]
