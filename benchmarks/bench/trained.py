"""What trained networks were measured to do: command sets here, wake words where they were trained.

Which clips a command set has wrong is kept by the checksum of its network: what was measured is
not measured again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.costs import InEightBits
from wakeword.cli.options import note
from wakeword.cli.run_options import StageReporter
from wakeword.cli.trial_options import Stages
from wakeword.data.commands.trials import CommandTrials
from wakeword.data.manifest import Manifest
from wakeword.errors import EvaluationError
from wakeword.evaluation.commands.figures import mean_and_spread
from wakeword.files import read_json, write_json
from wakeword.frontend import FrontendConfig
from wakeword.networks import NETWORKS
from wakeword.runtime import Bundle
from wakeword.training.commands.bundles import commands_of
from wakeword.training.commands.features import clip_features
from wakeword.training.commands.measure import measure_commands, trials_of
from wakeword.training.quantised.calibration import CalibrationConfig, calibration_windows
from wakeword.training.quantised.losses import interval_over_speakers
from wakeword.training.quantised.made import quantisation_of

TARGET_FA_PER_HOUR, CONDITION = 0.5, "noise at 10 dB SNR"
_MOST_BYTES = 64 * 2**20
_RUN = re.compile(r".+-\d+")


def bundles_in(folder: Path) -> dict[str, list[Bundle]]:
    """Trained bundles of ``folder``/NETWORK-SEED/bundle by the network that they name; where it is
    none of a paper, by their own name."""
    found: dict[str, list[Bundle]] = {}
    for path in sorted(folder.glob("*/bundle")):
        if not _RUN.fullmatch(path.parent.name):
            continue
        bundle = Bundle.load(path)
        network = bundle.metadata.training.recipe.get("network", {})
        plain = network.get("family") in NETWORKS and not network.get("parameters")
        found.setdefault(network["family"] if plain else bundle.name, []).append(bundle)
    return found


@dataclass
class Clips:
    """The clips of one split, and what networks make of them."""

    manifest: Manifest
    split: str
    kept: Path

    def __post_init__(self) -> None:
        self._features: dict[FrontendConfig, NDArray[np.float32]] = {}
        self._ranges: dict[FrontendConfig, NDArray[np.float32]] = {}

    def figures(self, bundles: Sequence[Bundle]) -> dict[str, Any]:
        """Accuracy of one network in float and in 8 bits: means over its seeds."""
        trials = self._trials(bundles[0])
        wrong = [self._wrong(bundle, trials) for bundle in bundles]
        out: dict[str, Any] = {
            "seeds": len(bundles), "clips": len(trials), "classes": len(trials.measured),
        }  # fmt: skip
        for key in ("float", "int8"):
            flags = np.array([_flags(w[key], len(trials)) for w in wrong])
            low, high = interval_over_speakers(trials, 1.0 - flags.mean(0), trials.seed)
            mean, spread = mean_and_spread([1.0 - float(f.mean()) for f in flags])
            out[key] = {"accuracy": mean, "low": low, "high": high,
                        "spread": spread if len(bundles) > 1 else None}  # fmt: skip
        out["int8"]["finetuned"] = any("finetuned" in w["key"] for w in wrong)
        return out

    def _wrong(self, bundle: Bundle, trials: CommandTrials) -> Mapping[str, Any]:
        path, tuned = self.kept / f"{bundle.sha256[:16]}.json", finetuned_beside(bundle)
        key = {"sha256": bundle.sha256, "split": self.split, "seed": trials.seed,
               "manifest_sha256": self.manifest.sha256}  # fmt: skip
        if tuned is not None:
            key["finetuned"] = tuned.sha256
        if path.exists():
            found: dict[str, Any] = read_json(path, _MOST_BYTES, EvaluationError)
            if found["key"] == key:
                return found
        note(f"measuring {bundle.path}")
        features, made = self._of_clips(bundle, trials), tuned or self._in_8_bits(bundle)
        found = {"key": key, "kib": len(made.model) / 1024}
        for name, network in (("float", bundle), ("int8", made)):
            result = measure_commands(network, trials, features)
            found[name] = np.flatnonzero(result.found != result.labels).tolist()
        self.kept.mkdir(parents=True, exist_ok=True)
        write_json(path, found)
        return found

    def _trials(self, bundle: Bundle) -> CommandTrials:
        data = bundle.metadata.training.recipe["data"]
        return trials_of(bundle, self.manifest, data["noise_corpora"], self.split)

    def _of_clips(self, bundle: Bundle, trials: CommandTrials) -> NDArray[np.float32]:
        config = bundle.metadata.frontend
        if config not in self._features:
            with Stages() as stage:
                self._features[config] = clip_features(trials, config, stage)
        return self._features[config]

    def _in_8_bits(self, bundle: Bundle) -> Bundle:
        """Calibrated as ``wakeword quantize`` does; runs of one front end share their windows."""
        config = bundle.metadata.frontend
        if config not in self._ranges:
            with Stages() as stage:
                found = calibration_windows(
                    bundle, self.manifest, CalibrationConfig(), StageReporter(stage)
                )
            self._ranges[config] = found.windows
        made = InEightBits(bundle, self._ranges[config]).bundle
        return replace(made, metadata=replace(made.metadata, name=f"{bundle.name}-int8"))


def finetuned_beside(bundle: Bundle) -> Bundle | None:
    """What ``wakeword quantize --finetune --out RUN/bundle-int8`` made of RUN/bundle.

    None where it is not there, or was not finetuned from this very bundle.
    """
    path = bundle.path.with_name(f"{bundle.path.name}-int8")
    if not path.exists():
        return None
    made = Bundle.load(path)
    said = quantisation_of(made)
    if said is None or said["of"]["sha256"] != bundle.sha256 or "finetuned" not in said:
        return None
    return made


def wake_word_figures(folder: Path) -> dict[str, dict[str, Any]]:
    """Missed as a wake word, from ``measured.json`` of the runs of benchmarks/studies/run.py."""
    found: dict[str, list[dict[str, Any]]] = {}
    for values in _measured(folder):
        rows = (r for r in values["rows"]
                if (r["target_fa_per_hour"], r["condition"]) == (TARGET_FA_PER_HOUR, CONDITION))
        row = next(rows, None)  # fmt: skip
        if row is not None and "network" in values:
            found.setdefault(values["network"], []).append({**row, "rounds": values["rounds"]})
    return {name: _of_seeds(rows) for name, rows in found.items()}


def shipped_figures(bundle: Bundle) -> dict[str, Any] | None:
    """What a calibrated bundle says that it misses, mean over its words; None where it does not."""
    if commands_of(bundle) is not None:
        return None
    points = [bundle.metadata.operating_points[word] for word in bundle.words]
    if any(TARGET_FA_PER_HOUR not in p.targets for p in points):
        return None
    found = [p.at(TARGET_FA_PER_HOUR) for p in points]
    if any(p.frr is None or p.condition != CONDITION for p in found):
        return None
    return {"seeds": 1, "rounds": None, "frr": float(np.mean([p.frr for p in found])),
            "low": None, "high": None, "clips": sum(p.clips for p in found)}  # fmt: skip


def _measured(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*/measured.json")):
        yield read_json(path, _MOST_BYTES, EvaluationError)


def _of_seeds(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One seed with its interval over speakers; of several the mean, and the range of the seeds."""
    shares = [row["frr"] for row in rows]
    alone = len(rows) == 1
    return {
        "seeds": len(rows), "rounds": rows[0]["rounds"], "frr": float(np.mean(shares)),
        "low": rows[0]["frr_low"] if alone else min(shares),
        "high": rows[0]["frr_high"] if alone else max(shares), "clips": rows[0]["clips"],
    }  # fmt: skip


def _flags(wrong: Sequence[int], clips: int) -> NDArray[np.float64]:
    flags = np.zeros(clips)
    flags[list(wrong)] = 1.0
    return flags
