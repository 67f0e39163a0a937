"""The backlog against a model of it that keeps every byte."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wakeword.client.backlog import Backlog

RATE, FRAME = 100, 3
CAPACITY_S = 4.0


def frames(first: int, count: int) -> bytes:
    """Frames that tell their position."""
    return b"".join(n.to_bytes(FRAME, "big") for n in range(first, first + count))


actions = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 700)),
        st.tuples(st.just("take"), st.integers(0, 2000)),
        st.tuples(st.just("drop"), st.integers(0, 300)),
        st.tuples(st.just("rewind"), st.just(0)),
    ),
    max_size=40,
)


@given(actions=actions, first=st.integers(0, 1000), grid=st.integers(1, 40))
def test_what_is_sent_is_what_was_appended_at_its_position(actions, first, grid):
    backlog, end = Backlog(FRAME, RATE, CAPACITY_S, first), first
    dropped = first
    for action, amount in actions:
        if action == "append":
            backlog.append(frames(end, amount), grid)
            end += amount
        elif action == "take" and not backlog.has_hole:
            at = backlog.sent
            assert backlog.take(amount, at + 250) == frames(
                at, min(amount // FRAME, 250, end - at)
            )
        elif action == "drop":
            dropped = min(backlog.begin + amount, backlog.sent)
            backlog.drop_before(dropped)
        elif action == "rewind":
            backlog.rewind()
            assert backlog.sent == backlog.begin
        assert backlog.end == end
        assert backlog.end - backlog.begin <= CAPACITY_S * RATE
        assert backlog.unsent == end - backlog.sent
        assert backlog.has_hole == (backlog.sent < backlog.begin)
        on_grid = (backlog.begin - first) % grid == 0
        assert on_grid or backlog.begin in (dropped, end)


@given(cuts=st.lists(st.integers(1, 50), min_size=1, max_size=30))
def test_bytes_may_be_cut_anywhere(cuts):
    data, backlog, at, taken = frames(0, 100), Backlog(FRAME, RATE, CAPACITY_S), 0, b""
    for size in cuts:
        backlog.append(data[at : at + size], 1)
        at = min(len(data), at + size)
        taken += backlog.take(len(data), backlog.end)
        assert backlog.rest_bytes == at % FRAME
    assert taken == data[: at - at % FRAME]


def test_the_newest_sound_is_what_is_kept():
    backlog = Backlog(FRAME, RATE, CAPACITY_S)
    for second in range(100):
        backlog.append(frames(second * RATE, RATE), 10)
    assert backlog.end == 100 * RATE
    assert backlog.end - backlog.begin >= (CAPACITY_S - 1) * RATE, "all but the last second"
    assert backlog.has_hole
    backlog.rewind()
    begin = backlog.begin
    assert backlog.take(10**6, backlog.end) == frames(begin, 100 * RATE - begin)
