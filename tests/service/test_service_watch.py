"""What a stream is warned of: once while it lasts, and again when it comes back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from wakeword_service.watch import LevelWatch, PaceWatch

from wakeword.protocol import WarningMessage

RATE = 4000


def levels(samples: NDArray[np.float64], cuts: list[int] | None = None) -> list[WarningMessage]:
    watch = LevelWatch(RATE, silence_s=3.0)
    pieces = np.split(samples.astype(np.float32), sorted(cuts or []))
    return [warning for piece in pieces for warning in watch.look(piece)]


def seconds(count: float, level: float) -> NDArray[np.float64]:
    return level * np.resize([1.0, -1.0], round(count * RATE))


@pytest.mark.parametrize(
    ("sound", "codes"),
    [
        ([seconds(60, 0.9)], []),
        ([seconds(20, 1.0)], ["clipping"]),
        ([seconds(2, 1.0), seconds(9, 0.5), seconds(2, 1.0)], ["clipping"]),
        ([seconds(2, 1.0), seconds(11, 0.5), seconds(2, 1.0)], ["clipping", "clipping"]),
        ([seconds(2.9, 0.0), seconds(1, 0.01), seconds(2.9, 0.0)], []),
        ([seconds(60, 0.0)], ["silence"]),
        ([seconds(60, 0.0002)], ["silence"]),
        ([seconds(60, 0.001)], []),
        ([seconds(4, 0.0), seconds(1, 0.01), seconds(4, 0.0)], ["silence", "silence"]),
    ],
)
def test_levels(sound: list[NDArray[np.float64]], codes: list[str]) -> None:
    assert [w.code for w in levels(np.concatenate(sound))] == codes


@given(st.lists(st.integers(0, 80_000), max_size=20))
def test_how_audio_is_cut_makes_no_difference(cuts: list[int]) -> None:
    sound = np.concatenate([seconds(2, 1.0), seconds(4, 0.0), seconds(12, 0.1), seconds(2, 1.0)])
    assert levels(sound, cuts) == levels(sound)


def test_types_and_channels_make_no_difference() -> None:
    watch = LevelWatch(RATE, silence_s=3.0)
    loud = np.full((RATE, 2), 2**15 - 1, np.int16)
    (warning,) = watch.look(loud)
    assert warning.code == "clipping" and warning.values["clipped_percent"] == 100.0


def test_one_loud_sample_is_no_clipping() -> None:
    sound = seconds(10, 0.5)
    sound[5000:5002] = 1.0
    assert not levels(sound)


def pace(*parts: tuple[float, float]) -> list[str]:
    """Codes for parts of (seconds of clock, seconds of audio in each)."""
    watch, now, audio = PaceWatch(), 100.0, 0.0
    codes = [w.code for w in watch.look(now, audio, held_back=False)]
    for clock_s, rate in parts:
        for _ in range(round(clock_s)):
            now, audio = now + 1.0, audio + rate
            codes += [w.code for w in watch.look(now, audio, held_back=False)]
    return codes


@pytest.mark.parametrize(
    ("parts", "codes"),
    [
        ([(100, 1.0)], []),
        ([(100, 1.04)], []),
        ([(100, 0.96)], []),
        ([(120, 1.2)], ["faster_than_real_time"]),
        ([(100, 3.0)], ["faster_than_real_time"]),
        ([(100, 0.5)], ["slower_than_real_time"]),
        ([(1, 15.0), (60, 1.0), (1, 15.0), (60, 1.0)], []),
        ([(2, 25.0)], ["faster_than_real_time"]),
        ([(30, 0.5), (40, 1.0), (30, 0.5)], ["slower_than_real_time", "slower_than_real_time"]),
        ([(30, 0.5), (30, 0.93), (30, 0.5)], ["slower_than_real_time"]),
    ],
)
def test_pace(parts: list[tuple[float, float]], codes: list[str]) -> None:
    assert pace(*parts) == codes


def test_a_client_that_we_hold_back_is_not_called_slow() -> None:
    watch = PaceWatch()
    said = [watch.look(now, 0.1 * now, held_back=True) for now in range(100)]
    assert not any(said)
