"""PCM on the wire: no cutting changes a sample, mu-law is what others say it is."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from wakeword.audio.pcm import PcmDecoder, to_mono_float32
from wakeword.errors import AudioError, ProtocolError, SampleRateError
from wakeword.protocol import Decoder, ErrorCode, WireEncoding

PCM: dict[WireEncoding, str] = {"s16le": "<i2", "f32le": "<f4", "mulaw": "u1"}


def of_libsndfile(data: bytes) -> NDArray[np.int16]:
    """mu-law as libsndfile reads it."""
    file = io.BytesIO(data)
    read: NDArray[np.int16] = soundfile.read(
        file, dtype="int16", samplerate=8000, channels=1, format="RAW", subtype="ULAW"
    )[0]
    return read


@given(
    st.sampled_from([*PCM]),
    st.integers(1, 3),
    st.binary(max_size=200),
    st.lists(st.integers(0, 200)),
    st.lists(st.booleans(), min_size=1),
)
def test_no_way_of_cutting_changes_a_sample(
    encoding: WireEncoding, channels: int, data: bytes, cuts: list[int], together: list[bool]
) -> None:
    frame_bytes = np.dtype(PCM[encoding]).itemsize * channels
    data = data[: len(data) // frame_bytes * frame_bytes]
    whole = Decoder(encoding, 8000, channels).decode(data)
    assert whole.shape == (len(data) // frame_bytes, channels)
    places = [0, *sorted(min(c, len(data)) for c in cuts), len(data)]
    messages = [data[a:b] for a, b in itertools.pairwise(places)]
    decoder = Decoder(encoding, 8000, channels)
    parts, waiting = [], list[bytes]()
    for message, wait in zip(messages, itertools.cycle(together), strict=False):
        waiting.append(message)
        if not wait:
            parts.append(decoder.decode(*waiting))
            waiting.clear()
    parts.append(decoder.decode(*waiting))
    decoder.finish()
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert sum(map(decoder.duration_s, messages)) == pytest.approx(len(whole) / 8000)


@given(st.lists(st.floats(-1, 1, width=32), min_size=1))
def test_linear_samples_come_out_as_they_went_in(values: list[float]) -> None:
    floats = np.array(values, np.float32)
    np.testing.assert_array_equal(Decoder("f32le", 16_000).decode(floats.tobytes())[:, 0], floats)
    whole = np.rint(floats * 32767).astype("<i2")
    np.testing.assert_array_equal(Decoder("s16le", 16_000).decode(whole.tobytes())[:, 0], whole)


def test_every_byte_of_mulaw_is_what_libsndfile_makes_of_it() -> None:
    every = bytes(range(256))
    ours = Decoder("mulaw", 8000).decode(every)
    assert ours.dtype == np.int16
    np.testing.assert_array_equal(ours[:, 0], of_libsndfile(every))
    # G.711, table 2a: decoder outputs 8031, 33, 0, -33, -8031 of 14 bits, here of 16.
    assert ours[[0x80, 0xEF, 0xFF, 0x7F, 0x6F, 0x00], 0].tolist() == [
        4 * 8031, 4 * 33, 0, 0, -4 * 33, -4 * 8031,
    ]  # fmt: skip


def test_telephone_audio_from_another_encoder_is_close_to_the_original() -> None:
    t = np.arange(8000) / 8000
    tone = (0.5 * np.sin(2 * np.pi * 440 * t) * 2**15).astype(np.int16)
    file = io.BytesIO()
    soundfile.write(file, tone, 8000, format="RAW", subtype="ULAW")
    heard = Decoder("mulaw", 8000).decode(file.getvalue())[:, 0].astype(float)
    noise = heard - tone
    snr_db = 10 * np.log10((tone.astype(float) ** 2).sum() / (noise**2).sum())
    assert snr_db > 35, "mu-law has about 38 dB"


def test_raw_recordings_may_be_mulaw_too() -> None:
    every = bytes(range(256))
    heard = PcmDecoder("mulaw", 2).decode(every)
    np.testing.assert_array_equal(
        heard, to_mono_float32(of_libsndfile(every).reshape(-1, 2)).astype(np.float32)
    )


@pytest.mark.parametrize(
    "encoding, channels, extra",
    [("s16le", 1, 1), ("f32le", 1, 3), ("s16le", 2, 2), ("mulaw", 2, 1)],
)
def test_an_end_inside_a_sample_is_bad_audio(
    encoding: WireEncoding, channels: int, extra: int
) -> None:
    decoder = Decoder(encoding, 16_000, channels)
    frame = np.dtype(PCM[encoding]).itemsize * channels
    assert len(decoder.decode(bytes(5 * frame + extra))) == 5
    with pytest.raises(ProtocolError, match=f"{extra} bytes after sample 5") as caught:
        decoder.finish()
    assert caught.value.code == ErrorCode.BAD_AUDIO


def test_impossible_formats() -> None:
    with pytest.raises(SampleRateError):
        Decoder("s16le", 7)
    with pytest.raises(AudioError, match="channels = 0"):
        Decoder("s16le", 16_000, 0)
    with pytest.raises(AudioError, match="unknown encoding 'mp3'"):
        Decoder("mp3", 16_000)


def test_the_rate_and_channels_to_go_on_with_are_the_declared_ones() -> None:
    decoder = Decoder("mulaw", 44_100, 2)
    assert (decoder.sample_rate, decoder.channels) == (44_100, 2)
    assert decoder.duration_s(bytes(88_200)) == 1.0
    assert decoder.decode().shape == (0, 2)
