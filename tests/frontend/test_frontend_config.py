"""A front-end configuration is checked when it is made, and survives its trip in metadata."""

import json
from dataclasses import replace
from typing import Any

import pytest

from wakeword.errors import ConfigError
from wakeword.frontend import FrontendConfig, PcenConfig, preset
from wakeword.frontend.config import PRESETS


def test_the_default_is_the_papers() -> None:
    config = FrontendConfig()
    assert config == preset("pcen-40")
    assert (config.sample_rate, config.window_samples, config.hop_samples) == (16_000, 400, 160)
    assert config.channels == config.n_mels == 40
    assert config.pcen == PcenConfig(s=0.025, alpha=0.98, delta=2.0, r=0.5, eps=1e-6)
    assert config.frames_after(24_400) == 151, "1.525 s of samples fill a window of 151 frames"


@pytest.mark.parametrize("name", PRESETS)
def test_configurations_survive_json(name: str) -> None:
    config = replace(preset(name), pcen=PcenConfig(s=0.04, alpha=0.9))
    assert FrontendConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(("name", "channels", "window", "hop"), [
    ("logmel-40", 40, 400, 160), ("mfcc-30-10", 40, 480, 160), ("mfcc-40-20", 10, 640, 320),
    ("pcen+logmel-40", 80, 400, 160),
])  # fmt: skip
def test_presets(name: str, channels: int, window: int, hop: int) -> None:
    config = preset(name)
    found = (config.channels, config.window_samples, config.hop_samples)
    assert found == (channels, window, hop)


def test_an_unknown_preset_says_which_exist() -> None:
    with pytest.raises(ConfigError, match=r"'fbank'.*logmel-40, mfcc-30-10, mfcc-40-20, pcen\+lo"):
        preset("fbank")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "fbank"},
        {"sample_rate": 3_999},
        {"sample_rate": 192_001},
        {"hop_samples": 0},
        {"hop_samples": 401},
        {"window_samples": 513},
        {"fft_size": 399},
        {"fft_size": 65_537},
        {"n_mels": 0},
        {"n_mels": 257},
        {"n_mfcc": 41},
        {"n_mfcc": 0},
        {"f_min_hz": -1.0},
        {"f_min_hz": 7_600.0},
        {"f_max_hz": 8_001.0},
        {"f_max_hz": float("nan")},
        {"log_floor": 0.0},
    ],
)
def test_values_outside_their_limits_are_named(change: dict[str, Any]) -> None:
    (name, value), = change.items()  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        FrontendConfig(**change)
    message = str(caught.value)
    assert str(value) in message and "must be" in message
    assert name in message or name in ("window_samples", "f_min_hz")


@pytest.mark.parametrize(
    "change",
    [{"s": 0.0}, {"s": 1.1}, {"alpha": -0.1}, {"alpha": 1.1}, {"delta": -1.0}, {"r": 0.0},
     {"r": 1.1}, {"eps": 0.0}, {"s": float("nan")}, {"eps": float("nan")}],
)  # fmt: skip
def test_pcen_outside_its_limits_is_named(change: dict[str, float]) -> None:
    (name, value), = change.items()  # fmt: skip
    with pytest.raises(ConfigError, match=rf"pcen\.{name} = {value}"):
        PcenConfig(**change)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"colour": 1}, "unknown key 'colour'"),
        ({"pcen": {"colour": 1}}, "unknown key 'colour'"),
        ({"pcen": 3}, "must be a table"),
        ({"n_mels": 40.0}, "n_mels"),
        ({"n_mels": "40"}, "n_mels"),
        ({"n_mels": True}, "n_mels"),
        ({"pcen": {"s": float("inf")}}, "finite"),
        ({"pcen": {"s": 2}}, r"pcen\.s = 2.0"),
        ([], "must be a table"),
    ],
)
def test_bad_tables_are_refused(table: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        FrontendConfig.from_dict(table)


@pytest.mark.parametrize(
    ("samples", "frames"), [(0, 0), (399, 0), (400, 1), (1600, 8), (3200, 18), (16_000, 98)]
)
def test_frames_after(samples: int, frames: int) -> None:
    assert FrontendConfig().frames_after(samples) == frames
