"""Models that teach a network what they make of each window (Hinton et al. 2015).

What several models agree on, one alone need not have learnt from labels; their mean knows less by
heart than each of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from wakeword.errors import RecipeError
from wakeword.frontend import FrontendConfig
from wakeword.frontend.derived import common_frontend, features_of
from wakeword.runtime.bundle import Bundle
from wakeword.runtime.session import Session
from wakeword.training.recipe import TrainingSection


class Teachers:
    """The mean of the posteriors of several bundles.

    Each hears what is to be learnt through its own front end. Its PCEN may have another offset and
    root than that of the network that they teach; and one may hear PCEN where another hears
    log-mel, if all else is equal.

    Raises
    ------
    RecipeError
        A bundle has another front end or window, or tells other labels apart.

    Attributes
    ----------
    heard
        The front end of the windows that are to be given: it holds the features of all.
    """

    def __init__(
        self,
        bundles: Sequence[Bundle],
        labels: tuple[str, ...],
        frames: int,
        frontend: FrontendConfig,
    ) -> None:
        self.heard = common_frontend([frontend, *(b.metadata.frontend for b in bundles)])
        own_held = self.heard.gives_features_of(frontend)
        for bundle in bundles:
            m = bundle.metadata
            for what, found, wanted, fits in (
                ("labels", m.labels, labels, m.labels == labels),
                ("window_frames", m.window_frames, frames, m.window_frames == frames),
                (
                    "frontend",
                    m.frontend,
                    frontend,
                    own_held and self.heard.gives_features_of(m.frontend),
                ),
            ):
                if not fits:
                    raise RecipeError(
                        f"training.teachers: '{bundle.name}' has {what} {found}, but what it is "
                        f"to teach has {wanted}"
                    )
        self._labels = len(labels)
        self._own = frontend
        self._teachers = [(Session(b), b.metadata.frontend) for b in bundles]

    def targets(self, windows: Tensor, labels: Tensor, training: TrainingSection) -> Tensor:
        """What a network is to say of ``windows`` (batch, frames, channels): (batch, labels).

        The windows are those of ``heard``.
        ``training.taught`` of it is the teachers' mean, the rest the true ``labels`` (batch,);
        of background only these, if the teachers are asked of words alone.
        """
        wanted = functional.one_hot(labels, self._labels).to(torch.float32)
        asked = (labels > 0) | (training.taught_of == "all")
        wanted[asked] = wanted[asked].lerp(self._mean(windows[asked]), training.taught)
        return wanted

    def own(self, windows: Tensor) -> Tensor:
        """What the network that is taught hears of ``windows``."""
        return torch.from_numpy(features_of(self._own, windows.numpy(), self.heard))

    def _mean(self, windows: Tensor) -> Tensor:
        features = windows.numpy()
        heard = {
            front: features_of(front, features, self.heard)
            for front in {front for _, front in self._teachers}
        }
        each = [torch.from_numpy(session.run(heard[front])) for session, front in self._teachers]
        return torch.stack(each).mean(dim=0)
