"""Ring buffer against a deque, and with two threads."""

from __future__ import annotations

import threading
import time
from collections import deque

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from wakeword.audio.ring import RingBuffer
from wakeword.errors import ConfigError


class RingModel(RuleBasedStateMachine):
    """The ring does what a deque of bounded length would, and counts what did not fit."""

    @initialize(capacity=st.integers(1, 40))
    def start(self, capacity):
        self.ring = RingBuffer(capacity, np.int64)
        self.model = deque()
        self.next = self.dropped = 0

    @rule(count=st.integers(0, 60))
    def write(self, count):
        samples = np.arange(self.next, self.next + count)
        self.next += count
        fitting = min(count, self.ring.capacity_samples - len(self.model))
        assert self.ring.write(samples) == fitting
        self.model.extend(samples[:fitting].tolist())
        self.dropped += count - fitting

    @rule(count=st.one_of(st.none(), st.integers(0, 60)))
    def read(self, count):
        wanted = len(self.model) if count is None else min(count, len(self.model))
        expected = [self.model.popleft() for _ in range(wanted)]
        assert self.ring.read(count).tolist() == expected

    @invariant()
    def same_size_and_drops(self):
        assert len(self.ring) == len(self.model)
        assert self.ring.dropped_samples == self.dropped
        assert self.ring.wait(1, timeout_s=0) == bool(self.model)


RingModel.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
test_ring_against_a_deque = RingModel.TestCase


def test_what_was_read_does_not_change_later():
    ring = RingBuffer(4)
    ring.write(np.array([1, 2, 3], np.float32))
    taken = ring.read()
    ring.write(np.array([7, 8, 9], np.float32))
    assert taken.tolist() == [1, 2, 3]


@pytest.mark.parametrize("capacity", [64, 10_000])
def test_two_threads_lose_nothing_uncounted_and_keep_the_order(capacity):
    ring, total, accepted = RingBuffer(capacity, np.int64), 200_000, []

    def produce() -> None:
        rng, at = np.random.default_rng(0), 0
        while at < total:
            block = np.arange(at, min(at + int(rng.integers(1, 200)), total))
            accepted.append(block[: ring.write(block)])
            at += len(block)

    producer, parts = threading.Thread(target=produce), []
    producer.start()
    while producer.is_alive() or len(ring):
        if ring.wait(1, timeout_s=0.01):
            parts.append(ring.read(97))
    producer.join()
    np.testing.assert_array_equal(np.concatenate(parts), np.concatenate(accepted))
    assert sum(map(len, parts)) + ring.dropped_samples == total


def test_write_never_waits_for_a_reader_that_is_gone():
    ring = RingBuffer(1000)
    started = time.monotonic()
    for _ in range(1000):
        ring.write(np.zeros(480, np.float32))
    assert time.monotonic() - started < 1.0
    assert (len(ring), ring.dropped_samples) == (1000, 479_000)


def test_wait_wakes_when_enough_is_there_and_gives_up_in_time():
    ring = RingBuffer(1000)
    timer = threading.Timer(0.05, ring.write, [np.zeros(480, np.float32)])
    ring.write(np.zeros(100, np.float32))
    timer.start()
    assert ring.wait(500, timeout_s=5.0)
    timer.join()
    started = time.monotonic()
    assert not ring.wait(600, timeout_s=0.05)
    assert 0.04 < time.monotonic() - started < 1.0
    assert not ring.wait(10_000, timeout_s=0.0)


def test_waiting_for_more_than_fits_means_waiting_for_a_full_buffer():
    ring = RingBuffer(10)
    ring.write(np.zeros(10, np.float32))
    assert ring.wait(11, timeout_s=0)


def test_a_buffer_holds_at_least_one_sample():
    with pytest.raises(ConfigError, match="capacity 0, but it must be at least 1"):
        RingBuffer(0)
