"""Audio decoded together is what each stream's decoder would have given."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wakeword_service.decoding import Decoded, decode
from wakeword_service.watch import LevelWatch

from wakeword.audio.pcm import to_mono_float32
from wakeword.errors import ProtocolError
from wakeword.protocol import Decoder

KINDS = [("s16le", 1), ("s16le", 2), ("f32le", 1), ("mulaw", 1)]

messages = st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=3)
rounds = st.lists(
    st.lists(st.one_of(st.none(), messages), min_size=6, max_size=6), min_size=1, max_size=4
)


def mono(found: Decoded | Exception) -> np.ndarray:
    assert isinstance(found, Decoded)
    if found.samples.dtype == np.float32 and found.peak is None:
        return found.samples.view(np.uint32)  # any bits, NaN that signals among them
    return found.samples if found.peak is not None else to_mono_float32(found.samples)


@given(rounds, st.lists(st.sampled_from(KINDS), min_size=6, max_size=6))
@settings(max_examples=60)
def test_together_is_one_by_one_however_messages_are_cut(rounds, kinds) -> None:
    """Also where a message ends inside a sample, which the next one completes."""
    together = [Decoder(encoding, 16_000, channels) for encoding, channels in kinds]
    alone = [Decoder(encoding, 16_000, channels) for encoding, channels in kinds]
    for given_now in rounds:
        asked = [(i, m) for i, m in enumerate(given_now) if m is not None]
        found = decode([(together[i], m) for i, m in asked])
        for (i, m), one in zip(asked, found, strict=True):
            expected = mono(Decoded(alone[i].decode(*m), None))
            np.testing.assert_array_equal(mono(one), expected)
            assert isinstance(one, Decoded)
            if one.peak is not None:
                assert one.peak == np.abs(expected).max()


def test_plain_audio_is_scaled_at_once_and_its_peak_known() -> None:
    loud = np.array([-(2**15), 0, 2**14], "<i2").tobytes()
    first, second = decode([(Decoder("s16le", 16_000), [loud[:2], loud[2:]]),
                            (Decoder("s16le", 8_000), [loud[2:]])])  # fmt: skip
    assert isinstance(first, Decoded) and first.samples.tolist() == [-1.0, 0.0, 0.5]
    assert isinstance(second, Decoded) and (first.peak, second.peak) == (1.0, 0.5)


def test_what_fails_is_given_in_its_place() -> None:
    good = Decoder("s16le", 16_000)
    pytest.importorskip("av")
    found = decode([(Decoder("opus", 48_000), [b"\xff" * 3]), (good, [b"\0\0"])])
    assert isinstance(found[0], ProtocolError)
    assert isinstance(found[1], Decoded) and found[1].samples.tolist() == [0.0]
    assert decode([]) == []


def test_an_end_inside_a_sample_is_found_after_plain_audio_too() -> None:
    decoder = Decoder("s16le", 16_000)
    decode([(decoder, [b"\0\0"])])
    decode([(decoder, [b"\0\0\0"])])
    with pytest.raises(ProtocolError, match="after sample 2"):
        decoder.finish()


@given(st.integers(0, 2**32 - 1), st.floats(0.9, 1.0), st.lists(st.integers(1, 3000), max_size=20))
@settings(max_examples=40)
def test_a_known_peak_changes_no_warning(seed: int, level: float, sizes: list[int]) -> None:
    dice = np.random.default_rng(seed)
    knowing, looking = (LevelWatch(1_000, silence_s=1.0) for _ in range(2))
    for size in sizes:
        quiet = dice.random() < 0.5
        samples = (0.0 if quiet else level) * dice.uniform(-1, 1, size).astype(np.float32)
        samples[dice.random(size) < 0.01] = 0.0 if quiet else level
        peak = float(np.abs(samples).max())
        assert knowing.look(samples, peak) == looking.look(samples)
