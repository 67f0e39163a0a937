"""The Picovoice benchmark on the recordings of a manifest: one long stream for each word."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wakeword.data.manifest import Recording
from wakeword.data.picovoice_plan import Kind, StreamConfig
from wakeword.data.picovoice_sounds import Ingredients, Lengths, SoundCache, measure_lengths
from wakeword.data.picovoice_stream import Keyword, StreamMaker
from wakeword.errors import ConfigError, EvaluationError
from wakeword.evaluation.events import EventRules, Label, Track, Truth
from wakeword.evaluation.picovoice import AFTER_S, judge_stream
from wakeword.evaluation.picovoice_result import (
    TARGET_FA_PER_HOUR,
    Content,
    ProtocolResult,
    Utterance,
    WordResult,
)
from wakeword.evaluation.scoring import event_rules
from wakeword.runtime import Bundle
from wakeword.training.measuring import Stage
from wakeword.training.picovoice_scoring import KeptScores, score_stream, scored_seconds
from wakeword.training.trials import Trials


@dataclass(frozen=True)
class Protocol:
    """What to measure.

    words
        By default all of the bundle that have clips.
    speech_corpora
        Corpora between the keywords; by default all that hold running speech.
    scores
        Folder in which the scores of each stream are kept, so that a run that was stopped goes
        on; by default nowhere.
    """

    stream: StreamConfig = field(default_factory=StreamConfig)
    target_fa_per_hour: float = TARGET_FA_PER_HOUR
    words: tuple[str, ...] = ()
    speech_corpora: frozenset[str] = frozenset()
    scores: Path | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.target_fa_per_hour < math.inf:
            raise ConfigError(
                f"target of {self.target_fa_per_hour} false alarms per hour; it must be above 0"
            )


def run_protocol(
    bundle: Bundle, trials: Trials, manifest_sha256: str, protocol: Protocol, stage: Stage
) -> ProtocolResult:
    """Make, score and judge the stream of each word.

    Raises
    ------
    EvaluationError
        No clips of a word, or no speech or no noise to put between and under them.
    ConfigError
        A word that the bundle does not hear.
    AudioError
        A recording cannot be read, or is digital silence.
    """
    words = _words(bundle, trials, protocol.words)
    chosen = [choose_ingredients(trials, word, protocol.speech_corpora) for word in words]
    cache = SoundCache(bundle.metadata.frontend.sample_rate)
    count = len({recording.path for each in chosen for recording in each.all})
    lengths = measure_lengths(chosen, cache, stage("reading", count, "recordings"))
    kept = KeptScores(protocol.scores, bundle, trials, manifest_sha256)
    run = _Run(bundle, trials, protocol, lengths, kept, stage)
    makers = [StreamMaker(each, lengths, protocol.stream, cache) for each in chosen]
    results = tuple(run.measure(maker) for maker in makers)
    return ProtocolResult(protocol.target_fa_per_hour, protocol.stream.snr_db, results)


def choose_ingredients(trials: Trials, word: str, speech_corpora: Collection[str]) -> Ingredients:
    """The clips of ``word``, the speech that surely lacks it, and the noise.

    Without ``speech_corpora``, speech is every transcript of several words. Recordings whose
    transcript holds the word, and those without a transcript, are left out.

    Raises
    ------
    EvaluationError
        There is nothing of one of the three.
    """
    noise_corpora = trials.config.noise_corpora
    clips = [r for r in trials.recordings if r.text == word]
    noise = [r for r in trials.recordings if r.corpus in noise_corpora]
    speech = [
        r
        for r in trials.recordings
        if r.corpus not in noise_corpora
        and (r.corpus in speech_corpora if speech_corpora else _is_running(r, trials.words))
        and r.text != word
        and word not in trials.label(r).unsure
    ]
    for what, found, among in (
        ("no clip of it", clips, ()),
        ("no speech without it to put between the clips", speech, speech_corpora),
        ("no noise", noise, noise_corpora),
    ):
        if not found:
            of = f" (corpora: {', '.join(sorted(among))})" if among else ""
            raise EvaluationError(f"no stream for '{word}': the usable recordings hold {what}{of}")
    return Ingredients(word, tuple(clips), tuple(speech), tuple(noise))


def content(maker: StreamMaker, lengths: Lengths) -> Content:
    """What a stream holds, and how much of it is not a repetition."""
    plan, per_hour = maker.plan, 3600.0 * maker.rate
    spoken = plan.indices(Kind.SPEECH)
    said = _distinct(plan.parts.sources[spoken], maker.ingredients.speech, lengths.speech)
    under = _distinct(plan.noise.sources, maker.ingredients.noise, lengths.noise)
    return Content(
        hours=plan.samples / per_hour,
        segments=int((plan.kinds != Kind.KEYWORD).sum()),
        spoken_segments=len(spoken),
        spoken_hours=float(plan.lengths[spoken].sum()) / per_hour,
        distinct_speech_hours=said / per_hour,
        distinct_noise_hours=under / per_hour,
    )


@dataclass(frozen=True)
class _Run:
    """What the streams of all words share."""

    bundle: Bundle
    trials: Trials
    protocol: Protocol
    lengths: Lengths
    kept: KeptScores
    stage: Stage

    @property
    def rules(self) -> EventRules:
        """The detector's own, with the benchmark's time after a clip."""
        return replace(event_rules(self.bundle), tolerance_s=AFTER_S)

    def measure(self, maker: StreamMaker) -> WordResult:
        """Figures of one stream."""
        word, rate = maker.ingredients.word, maker.rate
        laying = self.stage(f"laying out '{word}'", maker.plan.samples / rate)
        gain, keywords = maker.survey(laying)
        scores = self.kept.load(maker, self.protocol.stream)
        if scores is None:
            scoring = self.stage(f"scoring '{word}'", scored_seconds(self.bundle, maker))
            scores = score_stream(self.bundle, maker, gain, scoring)
            self.kept.save(maker, self.protocol.stream, scores)
        truths = tuple(Truth(word, k.start / rate, k.end / rate) for k in keywords)
        steps = maker.plan.samples // self.bundle.metadata.step_samples
        label = Label(f"stream of '{word}'", truths=truths)
        return judge_stream(
            Track(label, (word,), scores[:, None], steps),
            list(self._utterances(keywords, rate)),
            content(maker, self.lengths),
            self.rules,
            self.protocol.target_fa_per_hour,
            self._shipped(word),
            lambda time_s: self._blame(maker, time_s),
        )

    def _utterances(self, keywords: Sequence[Keyword], rate: int) -> Iterator[Utterance]:
        for k in keywords:
            label, noise = self.trials.label(k.recording), self.trials.label(k.noise).name
            times = k.start / rate, k.end / rate
            yield Utterance(label.name, label.corpus, label.speaker, noise, *times, k.snr_db)

    def _blame(self, maker: StreamMaker, time_s: float) -> tuple[str, bool]:
        """What the alarm at ``time_s`` fell on: the window that the network saw then."""
        metadata = self.bundle.metadata
        window = metadata.window_frames * metadata.frontend.hop_samples
        recording, is_speech = maker.source_at(round(time_s * maker.rate) - 1, window)
        return self.trials.label(recording).name, is_speech

    def _shipped(self, word: str) -> float | None:
        try:
            return self.bundle.threshold(word, self.protocol.target_fa_per_hour)
        except ConfigError:
            return None


def _words(bundle: Bundle, trials: Trials, asked: Sequence[str]) -> list[str]:
    for word in asked:
        if word not in bundle.words:
            raise ConfigError(
                f"'{word}' is not a word of {bundle.name}; it hears: {', '.join(bundle.words)}"
            )
    if asked:
        return list(dict.fromkeys(asked))
    found = [word for word, clips in trials.clips_of.items() if clips]
    if not found:
        raise EvaluationError(
            f"the usable recordings hold no clip of any word: {', '.join(bundle.words)}"
        )
    return found


def _is_running(recording: Recording, words: Collection[str]) -> bool:
    return " " in recording.text and recording.text not in words


def _distinct(
    sources: NDArray[np.int64], among: Sequence[Recording], samples: Mapping[Path, int]
) -> int:
    """Samples of the different recordings among those drawn."""
    return sum(samples[path] for path in {among[int(i)].path for i in np.unique(sources)})
