"""Simulated rooms: the same for the same seed, beginning with the direct sound, decaying."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from wakeword.data.rooms import RoomRange, simulate_rooms
from wakeword.errors import ConfigError, MissingExtraError


@pytest.fixture(scope="module")
def rooms() -> list[NDArray[np.float32]]:
    return simulate_rooms(6, seed=1)


def test_rooms_follow_from_their_seed(rooms: list[NDArray[np.float32]]) -> None:
    """And a longer list begins with the shorter one."""
    done: list[float] = []
    again, other = simulate_rooms(2, seed=1, progress=done.append), simulate_rooms(2, seed=2)
    assert done == [1, 1]
    assert len(rooms) == 6 and simulate_rooms(0, seed=1) == []
    for room, same, different in zip(rooms, again, other, strict=False):
        assert np.array_equal(room, same)
        assert room.shape != different.shape or not np.array_equal(room, different)


def test_rooms_change_no_level_and_no_time(rooms: list[NDArray[np.float32]]) -> None:
    for room in rooms:
        assert room.dtype == np.float32 and room.ndim == 1
        assert np.square(room, dtype=np.float64).sum() == pytest.approx(1.0, rel=1e-5)
        assert np.flatnonzero(np.abs(room) > 0.5 * np.abs(room).max())[0] <= 8
        assert len(room) <= round(RoomRange().longest_s * 16_000)


def test_rooms_decay(rooms: list[NDArray[np.float32]]) -> None:
    for room in rooms:
        blocks = np.array([np.square(b).sum() for b in np.array_split(room, 6)])
        assert blocks[0] > 0.5 and blocks[-1] < 0.05 * blocks[0]


def test_a_longer_reverberation_time_holds_more_energy_late() -> None:
    def late(rt60_s: float) -> float:
        made = simulate_rooms(4, 3, RoomRange(rt60_s=(rt60_s, rt60_s)))
        return float(np.mean([np.square(r[1600:]).sum() for r in made]))

    assert late(0.8) > 4.0 * late(0.2)


def test_longest_limits_the_length() -> None:
    (room,) = simulate_rooms(1, 0, RoomRange(longest_s=0.05))
    assert len(room) == 800


@pytest.mark.parametrize(
    ("ranges", "says"),
    [
        ({"length_m": (5.0, 3.0)}, "length_m"),
        ({"width_m": (0.0, 3.0)}, "width_m"),
        ({"rt60_s": (0.2, float("nan"))}, "rt60_s"),
        ({"rt60_s": (0.01, 0.02)}, "decays in 0.06 s"),
        ({"distance_m": (3.0, 5.0)}, "3.0 m away"),
        ({"longest_s": 0.0}, "longest_s"),
    ],
)
def test_rooms_that_cannot_be_are_refused(ranges: dict[str, object], says: str) -> None:
    """Rather than drawn for ever."""
    with pytest.raises(ConfigError, match=says):
        RoomRange(**ranges)  # type: ignore[arg-type]


def test_without_pyroomacoustics_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyroomacoustics", None)
    with pytest.raises(MissingExtraError, match=r"wakeword\[train\]"):
        simulate_rooms(1, 0)
