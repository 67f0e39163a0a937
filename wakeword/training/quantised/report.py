"""From a float bundle to a measured one in 8 bits, and the figures of both side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from wakeword.data.manifest import Manifest
from wakeword.evaluation.conditions import Condition
from wakeword.runtime import Bundle
from wakeword.runtime.bundle import RECIPE_FILE
from wakeword.training.commands.bundles import commands_of
from wakeword.training.finish import write_scored
from wakeword.training.measuring import Reporter, Scored, Stage
from wakeword.training.quantised.bundle import quantised_bundle
from wakeword.training.quantised.calibration import CalibrationConfig, calibration_windows
from wakeword.training.quantised.convert import Quantised, quantise
from wakeword.training.quantised.finetune import (
    FinetuneConfig,
    check_finetunable,
    finetuned,
)
from wakeword.training.quantised.losses import Loss, missed_more, mistaken_more
from wakeword.training.quantised.made import quantisation_of
from wakeword.training.quantised.timing import stream_ms, window_ms
from wakeword.training.trials import Trials

BATCHES = (1, 32)
SNR_DB = 10.0
"""Clean, and in noise as loud as operating points are measured in: enough to tell two networks."""


@dataclass(frozen=True)
class Report:
    """A bundle, the one in 8 bits made of it, and what that one loses and gains.

    losses_before
        What the choice to finetune was made by: the losses without; empty where it was no question.
    times_ms
        By what is timed: float and 8 bits.
    """

    first: Bundle
    made: Bundle
    converted: Quantised
    losses: tuple[Loss, ...]
    losses_before: tuple[Loss, ...]
    times_ms: Mapping[str, tuple[float, float]]

    @property
    def is_finetuned(self) -> bool:
        """Whether the weights were trained with rounding."""
        return "finetuned" in (quantisation_of(self.made) or {})

    def rows(self) -> list[tuple[str, ...]]:
        """A table for people, its header first."""
        sizes = [b.metadata.model.bytes / 1024 for b in (self.first, self.made)]
        rows: list[tuple[str, ...]] = [
            ("", "float", "8 bits", "8 bits beside float"),
            ("KiB", f"{sizes[0]:.1f}", f"{sizes[1]:.1f}", f"{sizes[1] / sizes[0]:.2f} of the size"),
        ]
        if self.is_finetuned:
            rows += [_row_of(loss, ", not finetuned") for loss in self.losses_before]
        rows += [_row_of(loss) for loss in self.losses]
        for what, (first, second) in self.times_ms.items():
            rows.append((f"ms, {what}", f"{first:.3f}", f"{second:.3f}",
                         f"{first / second:.2f} times as fast"))  # fmt: skip
        return rows

    def to_dict(self) -> dict[str, Any]:
        """All figures, for programs."""
        models = {
            key: {"name": b.name, "path": str(b.path), "sha256": b.sha256,
                  "bytes": b.metadata.model.bytes}
            for key, b in (("float", self.first), ("in_8_bits", self.made))
        }  # fmt: skip
        c = self.converted
        return {
            **models,
            "operators_in_8_bits": dict(c.in_8_bits),
            "operators_in_float": dict(c.in_float),
            "parameters": c.parameters,
            "parameters_in_float": c.float_parameters,
            "losses": [{**asdict(loss), "more": loss.more} for loss in self.losses],
            "finetuned": self.is_finetuned,
            "losses_before": [{**asdict(loss), "more": loss.more} for loss in self.losses_before],
            "times_ms": {
                what: {"float": a, "in_8_bits": b, "float_over_8_bits": a / b}
                for what, (a, b) in self.times_ms.items()
            },
        }


@dataclass(frozen=True)
class Measured:
    """On what float and 8 bits are compared."""

    trials: Trials
    manifest: Manifest
    stage: Stage
    _scored: dict[str, tuple[list[Loss], Scored]] = field(default_factory=dict)

    @property
    def conditions(self) -> list[Condition]:
        """Clean, and in noise."""
        return self.trials.conditions([SNR_DB], ["noise"])

    def missed(self, bundle: Bundle, made: Bundle) -> tuple[list[Loss], Scored]:
        """What is missed more, and the scores of ``made``: hours of audio, scored once."""
        if made.sha256 not in self._scored:
            pair = (bundle, made)
            found = missed_more(pair, self.trials, self.conditions, self.stage)
            self._scored[made.sha256] = found
        return self._scored[made.sha256]

    def mistaken(self, bundle: Bundle, made: Bundle) -> list[Loss]:
        """Clips of a command set mistaken; nothing of another bundle."""
        if commands_of(bundle) is None:
            return []
        pair = (bundle, made)
        return [mistaken_more(pair, self.manifest, self.trials.config, self.stage)]

    def deciding(self, bundle: Bundle, made: Bundle) -> list[Loss]:
        """By what it is decided whether to finetune: clips mistaken, or else missed."""
        return self.mistaken(bundle, made) or self.missed(bundle, made)[0]


def make_and_measure(
    bundle: Bundle,
    name: str,
    config: CalibrationConfig,
    trials: Trials,
    manifest: Manifest,
    out: Path,
    reporter: Reporter,
    finetuning: FinetuneConfig | None = None,
) -> Report:
    """Write ``bundle`` in 8 bits to ``out``, calibrated and measured on ``trials``.

    With ``finetuning`` its weights are trained with rounding where 8 bits lose much otherwise, and
    what that gave is taken where it loses less.

    Raises
    ------
    RecipeError, ManifestError, AudioError
        The manifest does not hold what the bundle was trained on.
    TrainingError
        Nothing in the network can be quantised, or finetuning fails.
    EvaluationError
        There is nothing to measure on.
    BundleError
        ``out`` holds something that is not a bundle.
    """
    if finetuning is not None:
        check_finetunable(bundle)
    calibration = calibration_windows(bundle, manifest, config, reporter)
    converted = quantise(
        bundle.model, calibration.windows, seven_bit_weights=config.seven_bit_weights
    )

    def described(made: Quantised, how: FinetuneConfig | None = None) -> Bundle:
        return quantised_bundle(bundle, name, made, calibration, config, manifest, how)

    made, measured = described(converted), Measured(trials, manifest, reporter.stage)
    before: list[Loss] = []
    if finetuning is not None:
        before = measured.deciding(bundle, made)
        if _is_worth_it(before, finetuning, reporter):
            trained = finetuned(bundle, converted, manifest, finetuning, reporter,
                                seven_bit_weights=config.seven_bit_weights)  # fmt: skip
            other = described(trained, finetuning)
            made = _better(made, before, other, measured.deciding(bundle, other), reporter)
    losses, scored = measured.missed(bundle, made)
    losses = measured.mistaken(bundle, made) + losses
    times = times_of(bundle, made)
    recipe = bundle.path / RECIPE_FILE
    text = recipe.read_text("utf-8") if recipe.exists() else None
    written = write_scored(made, scored, measured.conditions, trials, out, text)
    return Report(bundle, written, converted, tuple(losses), tuple(before), times)


def _is_worth_it(before: Sequence[Loss], config: FinetuneConfig, reporter: Reporter) -> bool:
    if config.always or any(loss.is_large for loss in before):
        reporter.note(f"finetuning: {_told(before)} without it")
        return True
    reporter.note(f"no finetuning is needed: {_told(before)}")
    return False


def _better(
    made: Bundle, before: Sequence[Loss], other: Bundle, after: Sequence[Loss], reporter: Reporter
) -> Bundle:
    """``other``, finetuned, where it loses less."""
    if max(loss.more for loss in after) < max(loss.more for loss in before):
        return other
    reporter.note(f"finetuning is left out: {_told(after)} with it")
    return made


def _told(losses: Sequence[Loss]) -> str:
    worst = max(losses, key=lambda loss: loss.more)
    return f"{worst.what} {100 * worst.more:+.2f} points beside float"


def _row_of(loss: Loss, how: str = "") -> tuple[str, ...]:
    change = f"{100 * loss.more:+.2f} ({100 * loss.low:+.2f} to {100 * loss.high:+.2f})"
    return (
        f"{loss.what}, {loss.clips} clips{how}", f"{100 * loss.in_float:.2f} %",
        f"{100 * loss.in_8_bits:.2f} %", f"{change} points",
    )  # fmt: skip


def times_of(first: Bundle, made: Bundle) -> dict[str, tuple[float, float]]:
    """Milliseconds of a window by batch, and of a second of a stream in the engine."""
    pair = (first, made)
    found = {f"a window, batch {batch}": window_ms(pair, batch) for batch in BATCHES}
    found["a stream's second, 32 streams"] = stream_ms(pair)
    return {what: (a, b) for what, (a, b) in found.items()}
