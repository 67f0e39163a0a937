"""The Speech Commands protocol: its split against 21,000 clips, its classes and limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakeword.data.commands.protocol import (
    TEN_WORDS,
    V1_OTHERS,
    V2_OTHERS,
    CommandsConfig,
    which_split,
)
from wakeword.data.manifest import read_manifest
from wakeword.errors import ConfigError


@pytest.mark.shared
def test_the_split_is_that_of_the_data_set(shared_data: Path) -> None:
    manifest = read_manifest(shared_data / "manifest.csv", check_files=False)
    clips = manifest.where(lambda r: r.corpus == "speech_commands")
    assert len(clips) > 20_000
    assert [r.path for r in clips if which_split(r.path.name) != r.split] == []


def test_three_speakers_of_the_data_set() -> None:
    assert which_split("no/988e2f9a_nohash_0.wav") == "train"
    assert which_split("down/bb05582b_nohash_1.wav") == "test"
    assert which_split("down/067f61e2_nohash_0.wav") == "dev"


@given(st.text("0123456789abcdef", min_size=1, max_size=8), st.integers(0, 9))
def test_all_clips_of_a_speaker_are_in_one_split(speaker: str, take: int) -> None:
    names = (f"yes/{speaker}_nohash_{take}.wav", f"{speaker}_nohash_0.opus")
    assert len({which_split(name) for name in names}) == 1


def test_shares_of_the_split() -> None:
    splits = [which_split(f"{n:08x}_nohash_0.wav") for n in range(20_000)]
    for split, share in (("train", 0.8), ("dev", 0.1), ("test", 0.1)):
        assert splits.count(split) / len(splits) == pytest.approx(share, abs=0.01)


def test_classes_of_the_papers() -> None:
    twelve = CommandsConfig().classes(TEN_WORDS)
    assert len(twelve) == 12 and twelve[0] == "silence" and twelve[-1] == "unknown"
    assert len({*TEN_WORDS, *V1_OTHERS}) == 30 and len({*TEN_WORDS, *V2_OTHERS}) == 35
    assert CommandsConfig(unknown=0.0).beside == ()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"clip_s": 0.0}, "clip_s = 0.0"),
        ({"unknown": -0.1}, "unknown = -0.1"),
        ({"background": 1.1}, "background = 1.1"),
        ({"shift_s": 1.0}, "shift_s = 1.0"),
        ({"background_snr_db": (9.0, 5.0)}, "background_snr_db = [9.0, 5.0]"),
        ({"background_snr_db": (-90.0, 5.0)}, "-40 to 80 dB"),
    ],
)
def test_impossible_values_are_refused(values: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CommandsConfig(**values)
    assert says in str(caught.value)
