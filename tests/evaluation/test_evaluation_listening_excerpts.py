"""Excerpts are the stream's own samples and the features that the network saw there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from wakeword.evaluation.listening.excerpts import BANDS, LEVELS, cut_excerpts
from wakeword.frontend import Frontend, FrontendConfig, preset

RATE = 16_000
PCEN = preset("pcen-40")
_t = np.arange(3 * RATE) / RATE
STREAM = (
    0.2 * np.sin(2 * np.pi * 500.0 * _t) * (_t > 1.0)
    + 0.01 * np.random.default_rng(1).standard_normal(len(_t))
).astype(np.float32)


def whole(config: FrontendConfig) -> NDArray[np.float32]:
    frontend = Frontend(config)
    return frontend.process(STREAM[None], frontend.initial_state())[0][0]


@given(
    start=st.integers(0, 3 * RATE),
    length=st.integers(0, RATE),
    block=st.sampled_from([160, 1_009, 16_000, 48_000]),
)
def test_samples_and_features_do_not_depend_on_blocks(start: int, length: int, block: int) -> None:
    blocks = (STREAM[i : i + block] for i in range(0, len(STREAM), block))
    (excerpt,) = cut_excerpts(blocks, [(start, start + length)], PCEN)
    assert np.array_equal(excerpt.samples, STREAM[start : start + length])
    first = -(-start // 160)
    features = whole(PCEN)[first : max(first, PCEN.frames_after(start + length))]
    expected = np.clip(np.rint(features / 3.0 * (LEVELS - 1)), 0, LEVELS - 1)
    assert excerpt.features.shape == features.shape
    assert np.abs(excerpt.features.astype(int) - expected).max(initial=0) <= 1  # rounding
    assert excerpt.first_frame_s == pytest.approx((first * 160 + 200) / RATE)


def test_spans_may_overlap_and_no_more_is_read_than_they_need() -> None:
    read = 0

    def blocks() -> object:
        nonlocal read
        for i in range(0, len(STREAM), 1_600):
            read += 1_600
            yield STREAM[i : i + 1_600]

    spans = [(8_000, 20_000), (0, 9_000), (8_000, 20_000)]
    found = cut_excerpts(blocks(), spans, PCEN)
    assert [len(e.samples) for e in found] == [12_000, 9_000, 12_000]
    assert np.array_equal(found[0].features, found[2].features)
    assert 20_000 <= read < 22_000


def test_the_spectrogram_shows_the_tone_in_its_band_from_when_it_begins() -> None:
    (excerpt,) = cut_excerpts([STREAM], [(0, 2 * RATE)], PCEN)
    assert excerpt.spectrogram.shape == (len(excerpt.features), BANDS)
    assert excerpt.spectrogram.max() == LEVELS - 1
    before, after = excerpt.spectrogram[:90].mean(0), excerpt.spectrogram[110:].mean(0)
    mel = 2595.0 * np.log10(1.0 + np.array([60.0, 500.0, 7600.0]) / 700.0)
    band = (mel[1] - mel[0]) / (mel[2] - mel[0]) * (BANDS + 1) - 1
    assert np.argmax(after - before) == pytest.approx(band, abs=1.5)


@pytest.mark.parametrize("name", ["logmel-40", "mfcc-30-10"])
def test_other_front_ends_are_scaled_to_what_is_there(name: str) -> None:
    (excerpt,) = cut_excerpts([STREAM], [(0, 2 * RATE)], preset(name))
    assert excerpt.features.shape[1] == 40
    assert excerpt.features.min() == 0 and excerpt.features.max() == LEVELS - 1


@pytest.mark.parametrize("span", [(0, 0), (0, 100), (10 * RATE, 11 * RATE)])
def test_where_nothing_is_heard_there_are_no_frames(span: tuple[int, int]) -> None:
    for config in (PCEN, preset("logmel-40")):
        (excerpt,) = cut_excerpts([STREAM], [span], config)
        assert excerpt.features.shape == (0, 40) and excerpt.spectrogram.shape == (0, BANDS)
