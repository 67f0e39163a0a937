"""Features of scenes: the front end of everywhere else, and what is done on top of it."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_corpus import RATE, Samples, burst, faint

from wakeword.audio.resample import resample
from wakeword.data.features import FeatureConfig, SceneFeatures
from wakeword.data.scenes import Scene
from wakeword.errors import ConfigError
from wakeword.frontend import Frontend, FrontendConfig, preset
from wakeword.frontend.config import PRESETS
from wakeword.frontend.mel import mel_filters

PLAIN = FeatureConfig(unwarped=1.0, band=0.0)
FRONTEND = Frontend(FrontendConfig())


def scene(seed: int = 0, begin: int = 0) -> Scene:
    samples = faint(burst(3.2, 1.4, 2.2, seed=seed), 1e-3, seed)
    return Scene(samples, 1, round(1.4 * RATE), round(2.2 * RATE), begin)


def processed(samples: Samples, frontend: Frontend = FRONTEND) -> np.ndarray:
    return frontend.process(samples[None], frontend.initial_state())[0][0]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", PRESETS)
def test_without_augmentation_they_are_those_of_the_front_end(name: str) -> None:
    frontend = Frontend(preset(name))
    scenes = [scene(i) for i in range(3)]
    out = SceneFeatures(frontend, PLAIN).compute(scenes, rng())
    frames = frontend.config.frames_after(len(scenes[0].samples))
    assert out.shape == (3, frames, frontend.config.channels) and out.dtype == np.float16
    for found, one in zip(out, scenes, strict=True):
        assert found == pytest.approx(processed(one.samples, frontend), rel=2e-3, abs=2e-3)


def test_a_stream_that_begins_inside_starts_after_silence() -> None:
    """As in a window of the engine: silence, then a stream whose first frame is its own."""
    begins = [0, 16_000, 16_000, 20_123]
    scenes = [scene(i, begin) for i, begin in enumerate(begins)]
    out = SceneFeatures(FRONTEND, PLAIN).compute(scenes, rng())
    for found, one in zip(out, scenes, strict=True):
        first = one.begin // 160
        silence = np.tile(FRONTEND.silence(), (first, 1))
        assert found[:first] == pytest.approx(silence, abs=1e-3)
        heard = processed(one.samples[first * 160 :])
        assert found[first:] == pytest.approx(heard, rel=2e-3, abs=2e-3)


def test_features_follow_from_the_generator() -> None:
    maker, scenes = SceneFeatures(FRONTEND, FeatureConfig()), [scene(i) for i in range(8)]
    first, again = maker.compute(scenes, rng(1)), maker.compute(scenes, rng(1))
    assert np.array_equal(first, again) and np.isfinite(first).all()
    assert not np.array_equal(first, maker.compute(scenes, rng(2)))


def test_a_warp_of_1_is_the_plain_bank_and_others_move_the_energy() -> None:
    assert np.array_equal(mel_filters(FRONTEND.config, 1.0), mel_filters(FRONTEND.config))
    tone = Scene(burst(3.2, 0.0, 3.2, hz=1000.0), 0, 0, 0, 0)
    channel = {}
    for warp in (0.84, 1.0, 1.18):
        config = FeatureConfig(warp=(warp, warp), unwarped=0.0, band=0.0)
        out = SceneFeatures(FRONTEND, config).compute([tone], rng())
        channel[warp] = int(out[0, 0].argmax())
    assert channel[0.84] > channel[1.0] > channel[1.18], "wider filters: a lower channel"


def test_a_narrow_band_loses_what_is_outside() -> None:
    """At most 400 Hz to 3.3 kHz are sure to stay; the lowest channels are 40 dB down."""
    banded = SceneFeatures(Frontend(preset("logmel-40")), FeatureConfig(unwarped=1.0, band=1.0))
    plain = SceneFeatures(Frontend(preset("logmel-40")), PLAIN)
    noise = Scene(burst(3.2, 0.0, 3.2), 0, 0, 0, 0)
    lost = [
        (plain.compute([noise], rng(i)) - banded.compute([noise], rng(i)))[0].mean(axis=0)
        for i in range(12)
    ]
    assert np.max(np.abs(lost), axis=0)[12:24] == pytest.approx(0.0, abs=0.02)
    assert np.median(lost, axis=0)[-1] > 5.0, "40 dB are 9.2 in natural logarithm"


def test_a_bend_moves_formants_apart_and_keeps_the_ends_in_place() -> None:
    """Two tones move by factors of their own; a flat spectrum stays flat."""
    frontend = Frontend(preset("logmel-40"))
    config = FeatureConfig(warp=(1.0, 1.0), unwarped=0.0, band=0.0, bend=0.06)
    tones = burst(3.2, 0.0, 3.2, hz=500.0) + burst(3.2, 0.0, 3.2, hz=2600.0)
    maker, scenes = SceneFeatures(frontend, config), [Scene(tones, 0, 0, 0, 0)]
    found = np.array([
        [mean[:20].argmax(), 20 + mean[20:].argmax()]
        for seed in range(60)
        for mean in [maker.compute(scenes, rng(seed))[0].astype(np.float64).mean(0)]
    ])  # fmt: skip
    plain = SceneFeatures(frontend, PLAIN).compute(scenes, rng())[0].astype(np.float64).mean(0)
    assert np.median(found, 0) == pytest.approx(
        [plain[:20].argmax(), 20 + plain[20:].argmax()], abs=1
    )
    assert np.std(found, 0).min() > 0.3
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.5, "not one factor for both"
    flat = np.ones((3, frontend.config.fft_size // 2 + 1), np.float32)
    assert maker._bent(flat, rng()) == pytest.approx(flat)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"warp": (1.1, 0.9)}, "warp"),
        ({"warp": (0.5, 1.0)}, "warp"),
        ({"warp": (0.9, 1.5)}, "warp"),
        ({"warp_steps": 1}, "warp_steps"),
        ({"unwarped": 1.5}, "unwarped"),
        ({"bend": -0.1}, "bend"),
        ({"bend": 0.2}, "bend"),
        ({"bend": float("nan")}, "bend"),
        ({"band": -0.1}, "band"),
        ({"band": float("nan")}, "band"),
    ],
)
def test_impossible_augmentation_is_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=rf"features\.{says} = "):
        FeatureConfig(**change)  # type: ignore[arg-type]


def test_an_8_khz_front_end_hears_what_a_16_khz_one_hears_below_4_khz() -> None:
    """The same tone at both rates has its peak at the same mel frequency."""
    wide = FrontendConfig(kind="logmel", f_max_hz=3800.0)
    narrow = FrontendConfig(
        kind="logmel", sample_rate=8000, window_samples=200, hop_samples=80, fft_size=256,
        f_max_hz=3800.0,
    )  # fmt: skip
    tone = burst(3.2, 1.4, 2.2, hz=1000.0)
    found = [
        SceneFeatures(Frontend(config), PLAIN).compute([Scene(samples, 0, 0, 0, 0)], rng())[0]
        for config, samples in ((wide, tone), (narrow, resample(tone, RATE, 8000)))
    ]
    assert found[0].shape == found[1].shape
    heard = slice(150, 210)
    assert np.argmax(found[0][heard].mean(0)) == np.argmax(found[1][heard].mean(0))
