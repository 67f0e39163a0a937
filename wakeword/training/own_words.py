"""A network that learnt more words than its bundle names: the others become background."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from wakeword.networks import Network


class OwnWords(nn.Module):
    """features (batch, frames, channels) -> logits (batch, 1 + words): the rest in background.

    The probability of background is that of background and of all words after the first ``words``
    together: their logits join as ``log(sum(exp))``.
    """

    def __init__(self, model: nn.Module, words: int) -> None:
        super().__init__()
        self.model = model
        self.words = words

    def forward(self, features: Tensor) -> Tensor:
        logits = self.model(features)
        own = logits[:, 1 : 1 + self.words]
        others = torch.cat([logits[:, :1], logits[:, 1 + self.words :]], dim=1)
        return torch.cat([torch.logsumexp(others, dim=1, keepdim=True), own], dim=1)

    def macs(self) -> int:
        """Multiply-accumulates of one window; joining counts for none."""
        return cast(Network, self.model).macs()
