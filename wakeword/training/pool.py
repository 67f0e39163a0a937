"""The last shards of training, and batches of random windows from all of them."""

from __future__ import annotations

from collections import deque

import numpy as np
import torch

from wakeword.training.windows import SceneArrays, WindowConfig, cut, mask


class Pool:
    """Holds ``shards`` shards, whose channels lie on so many ``scales``.

    An older one makes room for each that is added.
    """

    def __init__(self, shards: int, windows: WindowConfig, scales: int = 1) -> None:
        self.windows, self.scales = windows, scales
        self._shards: deque[SceneArrays] = deque(maxlen=shards)

    def add(self, shard: SceneArrays) -> None:
        """Add a shard."""
        self._shards.append(shard)

    def batch(self, size: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """``size`` windows (batch, frames, channels) and labels, one of a scene at most."""
        sizes = np.cumsum([len(s) for s in self._shards])
        chosen = np.sort(rng.choice(sizes[-1], min(size, sizes[-1]), replace=False))
        windows, labels = [], []
        for i, part in enumerate(self._shards):
            first = sizes[i] - len(part)
            inside = chosen[(chosen >= first) & (chosen < sizes[i])] - first
            if len(inside):
                w, label = cut(part, inside, self.windows, rng)
                windows.append(mask(w, self.windows, rng, self.scales))
                labels.append(label)
        return torch.from_numpy(np.concatenate(windows)), torch.from_numpy(np.concatenate(labels))
