"""Two halves of what is trained on: one for the weights, one for the architecture.

Mo et al. 2020 split all recordings 40 : 40 : 20; here the training split is halved, and dev and
test are left as they are. Nobody speaks in both halves; background is in both, of which there is
too little to be halved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wakeword.data.manifest import Recording
from wakeword.data.sources import AlignedWord, Sources
from wakeword.errors import ManifestError
from wakeword.training.shards import Plan
from wakeword.training.windows import SceneArrays


@dataclass(frozen=True)
class HalvesPlan:
    """Shards by turns: of the weights' half the even ones, of the architecture's the odd ones."""

    weights: Plan
    architecture: Plan

    def make(self, number: int) -> SceneArrays:
        """Shard ``number``."""
        return (self.weights, self.architecture)[number % 2].make(number // 2)


def halves(sources: Sources) -> tuple[Sources, Sources]:
    """Half of the speakers each; other speech that cannot be halved is in both.

    Raises
    ------
    ManifestError
        All clips of a word are in the same half.
    """
    half_of = _speakers(sources)
    first, second = (_half(sources, half_of, number) for number in range(2))
    for half in (first, second):
        for k, (clips, own) in enumerate(zip(sources.words, half.words, strict=True), 1):
            if not own:
                raise ManifestError(
                    f"word {k} has {len(clips)} clips, all of speakers of one half: a search needs "
                    "clips of it in both halves of the training split"
                )
    return first, second


def _speakers(sources: Sources) -> dict[str, int]:
    """Which half each speaker is in: of every word as many in one as in the other, or nearly."""
    recordings = sources.corpus.recordings
    half_of: dict[str, int] = {}
    spoken = [[w.index for w in word] for word in (*sources.words, *sources.also)]
    for indices in (*spoken, sources.speech, sources.clips):
        speakers = sorted({_speaker(recordings[i]) for i in indices}, key=_drawn)
        in_both = [sum(half_of.get(s) == number for s in speakers) for number in range(2)]
        for speaker in speakers:
            if speaker not in half_of:
                half_of[speaker] = int(in_both[1] < in_both[0])
                in_both[half_of[speaker]] += 1
    return half_of


def _speaker(recording: Recording) -> str:
    known = recording.speaker not in ("", "unknown")
    return f"{recording.corpus} {recording.speaker}" if known else recording.path.name


def _drawn(speaker: str) -> bytes:
    """An order that is always the same and means nothing."""
    return hashlib.sha1(speaker.encode()).digest()


def _half(sources: Sources, half_of: Mapping[str, int], number: int) -> Sources:
    recordings = sources.corpus.recordings

    def words(found: Sequence[Sequence[AlignedWord]]) -> tuple[tuple[AlignedWord, ...], ...]:
        return tuple(
            tuple(w for w in word if half_of[_speaker(recordings[w.index])] == number)
            for word in found
        )

    def indices(found: Sequence[int]) -> tuple[int, ...]:
        kept = tuple(i for i in found if half_of[_speaker(recordings[i])] == number)
        return kept if 0 < len(kept) < len(found) else tuple(found)

    return replace(
        sources,
        words=words(sources.words),
        also=words(sources.also),
        speech=indices(sources.speech),
        clips=indices(sources.clips),
    )
