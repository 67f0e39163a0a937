"""Operating points from recordings of one's own, with the library's evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wakeword.audio.files import open_audio, read_blocks
from wakeword.errors import AudioError, BundleError, EvaluationError
from wakeword.evaluation.calibration import calibrate
from wakeword.evaluation.events import Label, Truth
from wakeword.evaluation.scoring import Clip, event_rules, score_clips
from wakeword.runtime import Bundle
from wakeword.tables import from_table

MAX_CLIP_S = 30.0
"""A longer clip of the word is a recording that holds it somewhere: not what is asked for."""

CONDITION = "clips that were recorded here"

Progress = Callable[[float, float | None], None]
"""Called with the seconds that were scored, and those that there are where that is known."""


@dataclass(frozen=True)
class Recording:
    """A file, and what the client calls it."""

    path: str
    name: str


@dataclass(frozen=True)
class Task:
    """What is to be measured; positives hold the only one of ``words``."""

    bundle: str
    sha256: str
    words: tuple[str, ...]
    targets: tuple[float, ...]
    negatives: tuple[Recording, ...]
    positives: tuple[Recording, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values; :meth:`from_dict` is the inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: object) -> Task:
        """A task from :meth:`to_dict`."""
        return from_table(cls, values, "task")


def measure(task: Task, progress: Progress) -> dict[str, Any]:
    """Operating points and curves by word, as metadata.json has them.

    Raises
    ------
    AudioError
        A recording cannot be read; the message names it as the client does.
    BundleError
        The model's folder does not hold the model any more that is to be measured.
    EvaluationError
        There is no audio to measure on.
    """
    bundle = Bundle.load(task.bundle)
    if bundle.sha256 != task.sha256:
        raise BundleError(f"model '{bundle.name}' was replaced since the calibration was asked for")
    total_s = _total_s(task)
    done_s = 0.0

    def scored(seconds: float) -> None:
        nonlocal done_s
        done_s += seconds
        progress(done_s, total_s)

    progress(0.0, total_s)
    negatives = [_clip(r, Label(r.name)) for r in task.negatives]
    positives = [_clip(r, _label(r, task.words[0])) for r in task.positives]
    tracks = score_clips(bundle, [*negatives, *positives], workers=1, progress=scored)
    rules = event_rules(bundle)
    points = {
        word: calibrate(
            word, tracks[: len(negatives)], tracks[len(negatives) :], rules, CONDITION, task.targets
        )
        for word in task.words
    }
    return {
        "negative_h": rules.hours(tracks[: len(negatives)]),
        "positive_clips": len(positives),
        "operating_points": {word: table.to_list() for word, table in points.items()},
        "curves": {word: table.curve.to_dict() for word, table in points.items() if table.curve},
    }


def _clip(recording: Recording, label: Label) -> Clip:
    def blocks() -> Any:
        try:
            yield from read_blocks(recording.path)
        except AudioError as why:
            raise _named(recording, why) from why

    return Clip(label, blocks)


def _label(recording: Recording, word: str) -> Label:
    """A clip is one utterance, wherever in it the word is."""
    duration_s = _duration_s(recording)
    if duration_s is None or not 0.0 < duration_s <= MAX_CLIP_S:
        said = "of unknown length" if duration_s is None else f"{duration_s:.1f} s long"
        raise EvaluationError(
            f"{recording.name} is {said}, but a clip of the word must have at most {MAX_CLIP_S:g} s"
        )
    return Label(recording.name, truths=(Truth(word, 0.0, duration_s),))


def _total_s(task: Task) -> float | None:
    lengths = [_duration_s(r) for r in (*task.negatives, *task.positives)]
    known = [length for length in lengths if length is not None]
    return sum(known) if len(known) == len(lengths) else None


def _duration_s(recording: Recording) -> float | None:
    try:
        with open_audio(recording.path) as audio:
            return audio.info.duration_s
    except AudioError as why:
        raise _named(recording, why) from why


def _named(recording: Recording, why: AudioError) -> AudioError:
    """The same error without our paths."""
    return AudioError(str(why).replace(recording.path, recording.name))


def bundle_path(bundle: Bundle) -> str:
    """Where another process finds ``bundle``."""
    return str(Path(bundle.path).resolve())
