"""Speech that ends in a pause, and knocks: where they are and how loud."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_corpus import KINDS, RATE, SENTENCE, WORD_S, burst, corpus_of, faint, recording

from wakeword.data.endings import until_a_pause
from wakeword.data.mixing import add_knocks, loudest_rms
from wakeword.data.scene_config import SceneConfig
from wakeword.data.scenes import SceneMaker
from wakeword.data.sources import collect


def phrases(*times_s: tuple[float, float]) -> np.ndarray:
    """Six seconds of faint noise, loud at these times."""
    return faint(sum((burst(6.0, *t) for t in times_s), np.zeros(6 * RATE, np.float32)))


def test_speech_is_cut_where_one_of_its_pauses_begins() -> None:
    talk = phrases((0.0, 1.0), (1.05, 2.0), (2.5, 3.5), (4.0, 6.0))
    ends = set()
    for seed in range(30):
        kept = until_a_pause(talk, RATE, np.random.default_rng(seed))
        assert np.array_equal(kept[: len(kept) - RATE // 40], talk[: len(kept) - RATE // 40])
        assert abs(kept[-1]) < 1e-6
        ends.add(round(len(kept) / RATE, 1))
    assert ends == {2.0, 3.5}, "not in the gap of 50 ms, nor within the first 0.6 s"


def test_without_a_pause_the_quietest_moment_is_the_end() -> None:
    talk = burst(3.0, 0.0, 3.0, seed=1)
    talk[2 * RATE : 2 * RATE + RATE // 20] *= 0.3
    kept = until_a_pause(talk, RATE, np.random.default_rng(0))
    assert len(kept) / RATE == pytest.approx(2.03, abs=0.06)
    short = burst(0.5, 0.0, 0.5)
    assert until_a_pause(short, RATE, np.random.default_rng(0)) is short


def test_scenes_end_their_speech_where_a_word_would_end() -> None:
    rows = [
        (recording("alpha", times_s=WORD_S), burst(1.5, *WORD_S)),
        (recording("fan", "hum"), burst(1.0, 0.0, 1.0)),
        (recording(SENTENCE, seconds=6.0), phrases((0.0, 1.4), (1.8, 3.0), (3.5, 6.0))),
    ]
    config = SceneConfig(
        positives=0.0, near_miss=0.0, mined=0.0, ended=1.0, clean=1.0, room=0.0, microphone=0.0,
        fresh=0.0, level_db=(-20.0, -20.0),
    )  # fmt: skip
    maker, rng = SceneMaker(collect(corpus_of(rows), ["alpha"], KINDS, []), config), None
    rng = np.random.default_rng(2)
    ended = [scene for scene in (maker.draw(rng) for _ in range(60)) if scene.end]
    assert len(ended) > 15 and all(scene.label == 0 for scene in ended)
    for scene in ended:
        assert 2.0 - 1e-3 <= scene.end / RATE <= 2.6 + 1e-3
        before, after = scene.samples[scene.end - RATE // 5 : scene.end], scene.samples[scene.end :]
        assert np.std(after) < 0.1 * np.std(before)


def test_knocks_are_short_and_as_loud_as_said() -> None:
    word = burst(3.2, 1.4, 2.2, hz=500.0)
    level, peaks_db, shares = loudest_rms(word, RATE), [], []
    for seed in range(60):
        knocks = add_knocks(word, RATE, np.random.default_rng(seed)) - word
        frames = knocks[: len(knocks) // 80 * 80].reshape(-1, 80)
        frame_db = 10 * np.log10((frames**2).mean(1) / level**2 + 1e-9)
        peaks_db.append(frame_db.max())
        shares.append((frame_db > frame_db.max() - 20.0).mean())
    assert -20.0 < np.min(peaks_db) < -4.0 and 3.0 < np.max(peaks_db) < 13.0
    assert np.median(shares) < 0.2, "most of the time there is nothing"
    silence = np.zeros(RATE, np.float32)
    assert add_knocks(silence, RATE, np.random.default_rng(0)) is silence


def test_no_knocks_and_no_endings_unless_a_recipe_asks() -> None:
    assert replace(SceneConfig()).knocks == SceneConfig().ended == 0.0
