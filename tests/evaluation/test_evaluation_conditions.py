"""What clips are heard under: how it is called, and what cannot be."""

from __future__ import annotations

import math

import pytest

from wakeword.errors import ConfigError
from wakeword.evaluation.conditions import Condition


@pytest.mark.parametrize(
    ("condition", "name", "mixture", "as_recorded"),
    [
        (Condition("clean"), "clean", "clean", True),
        (Condition("sentence"), "in sentences", "in sentences", True),
        (Condition("telephone"), "over a telephone", "over a telephone", False),
        (Condition("noise", 10.0), "noise at 10 dB SNR", "noise at 10 dB SNR", False),
        (Condition("babble", -2.5), "babble at -2.5 dB SNR", "babble at -2.5 dB SNR", False),
        (Condition("clean", distance_m=2.0), "clean, 2 m away", "clean", False),
        (Condition("noise", 5.0, 0.5), "noise at 5 dB SNR, 0.5 m away", "noise at 5 dB SNR", False),
    ],
)
def test_conditions_say_what_they_are(
    condition: Condition, name: str, mixture: str, as_recorded: bool
) -> None:
    assert (condition.name, condition.mixture) == (name, mixture)
    assert condition.as_recorded == as_recorded


@pytest.mark.parametrize(
    ("kind", "snr_db", "distance_m", "says"),
    [
        ("clean", 10.0, None, "clean at 10.0 dB SNR"),
        ("sentence", 10.0, None, "sentence at 10.0 dB SNR"),
        ("telephone", 10.0, None, "telephone at 10.0 dB SNR"),
        ("noise", math.inf, None, "noise at inf dB SNR"),
        ("babble", math.nan, None, "babble at nan dB SNR"),
        ("noise", -40.5, None, "from -40 to 80 dB"),
        ("clean", math.inf, 0.05, "0.05 m away; it must be from 0.1 to 10 m"),
        ("clean", math.inf, math.nan, "nan m away"),
    ],
)
def test_conditions_that_cannot_be_are_refused(
    kind: str, snr_db: float, distance_m: float | None, says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        Condition(kind, snr_db, distance_m)
