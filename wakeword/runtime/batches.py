"""Which steps of which streams are taken together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wakeword.runtime.stream import Stream

Groups = dict[tuple[int, int], list[Stream]]
"""Streams by (samples in their front-end tail, steps that they take)."""


def batches(streams: Iterable[Stream], max_batch: int, max_steps: int | None) -> Iterator[Groups]:
    """What is due, at most ``max_batch`` steps at a time, each to be stepped before the next.

    Equal tails and steps mean equally many frames: such streams share one front-end call.
    """
    groups: Groups = {}
    room = max_batch
    for stream in streams:
        due = stream.due_steps if max_steps is None else min(stream.due_steps, max_steps)
        while due:
            steps = min(due, room)
            tail = stream.state.frontend.tail.shape[1]
            groups.setdefault((tail, steps), []).append(stream)
            due, room = due - steps, room - steps
            if room == 0:
                yield groups
                groups, room = {}, max_batch
    if groups:
        yield groups
