"""Runs a model over recordings and writes down every peak: stopped at any time, gone on with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from wakeword.data.manifest import Recording
from wakeword.errors import AudioError
from wakeword.evaluation.events import Label
from wakeword.evaluation.scoring import Clip, Progress, score_each
from wakeword.frontend import Frontend
from wakeword.runtime import Bundle
from wakeword.training.hard_negatives.found import peaks_of
from wakeword.training.hard_negatives.journal import Journal
from wakeword.training.hard_negatives.segments import Cut, Segment, segments


def hunt(
    bundle: Bundle,
    recordings: Sequence[Recording],
    words: Sequence[str],
    journal: Journal,
    cut: Cut,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    unreadable: Callable[[AudioError], None],
) -> None:
    """Score what ``journal`` does not hold yet, each segment a stream of its own.

    Parameters
    ----------
    workers
        Threads; by default one a core.
    progress
        Called with the seconds of audio that were scored, from any thread.
    unreadable
        Called with why a recording could not be read to its end; the others go on.
    """
    frontend = Frontend(bundle.metadata.frontend)
    open_segments: dict[int, Segment] = {}

    def clips() -> Iterator[Clip]:
        left = _left(recordings, journal, cut, unreadable)
        for number, segment in enumerate(left):
            open_segments[number] = segment
            yield Clip.of(Label(str(segment.recording.path)), segment.samples)

    for number, track in score_each(bundle, clips(), workers=workers, progress=progress):
        segment = open_segments.pop(number)
        frames = bundle.metadata.window_frames
        journal.add(segment, peaks_of(segment, track, words, cut, frontend, frames))


def _left(
    recordings: Sequence[Recording],
    journal: Journal,
    cut: Cut,
    unreadable: Callable[[AudioError], None],
) -> Iterator[Segment]:
    """The segments that were not scored yet."""
    for recording in recordings:
        if journal.ended(recording) and not _gaps(journal.done(recording)):
            continue
        try:
            yield from segments(recording, cut, journal.done(recording))
        except AudioError as error:
            unreadable(error)


def _gaps(done: frozenset[int]) -> bool:
    """Whether a segment is missing: the last of a recording may be done before others are."""
    return len(done) != max(done) + 1
