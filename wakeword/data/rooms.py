"""Simulated rooms: impulse responses by the image source method (pyroomacoustics).

Responses start at the direct sound, so that word times stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import ConfigError, MissingExtraError

MARGIN_M = 0.2
"""Microphone and talker are at least so far from all walls."""


@dataclass(frozen=True)
class RoomRange:
    """From what rooms are drawn, uniformly: sizes and distances in metres, RT60 in seconds."""

    length_m: tuple[float, float] = (2.5, 8.0)
    width_m: tuple[float, float] = (2.2, 6.0)
    height_m: tuple[float, float] = (2.3, 3.4)
    rt60_s: tuple[float, float] = (0.15, 0.8)
    distance_m: tuple[float, float] = (0.3, 4.5)
    longest_s: float = 0.6

    def __post_init__(self) -> None:
        for name in ("length_m", "width_m", "height_m", "rt60_s", "distance_m"):
            low, high = getattr(self, name)
            if not 0.0 < low <= high < 1000.0:
                raise ConfigError(f"rooms.{name} = [{low}, {high}] must be low, high, above 0")
        if not self.longest_s > 0.0:
            raise ConfigError(f"rooms.longest_s = {self.longest_s} must be above 0")
        narrowest = min(self.length_m[0], self.width_m[0])
        if not self.distance_m[0] + 2 * MARGIN_M < narrowest or self.height_m[0] <= 2 * MARGIN_M:
            raise ConfigError(
                f"rooms: a talker {self.distance_m[0]} m away, and {MARGIN_M} m from the walls, "
                f"does not fit into a room {narrowest} m wide and {self.height_m[0]} m high"
            )
        shortest_s = _shortest_rt60_s(self.length_m[0], self.width_m[0], self.height_m[0])
        if not shortest_s < self.rt60_s[1]:
            raise ConfigError(
                f"rooms.rt60_s = {self.rt60_s}: even the smallest room, with walls that absorb "
                f"everything, decays in {shortest_s:.2f} s"
            )


def simulate_rooms(
    count: int,
    seed: int,
    ranges: RoomRange | None = None,
    sample_rate: int = 16_000,
    progress: Callable[[float], None] | None = None,
) -> list[NDArray[np.float32]]:
    """Return ``count`` impulse responses (n,) of unit energy, the same for the same seed.

    Raises
    ------
    MissingExtraError
        pyroomacoustics is not installed.
    """
    pra = _pyroomacoustics()
    ranges = ranges or RoomRange()
    rng = np.random.default_rng([seed, 0x500])
    rooms = _rooms(pra, ranges, sample_rate, rng)
    responses: list[NDArray[np.float32]] = []
    while len(responses) < count:
        size, room = next(rooms)
        microphone, talker = _places(size, ranges.distance_m, rng)
        room.add_source(talker)
        room.add_microphone(microphone)
        room.compute_rir()
        responses.append(_trim(np.asarray(room.rir[0][0]), round(ranges.longest_s * sample_rate)))
        if progress:
            progress(1)
    return responses


def simulate_distances(
    distances_m: Sequence[float],
    count: int,
    seed: int,
    sample_rate: int = 16_000,
    progress: Callable[[float], None] | None = None,
) -> list[list[NDArray[np.float32]]]:
    """Return the responses of ``count`` rooms, each at every distance, in their order.

    In each room the talker steps away from the microphone on one line: nothing else changes.
    Rooms are drawn as for training, but long enough for the farthest talker, other ones, and
    their decay is not cut before 1 s.

    Raises
    ------
    MissingExtraError
        pyroomacoustics is not installed.
    """
    pra = _pyroomacoustics()
    farthest = max(distances_m)
    shortest_m = farthest + 4 * MARGIN_M
    length_m = (max(4.0, shortest_m), max(8.0, shortest_m + 1.0))
    ranges = RoomRange(length_m, width_m=(3.0, 6.0), longest_s=1.0)
    rng = np.random.default_rng([seed, 0xFA5])
    rooms = _rooms(pra, ranges, sample_rate, rng)
    out: list[list[NDArray[np.float32]]] = []
    for size, room in (next(rooms) for _ in range(count)):
        microphone, talker = _places(size, (farthest, farthest), rng)
        for distance_m in distances_m:
            room.add_source(microphone + (talker - microphone) * (distance_m / farthest))
        room.add_microphone(microphone)
        room.compute_rir()
        longest = round(ranges.longest_s * sample_rate)
        out.append([_trim(np.asarray(response), longest) for response in room.rir[0]])
        if progress:
            progress(1)
    return out


def _pyroomacoustics() -> Any:
    try:
        import pyroomacoustics
    except ImportError as error:
        raise MissingExtraError("pyroomacoustics", "train", "simulating rooms") from error
    return pyroomacoustics


def _rooms(
    pra: Any, ranges: RoomRange, sample_rate: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.float64], Any]]:
    """Empty rooms (size, room) without end."""
    while True:
        size = np.array(
            [rng.uniform(*r) for r in (ranges.length_m, ranges.width_m, ranges.height_m)]
        )
        try:
            absorption, order = pra.inverse_sabine(rng.uniform(*ranges.rt60_s), size)
        except ValueError:  # no absorption gives this room so short a decay: draw again
            continue
        yield (
            size,
            pra.ShoeBox(
                size, fs=sample_rate, materials=pra.Material(absorption), max_order=min(order, 24)
            ),
        )


def _shortest_rt60_s(length_m: float, width_m: float, height_m: float) -> float:
    """Sabine's decay time of a room whose walls absorb everything."""
    walls_m2 = 2.0 * (length_m * width_m + length_m * height_m + width_m * height_m)
    return 0.161 * length_m * width_m * height_m / walls_m2


def _places(
    size: NDArray[np.float64], distance_m: tuple[float, float], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A microphone and a talker clear of all walls, at a distance in range."""
    while True:
        microphone = rng.uniform(MARGIN_M, size - MARGIN_M)
        direction = rng.standard_normal(3) * [1.0, 1.0, 0.3]
        talker = microphone + direction / np.linalg.norm(direction) * rng.uniform(*distance_m)
        if np.all(talker > MARGIN_M) and np.all(talker < size - MARGIN_M):
            return microphone, talker


def _trim(response: NDArray[np.float64], longest: int) -> NDArray[np.float32]:
    """From just before the direct sound, at most ``longest`` samples, unit energy."""
    direct = int(np.argmax(np.abs(response) > 0.5 * np.abs(response).max()))
    piece = response[max(0, direct - 8) :][:longest].astype(np.float32)
    return piece / np.float32(np.sqrt(np.square(piece).sum()))
