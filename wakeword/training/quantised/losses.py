"""What 8 bits cost: clips missed or mistaken, beside the float network on the same clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.data.commands.trials import CommandTrials
from wakeword.data.manifest import Manifest
from wakeword.evaluation.bootstrap import by_speaker, differences, percentile_interval
from wakeword.evaluation.conditions import Condition
from wakeword.evaluation.measurement import ALL_WORDS, evaluate
from wakeword.evaluation.outcomes import cluster_of
from wakeword.runtime import Bundle
from wakeword.training.commands.features import clip_features
from wakeword.training.commands.measure import measure_commands, trials_of
from wakeword.training.measuring import Scored, Stage, score_trials
from wakeword.training.trials import TrialConfig, Trials

LARGE_LOSS = 0.005
"""Half a point: so much more of the clips may be wrong in 8 bits."""


@dataclass(frozen=True)
class Loss:
    """Shares of clips that float and 8 bits have wrong; the interval is that of the difference."""

    what: str
    clips: int
    in_float: float
    in_8_bits: float
    low: float
    high: float

    @property
    def more(self) -> float:
        """How much more of the clips 8 bits have wrong."""
        return self.in_8_bits - self.in_float

    @property
    def is_large(self) -> bool:
        """Whether training with 8 bits is worth its while."""
        return self.more > LARGE_LOSS


def missed_more(
    pair: tuple[Bundle, Bundle], trials: Trials, conditions: Sequence[Condition], stage: Stage
) -> tuple[list[Loss], Scored]:
    """Misses of the words, mean over them, at the same false alarms; and the scores of the second.

    Raises
    ------
    AudioError
        A recording cannot be read.
    EvaluationError
        There is nothing to measure on.
    """
    target = pair[0].metadata.default_target_fa_per_hour
    measured = []
    for bundle in pair:
        scored = score_trials(bundle, trials, conditions, stage)
        figures = evaluate(bundle, scored.recorded, scored.by_condition, scored.rules, target)
        measured.append((bundle.name, figures))
    found = differences(measured[0], measured[1], trials.config.seed)
    of_all = ALL_WORDS if len({d.word for d in found}) > 1 else found[0].word
    losses = [
        Loss(f"missed, {d.condition}", d.clips, d.first_frr, d.second_frr, d.low, d.high)
        for d in found
        if d.basis == "chosen" and d.word == of_all
    ]
    return losses, scored


def mistaken_more(
    pair: tuple[Bundle, Bundle], manifest: Manifest, config: TrialConfig, stage: Stage
) -> Loss:
    """Clips of a command set that are taken for another class.

    Raises
    ------
    EvaluationError
        The split lacks clips, or the networks are not those of a command set.
    """
    trials = trials_of(pair[0], manifest, config.noise_corpora, config.split, config.seed)
    features = clip_features(trials, pair[0].metadata.frontend, stage)
    results = [measure_commands(bundle, trials, features) for bundle in pair]
    wrong = np.column_stack([r.found != r.labels for r in results]).astype(np.float64)
    low, high = interval_over_speakers(trials, wrong[:, 1] - wrong[:, 0], config.seed)
    first, second = wrong.mean(0)
    return Loss("clips mistaken", len(wrong), float(first), float(second), low, high)


def interval_over_speakers(
    trials: CommandTrials, values: NDArray[np.float64], seed: int
) -> tuple[float, float]:
    """Interval of the mean of ``values`` (clips,); a stretch of noise is a speaker of its own."""
    said = [
        ("", cluster_of(t.recording.corpus, t.recording.speaker, f"{t.recording.path} {k}"))
        for k, t in enumerate(trials.trials)
    ]
    low, high = percentile_interval(*by_speaker(said, values[:, None]), seed)
    return float(low[0]), float(high[0])
