"""A network that learnt more words than its bundle names: the others become background."""

from __future__ import annotations

import torch
from torch import Tensor

from wakeword.networks import Network


class OwnWords(Network):
    """features (batch, frames, channels) -> logits (batch, 1 + words): the rest in background.

    The probability of background is that of background and of all words after the first ``words``
    together: their logits join as ``log(sum(exp))``.
    """

    def __init__(self, model: Network, words: int) -> None:
        super().__init__(model.frames, model.channels, 1 + words)
        self.model = model
        self.words = words

    def forward(self, features: Tensor) -> Tensor:
        logits = self.model(features)
        own = logits[:, 1 : 1 + self.words]
        others = torch.cat([logits[:, :1], logits[:, 1 + self.words :]], dim=1)
        return torch.cat([torch.logsumexp(others, dim=1, keepdim=True), own], dim=1)
