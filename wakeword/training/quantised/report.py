"""From a float bundle to a measured one in 8 bits, and the figures of both side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wakeword.data.manifest import Manifest
from wakeword.runtime import Bundle
from wakeword.runtime.bundle import RECIPE_FILE
from wakeword.training.commands.bundles import commands_of
from wakeword.training.finish import write_scored
from wakeword.training.measuring import Reporter
from wakeword.training.quantised.bundle import quantised_bundle
from wakeword.training.quantised.calibration import CalibrationConfig, calibration_windows
from wakeword.training.quantised.convert import Quantised, quantise
from wakeword.training.quantised.losses import Loss, missed_more, mistaken_more
from wakeword.training.quantised.timing import stream_ms, window_ms
from wakeword.training.trials import Trials

BATCHES = (1, 32)
SNR_DB = 10.0
"""Clean, and in noise as loud as operating points are measured in: enough to tell two networks."""


@dataclass(frozen=True)
class Report:
    """A bundle, the one in 8 bits made of it, and what that one loses and gains.

    times_ms
        By what is timed: float and 8 bits.
    """

    first: Bundle
    made: Bundle
    converted: Quantised
    losses: tuple[Loss, ...]
    times_ms: Mapping[str, tuple[float, float]]

    def rows(self) -> list[tuple[str, ...]]:
        """A table for people, its header first."""
        sizes = [b.metadata.model.bytes / 1024 for b in (self.first, self.made)]
        rows: list[tuple[str, ...]] = [
            ("", "float", "8 bits", "8 bits beside float"),
            ("KiB", f"{sizes[0]:.1f}", f"{sizes[1]:.1f}", f"{sizes[1] / sizes[0]:.2f} of the size"),
        ]
        for loss in self.losses:
            change = f"{100 * loss.more:+.2f} ({100 * loss.low:+.2f} to {100 * loss.high:+.2f})"
            rows.append((f"{loss.what}, {loss.clips} clips", f"{100 * loss.in_float:.2f} %",
                         f"{100 * loss.in_8_bits:.2f} %", f"{change} points"))  # fmt: skip
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
            "times_ms": {
                what: {"float": a, "in_8_bits": b, "float_over_8_bits": a / b}
                for what, (a, b) in self.times_ms.items()
            },
        }


def make_and_measure(
    bundle: Bundle,
    name: str,
    config: CalibrationConfig,
    trials: Trials,
    manifest: Manifest,
    out: Path,
    reporter: Reporter,
) -> Report:
    """Write ``bundle`` in 8 bits to ``out``, calibrated and measured on ``trials``.

    Raises
    ------
    RecipeError, ManifestError, AudioError
        The manifest does not hold what the bundle was trained on.
    TrainingError
        Nothing in the network can be quantised.
    EvaluationError
        There is nothing to measure on.
    BundleError
        ``out`` holds something that is not a bundle.
    """
    calibration = calibration_windows(bundle, manifest, config, reporter)
    converted = quantise(
        bundle.model, calibration.windows, seven_bit_weights=config.seven_bit_weights
    )
    made = quantised_bundle(bundle, name, converted, calibration, config, manifest)
    times = times_of(bundle, made)
    conditions = trials.conditions([SNR_DB], ["noise"])
    losses, scored = missed_more((bundle, made), trials, conditions, reporter.stage)
    if commands_of(bundle) is not None:
        losses.insert(0, mistaken_more((bundle, made), manifest, trials.config, reporter.stage))
    recipe = bundle.path / RECIPE_FILE
    text = recipe.read_text("utf-8") if recipe.exists() else None
    written = write_scored(made, scored, conditions, trials, out, text)
    return Report(bundle, written, converted, tuple(losses), times)


def times_of(first: Bundle, made: Bundle) -> dict[str, tuple[float, float]]:
    """Milliseconds of a window by batch, and of a second of a stream in the engine."""
    pair = (first, made)
    found = {f"a window, batch {batch}": window_ms(pair, batch) for batch in BATCHES}
    found["a stream's second, 32 streams"] = stream_ms(pair)
    return {what: (a, b) for what, (a, b) in found.items()}
