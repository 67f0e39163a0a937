"""Clips to features, through the one front end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wakeword.data.commands.trials import CommandTrials
from wakeword.frontend import Frontend, FrontendConfig
from wakeword.training.measuring import Stage


def clip_features(
    trials: CommandTrials, config: FrontendConfig, stage: Stage
) -> NDArray[np.float32]:
    """Features (clips, frames, channels) of every clip, each as a stream of its own.

    Raises
    ------
    AudioError
        A recording cannot be read.
    """
    front = Frontend(config)
    advance = stage(f"reading {trials.split} clips", len(trials), "clips")
    frames = config.frames_after(round(trials.config.clip_s * config.sample_rate))
    out = np.empty((len(trials), frames, config.channels), np.float32)
    for k, samples in enumerate(trials.audio(config.sample_rate)):
        out[k] = front.process(samples[None], front.initial_state())[0][0]
        advance(1)
    return out
