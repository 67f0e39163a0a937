"""State in, state out: chunks, batches and beginnings make no difference; extremes stay sane."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from wakeword.errors import AudioError
from wakeword.frontend import Frontend, FrontendConfig, FrontendState, preset
from wakeword.frontend.config import PRESETS

Audio = NDArray[np.float32]


def noise(streams: int, samples: int, seed: int = 0) -> Audio:
    """Noise whose level wanders over 60 dB."""
    rng = np.random.default_rng(seed)
    level = 10.0 ** rng.uniform(-3, 0, (streams, 1 + samples // 1000))
    out = rng.standard_normal((streams, samples)) * np.repeat(level, 1000, axis=1)[:, :samples]
    return np.asarray(0.2 * out, np.float32)


def run(
    frontend: Frontend, chunks: Sequence[Audio], state: FrontendState | None = None
) -> tuple[NDArray[np.float32], FrontendState]:
    state = state or frontend.initial_state(len(chunks[0]))
    parts = []
    for chunk in chunks:
        features, state = frontend.process(chunk, state)
        parts.append(features)
    return np.concatenate(parts, axis=1), state


def assert_close(one: NDArray[np.float32], other: NDArray[np.float32]) -> None:
    """Equal within float32 rounding of the matrix products."""
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("name", PRESETS)
@given(seed=st.integers(0, 99), cuts=st.lists(st.integers(0, 9000), max_size=30))
@settings(deadline=None, max_examples=30)
def test_how_a_stream_is_cut_makes_no_difference(name: str, seed: int, cuts: list[int]) -> None:
    frontend, samples = Frontend(preset(name)), noise(2, 9000, seed)
    whole, end = run(frontend, [samples])
    cut, cut_end = run(frontend, np.split(samples, sorted(cuts), axis=1))
    assert whole.shape == (2, preset(name).frames_after(9000), preset(name).channels)
    assert_close(cut, whole)
    np.testing.assert_array_equal(cut_end.tail, end.tail)
    assert_close(cut_end.smoothed, end.smoothed)


@pytest.mark.parametrize("size", [1, 160, 1601])
def test_regular_chunks_make_no_difference(size: int) -> None:
    frontend, samples = Frontend(preset("pcen-40")), noise(1, 3000 if size == 1 else 48_000)
    chunks = np.split(samples, range(size, samples.shape[1], size), axis=1)
    assert_close(run(frontend, chunks)[0], run(frontend, [samples])[0])


@pytest.mark.parametrize("name", PRESETS)
def test_streams_of_a_batch_do_not_touch_each_other(name: str) -> None:
    frontend, samples = Frontend(preset(name)), noise(200, 2500)
    together, state = run(frontend, [samples[:, :1700], samples[:, 1700:]])
    for index in (0, 1, 77, 199):
        alone, own = run(frontend, [samples[index : index + 1]])
        assert_close(together[index], alone[0])
        assert_close(state.smoothed[index], own.smoothed[0])


def test_states_are_stacked_and_split() -> None:
    """Two streams of other ages, equal tails: stepped together as one batch."""
    frontend, samples = Frontend(FrontendConfig()), noise(2, 8000)
    _, old = run(frontend, [samples[:1, :3200]])
    _, young = run(frontend, [samples[1:, :1600]])
    stack = FrontendState.stack([old, young])
    assert len(stack) == 2
    step = np.stack([samples[0, 3200:4800], samples[1, 1600:3200]])
    features, after = frontend.process(step, stack)
    for index, part in enumerate(after.split()):
        alone, own = frontend.process(step[index : index + 1], [old, young][index])
        assert_close(features[index], alone[0])
        np.testing.assert_array_equal(part.tail, own.tail)


def test_states_are_values() -> None:
    frontend, samples = Frontend(FrontendConfig()), noise(1, 4000)
    _, state = run(frontend, [samples])
    copies = state.tail.copy(), state.smoothed.copy()
    first, _ = frontend.process(samples, state)
    second, _ = frontend.process(samples, state)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(state.tail, copies[0])
    np.testing.assert_array_equal(state.smoothed, copies[1])


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2)])
def test_frames_are_complete_or_not_there(samples: int, frames: int) -> None:
    frontend = Frontend(FrontendConfig())
    features, state = frontend.process(noise(3, samples), frontend.initial_state(3))
    assert features.shape == (3, frames, 40) and FrontendConfig().frames_after(samples) == frames
    assert state.tail.shape == (3, samples - 160 * frames)
    assert np.isnan(state.smoothed).all() == (frames == 0)


SQUARE = np.where(np.arange(48_000) // 20 % 2, 1.0, -1.0)
BEGINNINGS: dict[str, tuple[Audio, float]] = {
    "digital zero": (np.zeros(48_000), 0.0),
    "full scale from the first sample": (SQUARE, 1.0),
    "alternating at full scale": (np.where(np.arange(48_000) % 2, 1.0, -1.0), 1.0),
    "constant full scale": (np.ones(48_000), 1.0),
    "clipped noise": (np.clip(noise(1, 48_000)[0] * 50, -1, 1), 6.0),
    "one bit of noise": (np.random.default_rng(0).integers(-1, 2, 48_000) / 32768.0, 6.0),
    "loud, then nothing": (np.where(np.arange(48_000) < 24_000, SQUARE, 0.0), 6.0),  # a click
    "nothing, then loud": (np.where(np.arange(48_000) < 24_000, 0.0, SQUARE), 6.0),
    "one click": (np.eye(1, 48_000, 20_000)[0], 6.0),
    "far above full scale": (1000.0 * SQUARE, 1.0),
}


@pytest.mark.parametrize("case", BEGINNINGS)
def test_every_beginning_gives_finite_sane_features(case: str) -> None:
    """PCEN is at least 0 and, by M >= s E, at most (E^(1-alpha) / s^alpha + delta)^r - delta^r.

    The second bound is what the case may reach: steady sound, however loud, stays below 1;
    only an onset after quiet may be more.
    """
    samples, bound = BEGINNINGS[case]
    frontend = Frontend(FrontendConfig())
    samples = samples.astype(np.float32)[None]
    features, state = frontend.process(samples, frontend.initial_state())
    assert np.isfinite(features).all() and np.isfinite(state.smoothed).all()
    c = frontend.config.pcen
    peak = float(frontend.energies(frontend.power(samples)).max(initial=0.0))
    ceiling = (peak ** (1 - c.alpha) / c.s**c.alpha + c.delta) ** c.r - c.delta**c.r
    assert features.min() >= -1e-6 and features.max() <= ceiling * (1 + 1e-5)
    assert features.max() <= bound


def test_a_stream_that_begins_loud_begins_adapted() -> None:
    """The first frame of steady sound looks like all others: no click at the start."""
    frontend = Frontend(FrontendConfig())
    features, _ = frontend.process(SQUARE.astype(np.float32)[None], frontend.initial_state())
    np.testing.assert_allclose(features[0, 0], features[0, -1], atol=0.02)


def test_gain_changes_almost_nothing() -> None:
    """What PCEN is for: 40 dB less change the features of a steady sound by E**0.02 only."""
    frontend, rng = Frontend(FrontendConfig()), np.random.default_rng(0)
    loud = (0.3 * rng.standard_normal((1, 48_000))).astype(np.float32)
    one, other = (frontend.process(x, frontend.initial_state())[0] for x in (loud, loud / 100))
    assert np.abs(one - other).mean() < 0.06 and one.mean() > 0.25


@pytest.mark.parametrize("name", PRESETS)
def test_silence_is_what_digital_zero_gives(name: str) -> None:
    frontend = Frontend(preset(name))
    features, _ = frontend.process(np.zeros((1, 16_000), np.float32), frontend.initial_state())
    for frame in features[0]:
        np.testing.assert_allclose(frame, frontend.silence(), atol=1e-4)
    assert frontend.silence().shape == (preset(name).channels,)
    if name == "pcen-40":
        assert not frontend.silence().any()


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(100, np.float32), r"\(2, n\), not float32 of shape \(100,\)"),
        (np.zeros((1, 100), np.float32), r"not float32 of shape \(1, 100\)"),
        (np.zeros((2, 100), np.float64), "not float64"),
        (np.zeros((2, 100), np.int16), "not int16"),
        (np.full((2, 100), np.nan, np.float32), "reach nan"),
        (np.full((2, 100), np.inf, np.float32), "reach inf"),
        (np.full((2, 100), -np.inf, np.float32), "reach inf"),
        (np.full((2, 100), 32_767.0, np.float32), "reach 32767, but full scale is 1"),
        (np.full((2, 100), -1e30, np.float32), r"reach 1e\+30"),
    ],
)
def test_bad_samples_are_refused(samples: NDArray[np.generic], message: str) -> None:
    frontend = Frontend(FrontendConfig())
    with pytest.raises(AudioError, match=message):
        frontend.process(samples, frontend.initial_state(2))  # type: ignore[arg-type]


def test_one_nan_among_many_samples_is_found() -> None:
    frontend, samples = Frontend(FrontendConfig()), noise(2, 5000)
    samples[1, 4321] = np.nan
    with pytest.raises(AudioError, match="nan"):
        frontend.process(samples, frontend.initial_state(2))
