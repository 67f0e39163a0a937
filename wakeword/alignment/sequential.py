"""Sequential alignment of keyword samples: Algorithm 1 of Arik et al. 2017.

The paper prints (subscripts set apart, since the text layer of the file garbles them)::

    require: keyword characters c_k (1 <= k <= K), smoothed character occupancy
             scores p(c_k, t), decay rate alpha (0 <= alpha <= 1)
    initialize: p_lr(c_k, t) = p(c_k, t), p_rl(c_k, t) = p(c_k, t)
    for: n := 1 to N_iter
      for: k := 0 to K - 2 (right-to-left decoding)
        T_rl(c_k) = argmax_t p_rl(c_k, t)
        p_rl(c_{k-1}, t) = alpha * p_rl(c_{k-1}, t) for t >= T_rl(c_k)
      end
      for: k := K - 1 to 1 (left-to-right decoding)
        T_lr(c_k) = argmax_t p_lr(c_k, t)
        p_lr(c_{k+1}, t) = alpha * p_lr(c_{k+1}, t) for t <= T_lr(c_k)
      end
    end
    return: (min(T_lr(c_1), T_rl(c_1)), max(T_lr(c_K), T_rl(c_K)))

How it is read here:

- As printed, k = 0 would use c_0 and c_{-1}, which do not exist, and "right-to-left" would run
  from left to right. Both ranges make sense if they count from the right end, c_{K-k}: the first
  loop then visits c_K down to c_2, the second c_1 up to c_{K-1}.
- The first loop never takes the maximum of c_1, nor the second that of c_K; both are returned.
  They are taken after the last iteration, from the tracks as they then are.
- A keyword may hold a character twice ("alexa"): both begin with the same scores, but each place
  k has a track of its own, since decaying the one must not decay the other.
- The two directions do not influence each other: each has its own tracks. That is why the
  earlier of both first times and the later of both last times are returned.
- A maximum that is reached several times is the first in time. Where a track was decayed to
  nothing (alpha = 0), that is time 0.

The paper gives neither alpha nor N_iter, nor the shape of the smoothing, nor how short the "extra
short padding" is; :class:`wakeword.alignment.model.Placing` says what we use and from where.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import ConfigError


@dataclass(frozen=True)
class Decay:
    """Decay rate ``alpha`` and number of iterations ``N_iter`` of Algorithm 1."""

    rate: float = 0.9
    iterations: int = 50

    def __post_init__(self) -> None:
        if not 0.0 <= self.rate <= 1.0:
            raise ConfigError(f"decay.rate = {self.rate} must be between 0 and 1")
        if not 1 <= self.iterations <= 1000:
            raise ConfigError(f"decay.iterations = {self.iterations} must be between 1 and 1000")


@dataclass(frozen=True)
class CharacterTimes:
    """Time index of each character (K,), as each of the two directions found it."""

    left_to_right: NDArray[np.int64]
    right_to_left: NDArray[np.int64]

    @property
    def span(self) -> tuple[int, int]:
        """What Algorithm 1 returns: time index of the first and of the last character."""
        return (
            int(min(self.left_to_right[0], self.right_to_left[0])),
            int(max(self.left_to_right[-1], self.right_to_left[-1])),
        )


def align_characters(occupancy: NDArray[np.float32], decay: Decay) -> CharacterTimes:
    """Run Algorithm 1.

    Parameters
    ----------
    occupancy (K, T)
        Smoothed occupancy score of each of the keyword's characters over time.

    Raises
    ------
    ConfigError
        There is no character or no time, or a score is negative or not finite.
    """
    if occupancy.ndim != 2 or 0 in occupancy.shape:
        raise ConfigError(f"occupancy must have the shape (K, T), both above 0: {occupancy.shape}")
    if not (np.isfinite(occupancy).all() and occupancy.min() >= 0.0):
        raise ConfigError("occupancy must be finite and at least 0")
    rl, lr = occupancy.astype(np.float64), occupancy.astype(np.float64)
    last = len(occupancy) - 1
    for _ in range(decay.iterations):
        for k in range(last, 0, -1):
            rl[k - 1, int(rl[k].argmax()) :] *= decay.rate
        for k in range(last):
            lr[k + 1, : int(lr[k].argmax()) + 1] *= decay.rate
    return CharacterTimes(lr.argmax(axis=1), rl.argmax(axis=1))


def smooth_over_time(posteriors: NDArray[np.float32], steps: int) -> NDArray[np.float32]:
    """Posteriors (T, labels) smoothed by a Hann window of ``steps`` (odd) time steps.

    Beyond both ends there is nothing: the sum over time of what lies well inside stays.
    """
    if steps < 1 or steps % 2 == 0:
        raise ConfigError(f"smoothing over {steps} steps: it must be odd and at least 1")
    window = np.hanning(steps + 2)[1:-1]
    kernel = window / window.sum()
    padded = np.pad(posteriors, ((steps // 2, steps // 2), (0, 0)))
    views = np.lib.stride_tricks.sliding_window_view(padded, steps, axis=0)
    return np.asarray(views @ kernel, np.float32)
