"""The telephone channel: its band, its quantisation against the standard's own table."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from tiny_corpus import CLIP_S, KINDS, RATE, WORD_S, burst, corpus_of, recording

from wakeword.data.scene_config import SceneConfig
from wakeword.data.scenes import Scene, SceneMaker
from wakeword.data.sources import collect
from wakeword.data.telephone import companded, through_a_telephone

CLEAN = SceneConfig(positives=1.0, clean=1.0, faint=0.0, room=0.0, microphone=0.0, carrier=0.0)


def levels_db(samples: np.ndarray, rate: int = RATE) -> dict[str, float]:
    """Power in three bands, in dB."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / rate)
    bands = {"low": (20, 90), "speech": (500, 2500), "high": (4500, 8000)}
    return {
        k: 10 * np.log10(power[(hz >= a) & (hz < b)].mean() + 1e-12) for k, (a, b) in bands.items()
    }


@pytest.mark.parametrize("seed", range(8))
def test_only_the_band_of_a_telephone_is_left(seed: int) -> None:
    out = through_a_telephone(burst(3.2, 0.0, 3.2), RATE, np.random.default_rng(seed))
    assert out.dtype == np.float32 and len(out) == round(3.2 * RATE)
    found = levels_db(out)
    assert found["speech"] - found["low"] > 15.0
    assert found["speech"] - found["high"] > 15.0


def test_speech_stays_where_it_is_in_time() -> None:
    word = burst(3.2, 1.4, 2.2, hz=1000.0)
    for seed in range(8):
        out = through_a_telephone(word, RATE, np.random.default_rng(seed))
        loud = np.flatnonzero(np.abs(out) > 0.5 * np.abs(out).max()) / RATE
        assert loud[0] == pytest.approx(1.4, abs=0.01) and loud[-1] == pytest.approx(2.2, abs=0.01)


def test_a_line_of_8_khz_is_not_resampled_and_silence_is_line_noise() -> None:
    for rate, n in ((8000, 25_600), (RATE, 51_201)):
        out = through_a_telephone(np.zeros(n, np.float32), rate, np.random.default_rng(1))
        assert len(out) == n and 0.0 < np.std(out) < 0.01


def test_lines_follow_from_their_generator_and_differ() -> None:
    word = burst(3.2, 1.4, 2.2)
    one, again, other = (
        through_a_telephone(word, RATE, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_companding_is_that_of_g711() -> None:
    """Within a step of libsndfile's mu-law, over all levels; and 8 bits, not more."""
    samples = np.concatenate([np.geomspace(1e-4, 0.95, 400), -np.geomspace(1e-4, 0.95, 400)])
    file = io.BytesIO()
    soundfile.write(file, samples, 8000, format="WAV", subtype="ULAW")
    file.seek(0)
    expected = soundfile.read(file)[0]
    found = companded(samples.astype(np.float32))
    assert np.abs(found - expected) == pytest.approx(0.0, abs=0.04)
    assert np.all(np.abs(found - expected) <= 0.08 * np.abs(samples) + 3e-4)
    assert len(np.unique(companded(np.linspace(-1.5, 1.5, 9999, dtype=np.float32)))) <= 256


def test_a_share_of_scenes_comes_over_a_telephone() -> None:
    def high_db(scene: Scene) -> float:
        power = np.abs(np.fft.rfft(scene.samples[scene.start : scene.end])) ** 2
        hz = np.linspace(0, RATE / 2, len(power))
        return float(10 * np.log10(power[hz > 4500].sum() / power.sum()))

    rows = [
        (recording("alpha", times_s=WORD_S), burst(CLIP_S, *WORD_S)),
        (recording("fan", "hum"), burst(1.0, 0.0, 1.0)),
        (recording("gamma"), burst(1.0, 0.0, 1.0)),
    ]
    hissing = collect(corpus_of(rows), ["alpha"], KINDS, [])

    def share(**scenes: float) -> float:
        maker, draws = SceneMaker(hissing, replace(CLEAN, **scenes)), np.random.default_rng(0)
        return float(np.mean([high_db(maker.draw(draws)) < -12.0 for _ in range(60)]))

    assert share() == 0.0
    assert 0.3 < share(telephone=0.5) < 0.7
    assert share(telephone_others=1.0) == 0.0, "those with a word come as often as before"
