"""Scenes: a few seconds of augmented audio around one word, or around none, as features.

A scene is longer than a window, so that PCEN is warm where windows are cut, and so that one
scene gives many windows: timing jitter costs nothing. Cutting and labelling is in
``training/windows.py``; this file makes the sound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.data import mixing
from wakeword.data.endings import until_a_pause
from wakeword.data.pace import say
from wakeword.data.scene_config import SceneConfig
from wakeword.data.sources import AlignedWord, Sources
from wakeword.data.splice import splice
from wakeword.data.telephone import through_a_telephone
from wakeword.data.voices import (
    change_tempo,
    change_voice,
    colour,
    place,
    response_of_a_microphone,
)

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """Audio (n,) with the word's class (0 for none) and times in samples of the sources' rate.

    The stream starts at sample ``begin``: what lies before was never heard. In a scene
    of class 0, ``end`` is where a model mistook it for a word, or 0.
    """

    samples: Samples
    label: int
    start: int
    end: int
    begin: int


class SceneMaker:
    """Draws scenes from sources; all randomness comes from the generator given to each call."""

    def __init__(self, sources: Sources, config: SceneConfig) -> None:
        self.sources = sources
        self.config = config
        self.rate = sources.corpus.sample_rate
        self.length = round(config.seconds * self.rate)

    def draw(self, rng: np.random.Generator) -> Scene:
        """One random scene."""
        return self.positive(rng) if rng.random() < self.config.positives else self.negative(rng)

    def positive(self, rng: np.random.Generator) -> Scene:
        """A word in some voice, room, noise and company."""
        label = self._label(rng)
        clip, start, end = self._voice(label, rng)
        at = round(rng.uniform(*self.config.word_end_s) * self.rate) - end
        speech = place(clip, at, self.length)
        start, end = at + start, at + end
        if rng.random() < self.config.carrier:
            speech = self._surround(speech, start, end, rng)
        return self._finish(speech, label + 1, max(0, start), end, rng)

    def negative(self, rng: np.random.Generator) -> Scene:
        """Speech without a word, parts of words, other sounds, or what a model mistook."""
        c, draw, mistaken = self.config, rng.random(), 0
        if self.sources.mined and draw < c.mined:
            speech, mistaken = self._mined(rng)
        elif (draw := rng.random()) < c.near_miss:
            speech = self._near_miss(rng)
        elif draw < c.near_miss + 0.5:
            ends = c.ended > 0.0 and rng.random() < c.ended
            speech, mistaken = self._talk_that_ends(rng) if ends else (self._talk(rng), 0)
        elif draw < c.near_miss + 0.68:
            speech = self._clips(rng)
        else:
            speech = self._sound(rng)
        return self._finish(speech, 0, 0, mistaken, rng)

    def _label(self, rng: np.random.Generator) -> int:
        """A word of the bundle, or one learnt beside it: those by the root of their number."""
        words, also = self.sources.words, self.sources.also
        if not also or rng.random() >= self.config.also:
            return int(rng.integers(len(words)))
        weights = np.sqrt([len(found) for found in also])
        return len(words) + int(rng.choice(len(also), p=weights / weights.sum()))

    def _pick_word(self, label: int, rng: np.random.Generator) -> AlignedWord:
        words = (*self.sources.words, *self.sources.also)[label]
        synthetic = rng.random() < self.config.synthetic
        wanted = [w for w in words if w.synthetic == synthetic] or words
        return wanted[int(rng.integers(len(wanted)))]

    def _voice(self, label: int, rng: np.random.Generator) -> tuple[Samples, int, int]:
        """A clip of the word in another voice and pace, or in two; word times follow."""
        word = self._pick_word(label, rng)
        clip, start, end = self.sources.corpus.audio(word.index), word.start, word.end
        if self.config.spliced > 0.0 and rng.random() < self.config.spliced:
            clip, end = self._by_two(clip, word, self._pick_word(label, rng), rng)
        return say(clip, start, end, self.rate, self.config, rng)

    def _by_two(
        self, clip: Samples, word: AlignedWord, other: AlignedWord, rng: np.random.Generator
    ) -> tuple[Samples, int]:
        """The clip with the end of its word said as in ``other``, and where that ends."""
        second = self.sources.corpus.audio(other.index)[other.start : other.end]
        said = splice(clip[word.start : word.end], second, self.rate, rng.uniform(0.2, 0.8))
        return np.concatenate([clip[: word.start], said, clip[word.end :]]), word.start + len(said)

    def _surround(self, speech: Samples, start: int, end: int, rng: np.random.Generator) -> Samples:
        """Running speech before and perhaps after the word, after a short pause."""
        level = mixing.loudest_rms(speech, self.rate)
        out = np.zeros_like(speech)
        gaps = (rng.uniform(0.03, 0.4, 2) * self.rate).astype(int)
        before, after = max(0, start - gaps[0]), min(self.length, end + gaps[1])
        for low, high, wanted in ((0, before, 0.9), (after, self.length, 0.6)):
            if high - low > 0.1 * self.rate and rng.random() < wanted:
                talk = mixing.fit(self._talker(rng), high - low, rng)
                loud = mixing.loudest_rms(talk, self.rate)
                if loud > 0.0:
                    out[low:high] = talk * np.float32(
                        level / loud * 10 ** (rng.uniform(-9, 3) / 20)
                    )
        keep = slice(max(0, start - self.rate // 50), end + self.rate // 50)
        out[keep] += speech[keep]
        return out

    def _talker(self, rng: np.random.Generator) -> Samples:
        pool = self.sources.speech or self.sources.clips
        return self.sources.corpus.audio(pool[int(rng.integers(len(pool)))])

    def _talk(self, rng: np.random.Generator) -> Samples:
        """Running speech, some of it in another voice and tempo."""
        speed = rng.uniform(*self.config.speed) if rng.random() < 0.5 else 1.0
        tempo = rng.uniform(*self.config.tempo) if rng.random() < 0.2 else 1.0
        needed = round(self.length * speed * tempo) + self.rate // 20
        talk = change_voice(mixing.fit(self._talker(rng), needed, rng), speed)
        return place(change_tempo(talk, tempo, self.rate), 0, self.length)

    def _talk_that_ends(self, rng: np.random.Generator) -> tuple[Samples, int]:
        """Running speech up to a pause, and where that is: where a word would end."""
        talk = mixing.fit(self._talker(rng), 2 * self.length, rng)
        talk = until_a_pause(change_voice(talk, rng.uniform(*self.config.speed)), self.rate, rng)
        at = round(rng.uniform(*self.config.word_end_s) * self.rate)
        return place(talk, at - len(talk), self.length), at

    def _clips(self, rng: np.random.Generator) -> Samples:
        """Single words of other kinds, one after the other."""
        pool = self.sources.clips or self.sources.speech
        out = np.zeros(self.length, np.float32)
        at = int(rng.integers(0, self.rate))
        while at < self.length:
            clip = self.sources.corpus.audio(pool[int(rng.integers(len(pool)))])[: self.length]
            clip = change_voice(clip, rng.uniform(*self.config.speed))
            out += place(clip, at, self.length)
            at += len(clip) + int(rng.integers(0, self.rate // 2))
        return out

    def _near_miss(self, rng: np.random.Generator) -> Samples:
        """Half a word, or the halves of two different words joined."""
        n = len(self.sources.words)
        first, second = rng.choice(n, 2, replace=False) if n > 1 else (0, 0)
        halves: list[Samples] = []
        for label, half in ((int(first), 0), (int(second), 1)):
            clip, start, end = self._voice(label, rng)
            cut = start + round((end - start) * rng.uniform(0.4, 0.55))
            piece = clip[max(0, start) : cut] if half == 0 else clip[cut:end]
            halves.append(piece / np.float32(max(mixing.loudest_rms(piece, self.rate), 1e-6)) * 0.1)
        kind = rng.integers(3) if n > 1 else rng.integers(2)
        piece = np.concatenate(halves) if kind == 2 else halves[int(kind)]
        at = round(rng.uniform(1.2, 2.6) * self.rate) - len(piece)
        return place(piece, at, self.length)

    def _mined(self, rng: np.random.Generator) -> tuple[Samples, int]:
        """A stretch that fooled an earlier model, and where in the scene it did."""
        hit = self.sources.mined[int(rng.integers(len(self.sources.mined)))]
        audio = self.sources.corpus.audio(hit.index)
        speed = rng.uniform(0.93, 1.07) if rng.random() < 0.5 else 1.0
        at = round(rng.uniform(*self.config.word_end_s) * self.rate)
        first = hit.end - round(at * speed)
        piece = place(audio, -first, round(self.length * speed) + 1)
        return place(change_voice(piece, speed), 0, self.length), at

    def _sound(self, rng: np.random.Generator) -> Samples:
        """Noise, music, babble, coloured noise or silence as the foreground."""
        if rng.random() < 0.1:
            return np.zeros(self.length, np.float32)
        return self._noise(rng)

    def _noise(self, rng: np.random.Generator) -> Samples:
        """One background of the scene's length, at any level."""
        kind = rng.random()
        if kind < 0.28:
            talkers = [self._talker(rng) for _ in range(int(rng.integers(2, 9)))]
            return mixing.babble(talkers, self.length, self.rate, rng)
        if kind < 0.36 and self.sources.music:
            pool = self.sources.music
        elif kind < 0.44:
            return mixing.fit(self._talker(rng), self.length, rng)
        elif kind < 0.54:
            return mixing.coloured_noise(self.length, rng.uniform(-0.5, 2.0), rng)
        else:
            pool = self.sources.noise
        return mixing.fit(
            self.sources.corpus.audio(pool[int(rng.integers(len(pool)))]), self.length, rng
        )

    def _finish(
        self, speech: Samples, label: int, start: int, end: int, rng: np.random.Generator
    ) -> Scene:
        """Room, noise, level, and where the stream begins: the same for all scenes."""
        c = self.config
        rooms = self.sources.rooms
        room = rooms[int(rng.integers(len(rooms)))] if rooms and rng.random() < c.room else None
        microphone = response_of_a_microphone(rng) if rng.random() < c.microphone else None
        if room is not None or microphone is not None:
            speech = colour(speech, self.rate, room, microphone)
        draw = rng.random()
        if draw >= c.clean:
            snr = rng.uniform(*(c.faint_snr_db if draw < c.clean + c.faint else c.snr_db))
            speech = mixing.mix_at_snr(speech, self._noise(rng), snr, self.rate)
        if c.knocks > 0.0 and rng.random() < c.knocks:
            speech = mixing.add_knocks(speech, self.rate, rng)
        telephone = c.telephone if label else max(c.telephone, c.telephone_others)
        if telephone > 0.0 and rng.random() < telephone:
            speech = through_a_telephone(speech, self.rate, rng)
        level = mixing.loudest_rms(speech, self.rate)
        if level > 0.0:
            speech = speech * np.float32(10.0 ** (rng.uniform(*c.level_db) / 20.0) / level)
        if rng.random() < 0.7:  # the noise of any microphone
            hiss = 10.0 ** (rng.uniform(-95.0, -65.0) / 20.0)
            speech = speech + mixing.coloured_noise(self.length, 0.0, rng) * np.float32(hiss)
        begin = 0
        if rng.random() < c.fresh:  # a stream that starts with, or shortly before, the word
            latest = start if label else self.length - 2 * self.rate
            begin = int(rng.integers(max(0, latest - self.rate // 2), max(1, latest) + 1))
        return Scene(np.clip(speech, -1.0, 1.0), label, start, end, begin)
