"""An 8-bit network as a bundle that says what it was made of."""

from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from pathlib import Path

from wakeword.data.manifest import Manifest
from wakeword.errors import BundleError
from wakeword.runtime import Bundle
from wakeword.runtime.bundle import describe_model
from wakeword.runtime.metadata import check_name
from wakeword.training.quantised.calibration import SPLIT, Calibration, CalibrationConfig
from wakeword.training.quantised.convert import Quantised
from wakeword.training.quantised.finetune import FinetuneConfig
from wakeword.training.quantised.made import QUANTISATION, quantisation_of


def check_quantisable(bundle: Bundle, name: str) -> None:
    """Refuse, with a BundleError, a bundle in 8 bits already, or a name that no bundle can have."""
    if quantisation_of(bundle) is not None:
        raise BundleError(f"model '{bundle.name}' is in 8 bits already")
    check_name(name)


def quantised_bundle(
    bundle: Bundle,
    name: str,
    converted: Quantised,
    calibration: Calibration,
    config: CalibrationConfig,
    manifest: Manifest,
    finetuning: FinetuneConfig | None = None,
) -> Bundle:
    """``bundle`` with the converted network, in memory; its operating points are still the old.

    ``finetuning``: with which its weights were trained after that.

    Raises
    ------
    BundleError
        A name that no bundle can have.
    """
    m = bundle.metadata
    made = {
        "bits": 8,
        "of": {"name": m.name, "version": m.version, "sha256": bundle.sha256},
        "calibrated_on": {
            "windows": len(calibration.windows),
            "recordings": calibration.recordings,
            "corpora": list(calibration.corpora),
            "split": SPLIT,
            "seed": config.seed,
            "manifest_sha256": manifest.sha256,
        },
        "operators_in_8_bits": dict(converted.in_8_bits),
        "operators_in_float": dict(converted.in_float),
        "parameters_in_float": converted.float_parameters,
        "onnxruntime": importlib.metadata.version("onnxruntime"),
    }
    if finetuning is not None:
        made["finetuned"] = {
            "rounds": finetuning.rounds,
            "learning_rate": finetuning.learning_rate,
            "seed": m.training.seed,
        }
    training = replace(m.training, recipe={**m.training.recipe, QUANTISATION: made})
    description = f"{m.description}, in 8 bits" if m.description else f"{m.name} in 8 bits"
    metadata = replace(m, name=name, description=description, training=training)
    return Bundle(Path(name), describe_model(metadata, converted.model), converted.model)
