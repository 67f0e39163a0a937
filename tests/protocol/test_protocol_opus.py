"""Opus on the wire: what libsndfile hears, all kinds of packets, and hostile ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opus_packets import encode, from_ogg, tone, write_ogg

from wakeword.audio.pcm import to_mono_float32
from wakeword.audio.resample import resample
from wakeword.errors import AudioError, ProtocolError
from wakeword.protocol import CloseCode, Decoder, ErrorCode
from wakeword.protocol.start import MAX_OPUS_BYTES

LOOKAHEAD, SHORT_LOOKAHEAD = 312, 120
"""Samples at 48 kHz by which libopus is late, with frames from 10 ms on and shorter ones. An Ogg
header says so, and its players skip them."""


@pytest.mark.parametrize("channels", [1, 2])
def test_packets_of_a_file_sound_as_libsndfile_plays_them(tmp_path: Path, channels: int) -> None:
    played = write_ogg(tmp_path / "tone.opus", tone(48_000, 1.5, channels), 48_000)
    ours = Decoder("opus", 48_000, channels).decode(*from_ogg(tmp_path / "tone.opus"))
    ours = ours[LOOKAHEAD : LOOKAHEAD + len(played)]
    assert ours.shape == played.shape
    assert np.abs(ours / 2**15 - played).max() < 2.0**-15, "rounded to 16 bits, nothing else"


@pytest.mark.parametrize("frame_ms", [2.5, 5, 10, 20, 40, 60, 80, 100, 120])
@pytest.mark.parametrize(
    "rate, channels", [(8_000, 1), (12_000, 1), (16_000, 2), (24_000, 1), (48_000, 2)]
)
def test_every_length_of_packet_lasts_as_long_as_it_says(
    frame_ms: float, rate: int, channels: int
) -> None:
    spoken = tone(rate, 1.2, channels)
    packets = encode(spoken, rate, frame_ms)
    decoder = Decoder("opus", rate, channels)
    assert decoder.sample_rate == 48_000
    blocks = [decoder.decode(packet) for packet in packets]
    decoder.finish()
    assert {len(b) for b in blocks} == {round(48 * frame_ms)}
    assert sum(map(decoder.duration_s, packets)) == pytest.approx(len(packets) * frame_ms / 1000)
    late = LOOKAHEAD if frame_ms >= 10 else SHORT_LOOKAHEAD
    heard = to_mono_float32(np.concatenate(blocks))[late:]
    wanted = resample(to_mono_float32(spoken), rate, 48_000)[: len(heard)]
    middle = slice(9600, len(wanted) - 9600)
    correlation = np.corrcoef(heard[: len(wanted)][middle], wanted[middle])[0, 1]
    assert correlation > 0.98


def test_packets_decoded_together_are_packets_decoded_alone() -> None:
    packets = encode(tone(16_000, 0.5), 16_000)
    alone, together = Decoder("opus", 16_000), Decoder("opus", 16_000)
    np.testing.assert_array_equal(
        np.concatenate([alone.decode(p) for p in packets]), together.decode(*packets)
    )
    assert together.decode(b"", b"").shape == (0, 1) and together.duration_s(b"") == 0.0


def refused(*packets: bytes) -> ProtocolError:
    """The refusal of the last packet."""
    decoder = Decoder("opus", 16_000)
    decoder.decode(*packets[:-1])
    with pytest.raises(ProtocolError) as caught:
        decoder.decode(packets[-1])
    assert (caught.value.code, caught.value.close_code) == (
        ErrorCode.BAD_AUDIO, CloseCode.BAD_MESSAGE,
    )  # fmt: skip
    return caught.value


def test_limits_of_a_packet() -> None:
    error = refused(bytes(MAX_OPUS_BYTES + 1))
    assert (error.value, error.limit) == (MAX_OPUS_BYTES + 1, MAX_OPUS_BYTES)
    # Code 3 packets: configuration 3 (60 ms), three of them, then 48 of 2.5 ms and one more.
    assert "180 ms" in str(refused(bytes([3 << 3 | 3, 3]) + bytes(50)))
    assert "122.5 ms" in str(refused(bytes([16 << 3 | 3, 49]) + bytes(50)))
    assert "0 frames" in str(refused(bytes([3, 0])))
    assert "0 frames" in str(refused(bytes([3])))


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(b"OggS" + bytes(60), id="a page of a file"),
        pytest.param(b"OpusHead" + bytes(11), id="the header of a file"),
        pytest.param(bytes([1, 2, 3, 4]), id="two frames in an odd number of bytes"),
        pytest.param(bytes([2, 200]), id="a frame longer than its packet"),
    ],
)
def test_a_damaged_packet_is_bad_audio(damaged: bytes) -> None:
    good = encode(tone(16_000, 0.1), 16_000)
    error = refused(*good, damaged)
    assert "opus packet" in str(error)


@given(st.lists(st.binary(max_size=400), max_size=20))
def test_no_packet_escapes_the_refusals(packets: list[bytes]) -> None:
    decoder = Decoder("opus", 48_000, 2)
    for packet in packets:
        try:
            samples = decoder.decode(packet)
        except ProtocolError as error:
            assert error.code == ErrorCode.BAD_AUDIO
        else:
            assert samples.shape == (round(48_000 * decoder.duration_s(packet)), 2)
            assert len(samples) <= 5760


@given(st.binary(max_size=400))
def test_flow_control_counts_any_packet_in_bounds(packet: bytes) -> None:
    assert 0.0 <= Decoder("opus", 48_000).duration_s(packet) <= 0.06 * 63


def test_opus_has_at_most_two_channels() -> None:
    with pytest.raises(AudioError, match="1 to 2 channels, not 3"):
        Decoder("opus", 48_000, 3)


def test_without_the_extra_the_message_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['av'] = None\n"
        "from wakeword.protocol import Decoder, as_protocol_error\n"
        "Decoder('s16le', 16_000).decode(b'ab')\n"
        "try:\n    Decoder('opus', 16_000)\n"
        "except Exception as e:\n    print(as_protocol_error(e).code, e)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "unsupported" in done.stdout and "pip install 'wakeword[opus]'" in done.stdout, done
