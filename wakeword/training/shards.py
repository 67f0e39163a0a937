"""Scenes made ahead of training by worker processes, a shard at a time.

Shard ``k`` depends on the seed and ``k`` alone: not on how many workers there are, nor on
which of them makes it, nor on whether the run was interrupted.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from wakeword.data.features import FeatureConfig, SceneFeatures
from wakeword.data.scene_config import SceneConfig
from wakeword.data.scenes import SceneMaker
from wakeword.data.sources import Sources
from wakeword.errors import ConfigError
from wakeword.frontend import Frontend, FrontendConfig
from wakeword.training.windows import SceneArrays, frame_times

BATCH = 32


class Plan(Protocol):
    """What every shard is made from: a value that processes can be given."""

    def make(self, number: int) -> SceneArrays:
        """Shard ``number``, from 0: always the same for the same plan."""
        ...


@dataclass(frozen=True)
class ShardPlan:
    """Shards of scenes around words.

    Raises
    ------
    ConfigError
        The recordings are of another rate than the front end.
    """

    sources: Sources
    scenes: SceneConfig
    features: FeatureConfig
    frontend: FrontendConfig
    seed: int
    size: int

    def __post_init__(self) -> None:
        rate, wanted = self.sources.corpus.sample_rate, self.frontend.sample_rate
        if rate != wanted:
            raise ConfigError(
                f"the recordings were read at {rate} Hz, but frontend.sample_rate = {wanted}"
            )

    def make(self, number: int) -> SceneArrays:
        """Shard ``number``."""
        return make_shard(self, number)


def make_shard(plan: ShardPlan, number: int) -> SceneArrays:
    """Draw the scenes of shard ``number`` and compute their features."""
    rng = np.random.default_rng([plan.seed, 0x5CE7E, number])
    maker = SceneMaker(plan.sources, plan.scenes)
    features = SceneFeatures(Frontend(plan.frontend), plan.features)
    parts: list[SceneArrays] = []
    for first in range(0, plan.size, BATCH):
        scenes = [maker.draw(rng) for _ in range(min(BATCH, plan.size - first))]
        times = [frame_times(s.start, s.end, plan.frontend) if s.end else (0, 0) for s in scenes]
        parts.append(
            SceneArrays(
                features.compute(scenes, rng),
                np.array([s.label for s in scenes]),
                np.array([t[0] for t in times]),
                np.array([t[1] for t in times]),
            )
        )
    return SceneArrays.concatenate(parts)


_plan: Plan | None = None


def _work(number: int) -> SceneArrays:
    assert _plan is not None
    return _plan.make(number)


def shards(plan: Plan, first: int, last: int, workers: int) -> Iterator[SceneArrays]:
    """Yield shards ``first`` to ``last - 1`` in order, at most ``workers + 1`` ahead.

    ``workers = 0`` makes them in this process.
    """
    if workers == 0:
        for number in range(first, last):
            yield plan.make(number)
        return
    with ProcessPoolExecutor(workers, initializer=_start, initargs=(plan,)) as pool:
        waiting: list[Future[SceneArrays]] = []
        ahead = first
        try:
            for _ in range(first, last):
                while ahead < last and len(waiting) <= workers:
                    waiting.append(pool.submit(_work, ahead))
                    ahead += 1
                yield waiting.pop(0).result()
        finally:
            for future in waiting:
                future.cancel()


def _start(plan: Plan) -> None:
    global _plan
    _plan = plan
    start_worker()


def start_worker() -> None:
    """What a process that works for this one does first: end with it, and give way to it."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    threadpool_limits(1)  # as many processes as cores: more threads only wait for each other
    if hasattr(os, "nice"):
        os.nice(5)


def _end_with_parent() -> None:
    """A parent that was killed cannot end its workers: they do it themselves."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
