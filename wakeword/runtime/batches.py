"""Which steps of which streams are taken together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from wakeword.runtime.stream import Stream

Groups = dict[tuple[int, int], list[Stream]]
"""Streams by (what the engine tells apart, steps that they take)."""


def batches(
    streams: Iterable[Stream],
    max_batch: int,
    max_steps: int | None,
    kind: Callable[[Stream], int],
) -> Iterator[Groups]:
    """What is due, at most ``max_batch`` steps at a time, each to be stepped before the next.

    Streams of one ``kind`` that take equally many steps are computed together.
    """
    groups: Groups = {}
    room = max_batch
    for stream in streams:
        due = stream.due_steps if max_steps is None else min(stream.due_steps, max_steps)
        while due:
            steps = min(due, room)
            groups.setdefault((kind(stream), steps), []).append(stream)
            due, room = due - steps, room - steps
            if room == 0:
                yield groups
                groups, room = {}, max_batch
    if groups:
        yield groups
