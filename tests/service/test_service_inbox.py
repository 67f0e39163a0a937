"""What waits for a worker: how much, since when, and when it is worth a visit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wakeword_service import inbox as inbox_module
from wakeword_service.inbox import Inbox

from wakeword.protocol import Decoder

SECOND = 32_000


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(inbox_module, "time", clock)
    return clock


def new_inbox(delay_s: float = 0.0) -> Inbox:
    return Inbox(Decoder("s16le", 16_000), 0.1, delay_s)


def test_a_visit_is_worth_it_when_a_step_is_complete(clock: Clock) -> None:
    inbox = new_inbox()
    due = []
    for _ in range(10):
        due.append(inbox.put(b"\0" * 2560))
        if due[-1]:
            inbox.take(10.0)
            step = 0.1
            inbox.wait_for(step - inbox.taken_s % step)
    # 80 ms each: complete at 0.16, 0.24, 0.32, 0.4 (so that 0.5 waits until 0.56), ...
    assert due == [False, True, True, True, True, False, True, True, True, True]


def test_the_oldest_step_is_that_which_is_not_scored(clock: Clock) -> None:
    """With a standing backlog the age does not grow with it: scored steps are forgotten."""
    inbox = new_inbox()
    assert inbox.oldest is None
    for i in range(50):
        clock.now = 1000.0 + i
        inbox.put(b"\0" * 3200)
    for scored in range(50):
        inbox.scored(0.1 * scored)
        assert inbox.oldest == 1000.0 + scored
    inbox.scored(5.0)
    assert inbox.oldest is None


def test_what_a_resampler_holds_is_not_late(clock: Clock) -> None:
    inbox = new_inbox(delay_s=0.04)
    inbox.put(b"\0" * 3200)
    assert inbox.oldest is None
    clock.now += 7.0
    inbox.put(b"\0" * 1300)
    assert inbox.oldest == 1007.0


@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=40), st.floats(0.01, 3.0))
def test_everything_comes_out_in_order_and_in_bounded_pieces(
    sizes: list[int], limit_s: float
) -> None:
    inbox, sent = new_inbox(), []
    for i, size in enumerate(sizes):
        sent.append(bytes([i % 256]) * size)
        inbox.put(sent[-1])
    taken: list[bytes] = []
    while not inbox.empty:
        piece = inbox.take(limit_s)
        assert piece and sum(map(len, piece[:-1])) < limit_s * SECOND
        taken += piece
    assert taken == sent
    assert inbox.taken_s == pytest.approx(inbox.received_s) == pytest.approx(sum(sizes) / SECOND)


def test_a_file_is_ahead_and_a_microphone_is_not(clock: Clock) -> None:
    live, file, again = new_inbox(), new_inbox(), new_inbox()
    again.put(b"\0" * 15 * SECOND)
    for _ in range(2000):
        clock.now += 0.08
        live.put(b"\0" * 2560)
        again.put(b"\0" * 2560)
        file.put(b"\0" * 25_600)
    assert live.ahead_s < 0.1 and again.ahead_s < 0.1 and file.ahead_s > 100.0


def test_an_empty_message_is_nothing(clock: Clock) -> None:
    inbox = new_inbox()
    clock.now += 5.0
    assert not inbox.put(b"") and inbox.empty and inbox.last_put == 1000.0
