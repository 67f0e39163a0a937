"""The server's side of a session: what may come when, and that it costs next to nothing."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakeword.errors import ProtocolError
from wakeword.protocol import (
    Audio,
    CloseCode,
    Ended,
    EndMessage,
    ErrorCode,
    Phase,
    ServerSession,
    Started,
    StartMessage,
    encode_message,
)

START = encode_message(StartMessage(protocol=1, sample_rate=16_000, encoding="s16le"))
END = encode_message(EndMessage())


def started(**options: int) -> ServerSession:
    """A session in which audio may come."""
    session = ServerSession(**options)
    session.receive_text(START)
    return session


def send(session: ServerSession, message: str | bytes) -> object:
    """Give the session any message."""
    if isinstance(message, str):
        return session.receive_text(message)
    return session.receive_bytes(message)


def test_a_whole_session() -> None:
    session = ServerSession()
    assert session.phase is Phase.WAITING and session.start is None
    event = session.receive_text(START)
    assert isinstance(event, Started) and session.start is event.start
    assert [session.receive_bytes(b"ab"), session.receive_bytes(b"")] == [Audio(b"ab"), Audio(b"")]
    assert session.audio_bytes == 2
    assert session.receive_text(END) == Ended()
    assert session.phase is Phase.ENDED


@pytest.mark.parametrize(
    "before, message, says",
    [
        ([], b"ab", "audio came, but the first message must be start"),
        ([], END, "end came, but the first message must be start"),
        ([START], START, "a second start came, but only audio and end may follow start"),
        ([START, b"ab", END], b"ab", "audio came, but the stream has ended"),
        ([START, END], END, "a text message came, but the stream has ended"),
        ([START, END], START, "a text message came, but the stream has ended"),
    ],
)
def test_what_may_not_come_now(
    before: list[str | bytes], message: str | bytes, says: str
) -> None:
    session = ServerSession()
    for earlier in before:
        send(session, earlier)
    with pytest.raises(ProtocolError, match=says) as caught:
        send(session, message)
    assert caught.value.code == ErrorCode.OUT_OF_ORDER
    assert caught.value.close_code == CloseCode.BAD_MESSAGE
    assert session.phase is Phase.FAILED


@pytest.mark.parametrize(
    "text", ["UklGRiQAAABXQVZF", '{"type": "stop"}', '{"type": "end", "a": 1}']
)
def test_text_where_audio_is_due(text: str) -> None:
    session = started()
    with pytest.raises(ProtocolError) as caught:
        session.receive_text(text)
    assert caught.value.code == ErrorCode.BAD_MESSAGE
    assert session.phase is Phase.FAILED


def test_a_bad_start_is_not_taken_and_there_is_no_second_try() -> None:
    session = ServerSession()
    with pytest.raises(ProtocolError):
        session.receive_text('{"type": "start", "protocol": 1}')
    assert session.start is None
    with pytest.raises(ProtocolError, match="the session has failed"):
        session.receive_text(START)


def test_a_long_message_is_refused_by_its_length() -> None:
    session = started(max_message_bytes=1000)
    session.receive_bytes(bytes(1000))
    with pytest.raises(ProtocolError, match="1001 bytes of s16le, but it may have 1000") as caught:
        session.receive_bytes(bytes(1001))
    assert (caught.value.value, caught.value.limit) == (1001, 1000)
    assert caught.value.close_code == CloseCode.TOO_BIG
    with pytest.raises(ProtocolError, match="the session has failed"):
        session.receive_bytes(b"ab")


def test_an_opus_packet_is_never_longer_than_the_codec_makes_them() -> None:
    session = ServerSession()
    session.receive_text(
        encode_message(StartMessage(protocol=1, sample_rate=16_000, encoding="opus"))
    )
    session.receive_bytes(bytes(8192))
    with pytest.raises(ProtocolError, match="8193 bytes of opus, but it may have 8192"):
        session.receive_bytes(bytes(8193))


def test_a_gigabyte_is_neither_copied_nor_looked_at() -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return 2**30

    session = started()
    with pytest.raises(ProtocolError, match="1073741824 bytes"):
        session.receive_bytes(Huge())


messages = st.lists(
    st.sampled_from([START, END, b"", b"ab"]) | st.text(max_size=20) | st.binary(max_size=20)
)


@given(messages)
def test_any_sequence_keeps_the_order_or_fails_for_good(sequence: list[str | bytes]) -> None:
    session = ServerSession()
    events: list[object] = []
    failed = False
    for message in sequence:
        try:
            events.append(send(session, message))
            assert not failed, "nothing is taken after a failure"
        except ProtocolError:
            failed = True
    kinds = [type(event) for event in events]
    assert kinds == sorted(kinds, key=[Started, Audio, Ended].index)
    assert kinds.count(Started) <= 1 and kinds.count(Ended) <= 1
    assert not kinds or kinds[0] is Started


def test_audio_is_not_kept() -> None:
    session = started()
    tracemalloc.start()
    try:
        for _ in range(2000):
            session.receive_bytes(bytes(2560))
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()
    assert session.audio_bytes == 2000 * 2560
