"""How a word is said: its speed, its tempo, and pauses between its syllables.

People who speak to a machine that did not hear them slow down and part the syllables. A tempo
that is the same all through a word does not sound like that; see ``docs/training.md``.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from wakeword.data.align import level_db
from wakeword.data.scene_config import SceneConfig
from wakeword.data.voices import Samples, change_tempo, change_voice, vary_tempo

LONGEST_WORD_S = 1.4
"""Longer words are said faster, so that a window of 1.5 s can hold them."""

_EDGE_S = 0.05
_FADE_S = 0.005
_SHORTEST_SYLLABLE_S = 0.08
_DIP_DB = 4.0
_STRETCHES = 4


def say(
    clip: Samples,
    start: float,
    end: float,
    rate: int,
    config: SceneConfig,
    rng: np.random.Generator,
) -> tuple[Samples, int, int]:
    """The clip (n,) of ``rate`` Hz, its word at samples [start, end), in another voice and pace.

    Gives the new clip and the word's new times; the word lasts at most ``LONGEST_WORD_S``,
    as long as it can be said twice as fast at most.
    """
    speed = rng.uniform(*config.speed) if rng.random() < 0.8 else 1.0
    clip, start, end = change_voice(clip, speed), start / speed, end / speed
    tempo = 1.0
    if rng.random() < config.paced:
        tempo = float(np.exp(rng.uniform(*np.log(config.tempo))))
    tempo = max(tempo, (end - start) / (LONGEST_WORD_S * rate))
    edge = round(_EDGE_S * rate)
    first, last = max(0, round(start) - edge), round(end) + edge
    before, word, after = clip[:first], clip[first:last], clip[last:]
    if config.stress_db > 0.0:
        word = _stressed(word, edge, config.stress_db, rng)
    if rng.random() < config.syllabic:
        times = (start - first, end - first)
        paced, begin, done = _apart(word, times, before, tempo, rate, config, rng)
    elif config.uneven > 0.0:
        tempos = tempo * np.exp(rng.normal(0.0, config.uneven, _STRETCHES))
        paced, begin, done = _unevenly(word, start - first, end - first, tempos, rate)
    else:
        paced = change_tempo(word, tempo, rate)
        begin, done = (start - first) / tempo, (end - first) / tempo
    return np.concatenate([before, paced, after]), round(first + begin), round(first + done)


def _stressed(word: Samples, edge: int, stress_db: float, rng: np.random.Generator) -> Samples:
    """The word with other parts of it loud: gains that vary by ``stress_db``, none at its ends."""
    gains_db = np.pad(rng.normal(0.0, stress_db, _STRETCHES), 1)
    inner = np.linspace(edge, max(edge, len(word) - edge), _STRETCHES)
    at = np.concatenate([[0.0], inner, [len(word)]])
    gain = 10.0 ** (np.interp(np.arange(len(word)), at, gains_db) / 20.0)
    return word * gain.astype(np.float32)


def _unevenly(
    word: Samples, start: float, end: float, tempos: NDArray[np.float64], rate: int
) -> tuple[Samples, float, float]:
    """The word at a tempo that changes, then where it begins and ends in it, in samples."""
    paced, times = vary_tempo(word, tempos, rate)
    begin, done = np.interp([start, end], np.arange(len(times)), times)
    longest = LONGEST_WORD_S * rate
    if done - begin > longest:
        return _unevenly(word, start, end, tempos * ((done - begin) / longest), rate)
    return paced, float(begin), float(done)


def syllable_borders(word: Samples, rate: int) -> NDArray[np.int64]:
    """Where in (n,) samples the level dips between two louder stretches of 80 ms or more."""
    if len(word) < rate // 10:
        return np.zeros(0, np.int64)
    hop_s = 0.01
    shortest = round(_SHORTEST_SYLLABLE_S / hop_s)
    level = level_db(word, rate)
    dips, _ = find_peaks(-level, distance=shortest, prominence=_DIP_DB)
    inner = dips[(dips >= shortest) & (dips < len(level) - shortest)]
    return np.asarray(inner * round(hop_s * rate), np.int64)


def _apart(
    word: Samples,
    times: tuple[float, float],
    silence: Samples,
    tempo: float,
    rate: int,
    config: SceneConfig,
    rng: np.random.Generator,
) -> tuple[Samples, float, float]:
    """The word, from and to ``times``, in syllables with pauses; where it begins and ends then.

    Each syllable has a tempo of its own around ``tempo``. Pauses sound like the stretch before
    the word, or are silent where there is none.
    """
    borders = [b for b in syllable_borders(word, rate).tolist() if rng.random() < 0.7]
    parts = np.split(word, borders)
    tempos = np.full(len(parts), tempo)
    if config.drawn > 0.0:
        tempos *= np.exp(rng.normal(0.0, config.drawn, len(parts)))
    after = len(word) - times[1]
    whole = sum(len(part) / own for part, own in zip(parts, tempos, strict=True))
    lasts = whole - times[0] / tempos[0] - after / tempos[-1]
    most = LONGEST_WORD_S * rate
    tempos *= max(1.0, lasts / most)
    left = int(most - lasts)
    out = [_part(parts[0], tempos[0], rate)]
    for part, own in zip(parts[1:], tempos[1:], strict=True):
        pause = max(0, min(round(rng.uniform(*config.pause_s) * rate), left))
        out += [_pause(silence, pause, rate), _part(part, own, rate)]
        left -= pause
    for one, next_one in pairwise(out):
        _fade(one, next_one, rate)
    said = np.concatenate(out)
    return said, times[0] / tempos[0], len(said) - after / tempos[-1]


def _part(part: Samples, tempo: float, rate: int) -> Samples:
    """One syllable, without the hop that overlap-add may append."""
    return change_tempo(part, tempo, rate)[: round(len(part) / tempo)]


def _pause(silence: Samples, length: int, rate: int) -> Samples:
    """``length`` samples of the end of ``silence``, forth and back if it is shorter."""
    if len(silence) < rate // 20:
        return np.zeros(length, np.float32)
    tail = silence[-max(1, min(length, len(silence))) :]
    return np.resize(np.concatenate([tail, tail[::-1]]), length).astype(np.float32)


def _fade(left: Samples, right: Samples, rate: int) -> None:
    """Let both pieces go to nothing where they meet: no clicks."""
    n = min(round(_FADE_S * rate), len(left), len(right))
    ramp = np.linspace(0.0, 1.0, n, dtype=np.float32)
    left[len(left) - n :] *= ramp[::-1]
    right[:n] *= ramp
