"""From a manifest to what a bundle is measured on: clips in noise, negatives, the truth of both.

A recording may be used if it is of the split that is measured, or of a corpus that the bundle
was not trained on: then all its splits are unheard.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from wakeword.audio.files import read_audio, read_blocks
from wakeword.audio.resample import MODEL_RATE
from wakeword.data.manifest import Manifest, Recording
from wakeword.data.mixing import loudest_rms
from wakeword.data.vocabulary import Vocabulary
from wakeword.errors import EvaluationError
from wakeword.evaluation.conditions import Condition, Kind
from wakeword.evaluation.events import Label, Truth
from wakeword.evaluation.scoring import Clip
from wakeword.runtime import Bundle
from wakeword.training.commands.bundles import commands_of
from wakeword.training.mixtures import Mixer

_SHORTEST_TALK_S = 2.0


@dataclass(frozen=True)
class TrialConfig:
    """How trials are made.

    noise_corpora
        Which corpora of the manifest are noise: alarms are counted in them, and clips mixed
        with them.
    context_s
        Noise or babble alone before and after each mixed clip, so that PCEN is adapted to it.
    talkers
        Voices in the babble, each another recording of running speech.
    rooms
        Simulated rooms from which clips at a distance are heard.
    substitutions
        Whether one word of the bundle taken for another is a false alarm. In a command set it is
        not: who gives commands says them all, and what is taken for what is measured by itself.
    """

    noise_corpora: frozenset[str]
    split: str = "dev"
    seed: int = 1
    context_s: float = 1.0
    talkers: int = 6
    rooms: int = 24
    substitutions: bool = True


class Trials:
    """The recordings of a manifest on which a bundle can be measured honestly.

    Parameters
    ----------
    words
        Those of the bundle.
    trained_on
        Corpora that it was trained on.
    sample_rate
        In which it hears: recordings are read at this rate.
    excluded
        Paths of the manifest, ``*`` allowed, that are not measured on.

    Raises
    ------
    EvaluationError
        The manifest has no recording that may be used.
    """

    def __init__(
        self,
        manifest: Manifest,
        words: Sequence[str],
        trained_on: Collection[str],
        config: TrialConfig,
        sample_rate: int = MODEL_RATE,
        excluded: Collection[str] = (),
    ) -> None:
        self.words = tuple(words)
        self.config = config
        self.sample_rate = sample_rate
        self._root = manifest.path.parent
        usable = manifest.where(lambda r: r.split == config.split or r.corpus not in trained_on)
        self.recordings = [r for r in usable if not any(map(r.path.match, excluded))]
        self.excluded = len(usable) - len(self.recordings)
        self._vocabulary = Vocabulary.of(manifest)
        if not self.recordings:
            raise EvaluationError(
                f"{manifest.path} has no recording of the split '{config.split}', "
                "nor of a corpus that the bundle was not trained on"
            )
        noise = [r for r in self.recordings if r.corpus in config.noise_corpora]
        talk = [r for r in self.recordings if self._is_talk(r)]
        self._mixer = Mixer(noise, talk, config, sample_rate)

    @classmethod
    def of_bundles(
        cls, bundles: Sequence[Bundle], manifest: Manifest, config: TrialConfig
    ) -> Trials:
        """What bundles can be measured on, all on the same: what none of them has heard.

        The words are those of all of them, so that no babble holds a word of any. Recordings that
        a recipe excludes are left out: what is said there is not what the manifest says.

        Raises
        ------
        EvaluationError
            They hear at different rates.
        """
        rates = sorted({b.metadata.frontend.sample_rate for b in bundles})
        if len(rates) > 1:
            raise EvaluationError(
                f"the models hear at {' and '.join(map(str, rates))} Hz: they cannot be measured "
                "on the same recordings"
            )
        words = dict.fromkeys(word for b in bundles for word in b.words)
        trained_on = {s.corpus for b in bundles for s in b.metadata.training.data}
        excluded = {p for b in bundles for p in listed_in_recipe(b, "exclude_recordings")}
        if any(commands_of(b) is not None for b in bundles):
            config = replace(config, substitutions=False)
        return cls(manifest, tuple(words), trained_on, config, rates[0], excluded)

    @property
    def clips_of(self) -> dict[str, int]:
        """Number of clips of each word."""
        return {word: sum(r.text == word for r in self.recordings) for word in self.words}

    @property
    def seconds(self) -> float:
        """Length of :meth:`recorded`."""
        return sum(r.seconds for r in self.recordings)

    def mixed_seconds(self, condition: Condition) -> float:
        """Length of :meth:`mixed`."""
        clips = [r for r in self.recordings if r.text in self.words]
        return sum(self._mixer.seconds(r, self._name(r), condition) for r in clips)

    def levels_dbfs(self) -> dict[str, float]:
        """Level of the loudest 0.3 s of each clip as recorded, by name; silent ones are left out.

        Raises
        ------
        AudioError
            A recording cannot be read.
        """
        rate = self._mixer.sample_rate
        clips = [r for r in self.recordings if self.label(r).truths]
        levels = {self._name(r): loudest_rms(read_audio(r.path, rate), rate) for r in clips}
        return {name: 20.0 * math.log10(level) for name, level in levels.items() if level > 0.0}

    def left_out(self) -> list[Recording]:
        """Recordings in which no alarm of some word can be called false: see :meth:`label`."""
        return [r for r in self.recordings if self._maybe_said(r)]

    def lacks(self, kind: Kind) -> str | None:
        """What is missing to mix clips with noise or babble; None where nothing is."""
        return self._mixer.lacks(kind)

    def conditions(
        self, snrs_db: Iterable[float], kinds: Iterable[Kind] = ("noise", "babble")
    ) -> list[Condition]:
        """Clean, in sentences, then each kind from faint to loud, as far as the recordings allow.

        ``telephone`` has no levels. Then clean and noise at each distance of
        :meth:`simulate_rooms`.
        """
        snrs = sorted(set(snrs_db), reverse=True)
        levels = {"telephone": [math.inf]}
        possible = [kind for kind in kinds if self.lacks(kind) is None]
        inside = any(self.label(r).in_sentence for r in self.recordings)
        clean = [Condition("clean"), *([Condition("sentence")] if inside else [])]
        near = clean + [Condition(k, snr) for k in possible for snr in levels.get(k, snrs)]
        heard_far = [c for c in near if c.kind in ("clean", "noise")]
        return near + [replace(c, distance_m=m) for m in self._mixer.distances_m for c in heard_far]

    def simulate_rooms(
        self, distances_m: Iterable[float], progress: Callable[[float], None] | None = None
    ) -> None:
        """Make the rooms in which :meth:`mixed` puts clips at these distances.

        Raises
        ------
        ConfigError
            A distance is not between 0.1 and 10 m.
        MissingExtraError
            pyroomacoustics is not installed.
        """
        self._mixer.simulate_rooms(distances_m, progress)

    def recorded(self) -> Iterable[Clip]:
        """Every usable recording as it is: the negatives, and the clean clips among them."""
        for recording in self.recordings:
            read = partial(read_blocks, recording.path, self.sample_rate)
            yield Clip(self.label(recording), read)

    def mixed(self, condition: Condition) -> Iterable[Clip]:
        """Every clip of a word in noise or babble, with some of it before and after.

        Which noise and which room a clip gets follows from the seed and its own name: it is the
        same at every SNR and distance, and does not depend on what else is in the manifest.
        SNR is that at the microphone: a room changes no level.

        Raises
        ------
        EvaluationError
            The manifest has no noise, or too little running speech for babble; or no rooms were
            simulated for the distance.
        """
        self._mixer.check(condition)
        offset_s = self._mixer.offset_s(condition)
        for recording in self.recordings:
            if recording.text in self.words:
                label = self.label(recording, offset_s)
                yield Clip(label, partial(self._mixer.mix, recording, label.name, condition))

    def mixed_in(self, recording: Recording, condition: Condition) -> tuple[Recording, ...]:
        """Which noise or which talkers :meth:`mixed` puts a clip into; none where it is clean."""
        return self._mixer.mixed_in(recording, self._name(recording), condition)

    def label(self, recording: Recording, offset_s: float = 0.0) -> Label:
        """What is known of a recording that begins ``offset_s`` into its stream.

        A recording whose text is exactly a word is a clip of it, anywhere inside where the
        manifest gives no times; a sentence holds a word where its times are those of the word.
        Where a transcript merely holds a word, or there is no transcript, nobody knows whether
        an alarm there is false: such words are unsure.
        """
        truths: tuple[Truth, ...] = ()
        alone = recording.text in self.words
        word = recording.text if alone else self._vocabulary.timed_word(recording)
        if word in self.words:
            start, end = recording.word_start_s, recording.word_end_s
            if math.isnan(start):
                start, end = 0.0, recording.seconds
            truths = (Truth(word, offset_s + start, offset_s + end),)
        unsure = self._maybe_said(recording)
        if alone and not self.config.substitutions:
            unsure = set(self.words) - {recording.text}
        speaker = "" if recording.speaker == "unknown" else recording.speaker
        return Label(
            self._name(recording), recording.corpus, speaker, truths, frozenset(unsure),
            in_sentence=bool(truths) and not alone,
        )  # fmt: skip

    def _maybe_said(self, recording: Recording) -> set[str]:
        """Words that are somewhere in a recording, nobody knows where, or may be."""
        if recording.corpus in self.config.noise_corpora:
            return set()
        alone = recording.text in self.words
        word = recording.text if alone else self._vocabulary.timed_word(recording)
        return {w for w in self.words if w != word and (recording.says(w) or not recording.text)}

    def _is_talk(self, recording: Recording) -> bool:
        return (
            " " in recording.text
            and recording.seconds >= _SHORTEST_TALK_S
            and recording.corpus not in self.config.noise_corpora
            and not any(recording.says(w) for w in self.words)
        )

    def _name(self, recording: Recording) -> str:
        """Path as the manifest has it, so that it is the same on every machine."""
        inside = recording.path.is_relative_to(self._root)
        return (recording.path.relative_to(self._root) if inside else recording.path).as_posix()


def listed_in_recipe(bundle: Bundle, key: str) -> tuple[str, ...]:
    """A list under ``[data]`` of the recipe that a bundle was trained with; empty without one."""
    data = bundle.metadata.training.recipe.get("data")
    found = data.get(key) if isinstance(data, dict) else None
    return tuple(map(str, found)) if isinstance(found, list | tuple) else ()
