"""Windows and their labels: what is shown as a word holds it, what is shown as a part does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakeword.errors import ConfigError
from wakeword.frontend import FrontendConfig
from wakeword.training.windows import SceneArrays, WindowConfig, cut, frame_times, mask

FRAMES, CHANNELS = 318, 2


def _scenes(label: int, start: int, end: int, count: int = 200) -> SceneArrays:
    """Scenes whose first feature is the frame's own number."""
    numbers = np.broadcast_to(np.arange(FRAMES)[:, None], (FRAMES, CHANNELS))
    return SceneArrays(
        np.broadcast_to(numbers, (count, FRAMES, CHANNELS)).astype(np.float16),
        np.full(count, label),
        np.full(count, start),
        np.full(count, end),
    )


def _ends(windows: np.ndarray) -> np.ndarray:
    """The frame after the last of each window."""
    return windows[:, -1, 0].astype(int) + 1


@given(start=st.integers(120, 200), length=st.integers(25, 110), seed=st.integers(0, 2**32 - 1))
def test_a_window_with_the_label_holds_the_whole_word(start: int, length: int, seed: int) -> None:
    config = WindowConfig(parts=0.0)
    end = start + length
    windows, labels = cut(
        _scenes(3, start, end), np.arange(200), config, np.random.default_rng(seed)
    )
    assert set(labels) == {3}
    ends = _ends(windows)
    room = min(end + config.latest_after_end, start + config.frames, FRAMES)
    assert (ends >= min(end + config.earliest_after_end, FRAMES)).all()
    assert (ends <= max(room, end + config.earliest_after_end)).all()
    assert (windows[:, 0, 0] == ends - config.frames).all()
    assert len(np.unique(ends)) > 1, "no timing jitter"


@given(start=st.integers(150, 200), length=st.integers(30, 90), seed=st.integers(0, 2**32 - 1))
def test_a_part_of_a_word_is_background_and_ends_before_most_of_it(
    start: int, length: int, seed: int
) -> None:
    config = WindowConfig(parts=1.0)
    windows, labels = cut(
        _scenes(1, start, start + length), np.arange(200), config, np.random.default_rng(seed)
    )
    assert set(labels) == {0}
    assert (_ends(windows) <= start + config.part_of_word * length).all()


def test_parts_come_as_often_as_asked() -> None:
    scenes = _scenes(2, 200, 260, 5000)
    _, labels = cut(scenes, np.arange(5000), WindowConfig(parts=0.25), np.random.default_rng(1))
    assert abs((labels == 0).mean() - 0.25) < 0.03


def test_background_windows_come_from_everywhere_and_mined_ones_from_their_place() -> None:
    rng = np.random.default_rng(2)
    anywhere, labels = cut(_scenes(0, 0, 0, 3000), np.arange(3000), WindowConfig(), rng)
    assert set(labels) == {0}
    assert set(_ends(anywhere)) == set(range(151, FRAMES + 1))
    mined, _ = cut(_scenes(0, 0, 240, 500), np.arange(500), WindowConfig(), rng)
    assert _ends(mined).min() >= 225
    assert _ends(mined).max() <= 265


def test_frame_times_are_the_first_frame_that_has_the_word_behind_it() -> None:
    config = FrontendConfig()
    for end in range(3000, 3400, 7):
        start, after = frame_times(1000, end, config)
        assert start == 1000 // 160
        assert (after - 1) * 160 + 400 >= end > (after - 2) * 160 + 400


def test_masks_replace_stretches_by_the_mean_of_the_window() -> None:
    rng = np.random.default_rng(3)
    plain = rng.random((400, 151, 40)).astype(np.float32)
    masked = mask(plain.copy(), WindowConfig(masked=0.5), rng)
    touched = (masked != plain).any((1, 2))
    assert 0.4 < touched.mean() < 0.6
    one = int(np.flatnonzero(touched)[0])
    changed = masked[one][masked[one] != plain[one]]
    assert np.allclose(changed, plain[one].mean(), atol=1e-6)
    assert (mask(plain.copy(), WindowConfig(masked=0.0), rng) == plain).all()


def test_channels_on_two_scales_are_masked_alike_each_with_its_own_mean() -> None:
    plain = np.random.default_rng(3).random((50, 151, 80)).astype(np.float32)
    plain[:, :, 40:] -= 9.0
    both = mask(plain.copy(), WindowConfig(masked=1.0), np.random.default_rng(4), scales=2)
    for half in (slice(0, 40), slice(40, 80)):
        alone = mask(plain[:, :, half].copy(), WindowConfig(masked=1.0), np.random.default_rng(4))
        np.testing.assert_allclose(both[:, :, half], alone, rtol=1e-5)
    assert (both != plain).any()


@pytest.mark.parametrize(
    "bad", [{"parts": 1.5}, {"masked": -0.1}, {"earliest_after_end": 70}, {"latest_after_end": 999}]
)
def test_impossible_windows_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=str(next(iter(bad.values())))):
        WindowConfig(**bad)  # type: ignore[arg-type]
