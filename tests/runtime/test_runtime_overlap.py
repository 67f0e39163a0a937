"""Which positions windows share: held against the frames that each position covers."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wakeword.runtime.overlap import Overlap

SHIPPED = Overlap(frames=151, step=10, kernel=20, stride=8, before=6, after=7)
ZERO = -(10**9)
"""Stands for a frame of zeros beside a window; others are their number in the stream."""

overlaps = st.builds(
    Overlap,
    frames=st.integers(2, 80),
    step=st.integers(1, 12),
    kernel=st.integers(1, 24),
    stride=st.integers(1, 9),
    before=st.integers(0, 12),
    after=st.integers(0, 12),
)


def covered(overlap: Overlap, end: int) -> np.ndarray:
    """The frames (positions, kernel) that each position of the window before ``end`` covers."""
    window = np.arange(end - overlap.frames, end)
    padded = np.concatenate([[ZERO] * overlap.before, window, [ZERO] * overlap.after])
    rows = np.lib.stride_tricks.sliding_window_view(padded, overlap.kernel)[:: overlap.stride]
    return rows[: overlap.positions]


def found(overlap: Overlap, end: int) -> np.ndarray:
    """The frames (rows, kernel) that each row of the step before ``end`` is found from."""
    rows = []
    for piece in overlap.pieces:
        assert piece.first >= overlap.frames - overlap.frames_of_step
        frames = np.arange(piece.first, piece.end) + end - overlap.frames
        padded = np.concatenate([[ZERO] * piece.before, frames, [ZERO] * piece.after])
        views = np.lib.stride_tricks.sliding_window_view(padded, overlap.kernel)
        rows += list(views[:: piece.stride])
    return np.array(rows)


@given(overlaps)
def test_every_position_is_found_at_the_step_that_is_named(overlap: Overlap) -> None:
    assume(overlap.worthwhile)
    steps = overlap.history + 2
    by_step = [found(overlap, overlap.step * i) for i in range(steps)]
    assert {len(rows) for rows in by_step} == {overlap.rows}
    ages, rows = overlap.sources()
    now = steps - 1
    taken = np.array([by_step[now - age][row] for age, row in zip(ages, rows, strict=True)])
    np.testing.assert_array_equal(taken, covered(overlap, overlap.step * now))
    assert (rows[ages > 0] < overlap.kept_rows).all(), "what is not kept is not needed again"
    assert overlap.history == ages.max(initial=0)


def test_the_shipped_network_finds_seven_of_nineteen_positions() -> None:
    assert SHIPPED.worthwhile
    assert (SHIPPED.positions, SHIPPED.rows, SHIPPED.kept_rows) == (19, 7, 6)
    assert (SHIPPED.history, SHIPPED.frames_of_step) == (13, 29)


@pytest.mark.parametrize(
    "changes",
    [{"step": 151}, {"kernel": 152, "before": 70, "after": 70}, {"step": 100}, {"step": 0},
     {"frames": 20, "before": 2, "after": 2}],
)  # fmt: skip
def test_what_shares_too_little_is_not_worthwhile(changes: dict[str, int]) -> None:
    assert not Overlap(**{**SHIPPED.__dict__, **changes}).worthwhile
