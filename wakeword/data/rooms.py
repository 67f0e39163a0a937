"""Simulated rooms: impulse responses by the image source method (pyroomacoustics).

Responses start at the direct sound, so that word times stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import MissingExtraError


@dataclass(frozen=True)
class RoomRange:
    """From what rooms are drawn, uniformly: sizes and distances in metres, RT60 in seconds."""

    length_m: tuple[float, float] = (2.5, 8.0)
    width_m: tuple[float, float] = (2.2, 6.0)
    height_m: tuple[float, float] = (2.3, 3.4)
    rt60_s: tuple[float, float] = (0.15, 0.8)
    distance_m: tuple[float, float] = (0.3, 4.5)
    longest_s: float = 0.6


def simulate_rooms(
    count: int, seed: int, ranges: RoomRange | None = None, sample_rate: int = 16_000
) -> list[NDArray[np.float32]]:
    """Return ``count`` impulse responses (n,) of unit energy, the same for the same seed.

    Raises
    ------
    MissingExtraError
        pyroomacoustics is not installed.
    """
    try:
        import pyroomacoustics as pra
    except ImportError as error:
        raise MissingExtraError("pyroomacoustics", "train", "simulating rooms") from error
    ranges = ranges or RoomRange()
    rng = np.random.default_rng([seed, 0x500])
    responses: list[NDArray[np.float32]] = []
    while len(responses) < count:
        size = np.array(
            [rng.uniform(*r) for r in (ranges.length_m, ranges.width_m, ranges.height_m)]
        )
        try:
            absorption, order = pra.inverse_sabine(rng.uniform(*ranges.rt60_s), size)
        except ValueError:  # no absorption gives this room so short a decay: draw again
            continue
        room = pra.ShoeBox(
            size, fs=sample_rate, materials=pra.Material(absorption), max_order=min(order, 24)
        )
        microphone, talker = _places(size, ranges.distance_m, rng)
        room.add_source(talker)
        room.add_microphone(microphone)
        room.compute_rir()
        responses.append(_trim(np.asarray(room.rir[0][0]), round(ranges.longest_s * sample_rate)))
    return responses


def _places(
    size: NDArray[np.float64], distance_m: tuple[float, float], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A microphone and a talker at least 0.2 m from all walls, at a distance in range."""
    margin = 0.2
    while True:
        microphone = rng.uniform(margin, size - margin)
        direction = rng.standard_normal(3) * [1.0, 1.0, 0.3]
        talker = microphone + direction / np.linalg.norm(direction) * rng.uniform(*distance_m)
        if np.all(talker > margin) and np.all(talker < size - margin):
            return microphone, talker


def _trim(response: NDArray[np.float64], longest: int) -> NDArray[np.float32]:
    """From just before the direct sound, at most ``longest`` samples, unit energy."""
    direct = int(np.argmax(np.abs(response) > 0.5 * np.abs(response).max()))
    piece = response[max(0, direct - 8) :][:longest].astype(np.float32)
    return piece / np.float32(np.sqrt(np.square(piece).sum()))
