"""PCM: scales, mixdown, refusals, and bytes cut anywhere."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakeword.audio.pcm import PcmDecoder, encode_int16, to_mono_float32
from wakeword.errors import AudioError


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([-32768, 0, 16384, 32767], np.int16, [-1.0, 0.0, 0.5, 32767 / 32768]),
        ([-(2**31), 0, 2**30], np.int32, [-1.0, 0.0, 0.5]),
        ([-1.0, 0.25, 1.5], np.float32, [-1.0, 0.25, 1.5]),
        ([-1.0, 0.25, 1.5], np.float64, [-1.0, 0.25, 1.5]),
        ([-32768, 16384], ">i2", [-1.0, 0.5]),
    ],
)
def test_scales_are_exact(values, dtype, expected):
    mono = to_mono_float32(np.array(values, dtype))
    assert mono.dtype == np.float32
    assert mono.tolist() == np.array(expected, np.float32).tolist()


@pytest.mark.parametrize("channels", [1, 2, 3, 64])
@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_integers_are_scaled_as_if_in_double_precision(dtype, channels):
    limits = np.iinfo(dtype)
    shape = (3000, channels)
    values = np.random.default_rng(channels).integers(
        limits.min, limits.max, shape, dtype, endpoint=True
    )
    values[:2] = [[limits.min] * channels, [limits.max] * channels]
    expected = values.mean(axis=1, dtype=np.float64) / (limits.max + 1.0)
    np.testing.assert_array_equal(to_mono_float32(values), expected.astype(np.float32))


def test_channels_are_averaged_without_integer_overflow():
    six = np.full((4, 6), 32767, np.int16)
    six[1] = [-32768, 32767, 0, 0, 0, 0]
    expected = six.astype(np.float64).mean(axis=1) / 32768
    np.testing.assert_array_equal(to_mono_float32(six), expected.astype(np.float32))
    assert to_mono_float32(np.zeros((0, 2), np.int16)).shape == (0,)
    assert to_mono_float32(np.zeros(0, np.float32)).shape == (0,)


def test_non_finite_samples_are_counted_and_located():
    samples = np.zeros((100, 2), np.float32)
    samples[7, 1], samples[9, 0], samples[50] = np.nan, np.inf, -np.inf
    with pytest.raises(AudioError, match=r"4 NaN or infinite samples, the first at sample 1007"):
        to_mono_float32(samples, first_sample=1000)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(3, np.uint8), "not uint8"),
        (np.zeros(3, np.complex64), "not complex64"),
        (np.zeros((2, 3, 4), np.int16), r"not \(2, 3, 4\)"),
        (np.zeros((2, 4000), np.int16), r"not \(2, 4000\)"),
        (np.zeros((4, 0), np.int16), r"not \(4, 0\)"),
        (np.zeros((), np.int16), r"not \(\)"),
        ([0.0, 0.1], "not list"),
        (np.array([0.0, 20000.0], np.float32), "reach 20000, but full scale is 1"),
    ],
)
def test_other_types_shapes_and_scales_are_refused(samples, message):
    with pytest.raises(AudioError, match=message):
        to_mono_float32(samples)


def test_a_contradicted_channel_count_is_refused():
    with pytest.raises(AudioError, match="2 channels were declared, but the samples have 1"):
        to_mono_float32(np.zeros(4, np.int16), channels=2)
    assert to_mono_float32(np.zeros((4, 2), np.int16), channels=2).shape == (4,)


def _bytes_24(values: np.ndarray) -> bytes:
    return values.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


ENCODED = {
    "u8": (lambda x: np.rint(x * 128 + 128).astype(np.uint8).tobytes(), 2.0**-7),
    "s16le": (lambda x: np.rint(x * 2**15).astype("<i2").tobytes(), 2.0**-15),
    "s24le": (lambda x: _bytes_24(np.rint(x * 2**23)), 2.0**-23),
    "s32le": (lambda x: np.rint(x * 2**31).astype("<i4").tobytes(), 2.0**-24),
    "f32le": (lambda x: x.astype("<f4").tobytes(), 2.0**-24),
    "f64le": (lambda x: x.astype("<f8").tobytes(), 2.0**-24),
}


@pytest.mark.parametrize("encoding", ENCODED)
@given(
    seed=st.integers(0, 2**31),
    channels=st.integers(1, 3),
    cuts=st.lists(st.integers(0, 700), max_size=12),
)
def test_bytes_cut_anywhere_decode_to_the_same_samples(encoding, seed, channels, cuts):
    encode, step = ENCODED[encoding]
    audio = np.random.default_rng(seed).uniform(-0.99, 0.99, (29, channels))
    data = encode(audio)
    whole = PcmDecoder(encoding, channels).decode(data)
    np.testing.assert_allclose(whole, audio.mean(axis=1), atol=step)
    edges = [0, *sorted(min(c, len(data)) for c in cuts), len(data)]
    decoder = PcmDecoder(encoding, channels)
    parts = [decoder.decode(data[a:b]) for a, b in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    decoder.finish()


def test_bytes_that_end_inside_a_sample_are_an_error():
    decoder = PcmDecoder("s16le", 2)
    assert len(decoder.decode(bytes(4 * 5 + 3))) == 5
    with pytest.raises(AudioError, match="3 bytes after sample 5"):
        decoder.finish()


def test_position_of_a_nan_counts_from_the_start_of_the_stream():
    decoder = PcmDecoder("f32le")
    decoder.decode(bytes(4 * 10))
    with pytest.raises(AudioError, match="first at sample 12"):
        decoder.decode(np.array([0, 0, np.nan], "<f4").tobytes())


def test_unknown_encodings_and_channel_counts_are_refused():
    with pytest.raises(AudioError, match="unknown encoding 's16be'; there are: u8, s16le"):
        PcmDecoder("s16be")  # type: ignore[arg-type]
    with pytest.raises(AudioError, match="channels = 0"):
        PcmDecoder("s16le", 0)


def test_encode_int16_rounds_and_clips():
    coded = encode_int16(np.array([-2.0, -1.0, 0.5, 1.0, 2.0, 0.4 / 2**15], np.float32))
    assert coded.tolist() == [-32768, -32768, 16384, 32767, 32767, 0]


@given(st.lists(st.integers(-32768, 32767)))
def test_int16_survives_the_round_trip(values):
    original = np.array(values, np.int16)
    np.testing.assert_array_equal(encode_int16(to_mono_float32(original)), original)
