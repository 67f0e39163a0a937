"""Where the hours have no room for an alarm: the threshold follows from the highest alarms."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

TAIL_ALARMS = 20
_GENTLEST = -0.25
_DEFAULT = -1.0
_LOGIT_LIMIT = 16.0
_LOWEST = 1e-12


def tail_threshold(highest: Sequence[float], hours: float, target_fa_per_hour: float) -> float:
    """Threshold at which the alarm rate would come down to a target.

    The logarithm of the rate is continued as a straight line over the logit of the threshold,
    fitted to the scores of the highest alarms.

    Parameters
    ----------
    highest
        Scores of the highest ``TAIL_ALARMS`` alarms, or fewer where there are fewer; the highest
        comes first.
    hours
        Hours in which they came.
    """
    if not highest:
        return 0.5
    logits = np.array([logit(score) for score in highest])
    log_rates = np.log((np.arange(1, len(highest) + 1) - 0.3) / hours)
    spread = logits - logits.mean()
    slope = _DEFAULT
    if len(highest) >= 3 and (spread**2).sum() > 0.0:
        slope = min(_GENTLEST, float(spread @ log_rates / (spread**2).sum()))
    found = logits.mean() + (math.log(target_fa_per_hour) - log_rates.mean()) / slope
    return from_logit(float(np.clip(found, -_LOGIT_LIMIT, _LOGIT_LIMIT)))


def logit(p: float) -> float:
    """Log odds of a score in [0, 1], finite at both ends."""
    p = min(max(p, _LOWEST), 1.0 - 2.0**-24)
    return math.log(p) - math.log1p(-p)


def from_logit(log_odds: float) -> float:
    """The inverse of :func:`logit`."""
    return 1.0 / (1.0 + math.exp(-log_odds))
