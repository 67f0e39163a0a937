"""The queue of samples that wait for their step: first in, first out, whatever its buffer does."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wakeword.runtime.stream import SampleQueue

counts = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000)), max_size=30)


@given(counts)
def test_what_goes_in_comes_out_in_order(moves: list[tuple[int, int]]) -> None:
    queue, given_so_far, taken = SampleQueue(), 0, 0
    for arriving, wanted in moves:
        samples = np.arange(given_so_far, given_so_far + arriving, dtype=np.float32)
        queue.append(samples)
        samples[:] = -1.0  # the caller may reuse its buffer
        given_so_far += arriving
        wanted = min(wanted, len(queue))
        np.testing.assert_array_equal(queue.peek(wanted), np.arange(taken, taken + wanted))
        queue.drop(wanted)
        taken += wanted
        assert len(queue) == given_so_far - taken


def test_a_live_stream_never_needs_a_larger_buffer() -> None:
    queue, sizes = SampleQueue(), set()
    for _ in range(1000):
        queue.append(np.zeros(1280, np.float32))
        while len(queue) >= 1600:
            queue.drop(1600)
        sizes.add(len(queue._buffer))
    assert max(sizes) <= 4 * 1600


def test_what_a_file_needed_is_given_back() -> None:
    queue = SampleQueue()
    queue.append(np.zeros(1_000_000, np.float32))
    queue.drop(1_000_000)
    assert len(queue) == len(queue._buffer) == 0


def test_few_samples_are_moved_however_many_wait() -> None:
    """A backlog that is fed and drained by small pieces must not be moved for each of them."""
    queue, moved = SampleQueue(), 0
    move = queue._move

    def counted(needed: int) -> None:
        nonlocal moved
        moved += len(queue)
        move(needed)

    queue._move = counted
    queue.append(np.zeros(1_000_000, np.float32))
    for _ in range(2000):
        queue.append(np.zeros(1280, np.float32))
        queue.drop(1280)
    assert moved <= 2000 * 1280 + 1_000_000
