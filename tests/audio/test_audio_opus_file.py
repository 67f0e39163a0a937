"""Ogg Opus as bytes: what comes out of a decoder is what went in, about."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
import soundfile

from wakeword.audio.opus_file import ogg_opus
from wakeword.errors import AudioError, MissingExtraError


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_a_decoder_gives_it_back_at_its_place(rate: int) -> None:
    t = np.arange(rate) / rate
    tone = (0.3 * np.sin(2 * np.pi * 440.0 * t) * (t > 0.5)).astype(np.float32)
    data = ogg_opus(tone, rate)
    heard, heard_rate = soundfile.read(io.BytesIO(data))
    assert (heard_rate, len(heard)) == (rate, rate)
    assert np.corrcoef(heard, tone)[0, 1] > 0.99
    assert len(data) < rate // 2, "much less than its 16 bit samples"


def test_loud_sound_is_clipped_and_no_sound_is_refused() -> None:
    heard, _ = soundfile.read(io.BytesIO(ogg_opus(np.full(16_000, 40.0, np.float32), 16_000)))
    assert np.abs(heard).max() < 1.5
    with pytest.raises(AudioError, match="no samples"):
        ogg_opus(np.zeros(0, np.float32), 16_000)


def test_a_rate_that_opus_has_not_is_named() -> None:
    with pytest.raises(AudioError, match="no rate of 11025 Hz; it has 8000, 12000"):
        ogg_opus(np.zeros(10, np.float32), 11_025)


def test_without_soundfile_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingExtraError, match="soundfile"):
        ogg_opus(np.zeros(10, np.float32), 16_000)
