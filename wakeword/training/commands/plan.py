"""Shards of clips of a command set: the same windows for the trainer as scenes give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wakeword.data.commands.maker import CommandMaker
from wakeword.data.commands.protocol import CommandsConfig
from wakeword.data.features import FeatureConfig, SceneFeatures
from wakeword.data.sources import Sources
from wakeword.frontend import Frontend, FrontendConfig
from wakeword.training.windows import SceneArrays

BATCH = 32


@dataclass(frozen=True)
class CommandPlan:
    """Shard ``k`` holds clips ``k * size`` to ``(k + 1) * size - 1`` of the endless training set.

    A clip is one window: its features are computed once, with fresh augmentation, and it may be
    drawn as long as its shard is in the trainer's pool.
    """

    sources: Sources
    commands: CommandsConfig
    features: FeatureConfig
    frontend: FrontendConfig
    seed: int
    size: int

    def make(self, number: int) -> SceneArrays:
        """Shard ``number``."""
        rng = np.random.default_rng([self.seed, 0xFEA7, number])
        maker = CommandMaker(self.sources, self.commands, self.seed)
        features = SceneFeatures(Frontend(self.frontend), self.features)
        parts: list[SceneArrays] = []
        for first in range(number * self.size, (number + 1) * self.size, BATCH):
            numbers = range(first, min(first + BATCH, (number + 1) * self.size))
            scenes = [maker.clip(k) for k in numbers]
            nowhere = np.zeros(len(scenes), np.int64)
            labels = np.array([s.label for s in scenes])
            parts.append(
                SceneArrays(features.compute(scenes, rng), labels, nowhere, nowhere)
            )
        return SceneArrays.concatenate(parts)
