"""A trained network as a bundle that says what it was made from; not calibrated yet."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

from wakeword.data.manifest import Manifest, Recording
from wakeword.networks import Network, flops_per_window, parameter_count
from wakeword.runtime.bundle import Bundle, describe_model
from wakeword.runtime.metadata import BACKGROUND, BundleMetadata
from wakeword.runtime.operating_points import OperatingPoint, OperatingPoints
from wakeword.runtime.sections import (
    DetectorConfig,
    ModelFile,
    SmootherConfig,
    TrainingRecord,
)
from wakeword.training.export import export_onnx
from wakeword.training.recipe import Recipe
from wakeword.training.records import data_sources

LIBRARIES = ("torch", "numpy", "scipy", "soxr", "onnx", "onnxruntime", "pyroomacoustics")


def as_bundle(
    model: Network, recipe: Recipe, record: TrainingRecord, folder: Path, smoother_steps: int
) -> Bundle:
    """Export ``model``, whose outputs are background and the recipe's words, and describe it."""
    r = recipe
    onnx = export_onnx(model.eval(), r.windows.frames, r.frontend.channels)
    metadata = BundleMetadata(
        name=r.bundle.name,
        version=r.bundle.version,
        description=r.bundle.description,
        licence=r.bundle.licence,
        model=ModelFile("model.onnx", "0" * 64, 1, parameter_count(model), flops_per_window(model)),
        frontend=r.frontend,
        window_frames=r.windows.frames,
        step_samples=r.detection.step_samples,
        labels=(BACKGROUND, *r.bundle.words),
        smoother=SmootherConfig(steps=smoother_steps),
        detector=DetectorConfig(refractory_s=r.detection.refractory_s),
        default_target_fa_per_hour=r.bundle.default_target_fa_per_hour,
        operating_points={w: _uncalibrated(w, r) for w in r.bundle.words},
        training=record,
    )
    return Bundle(folder, describe_model(metadata, onnx), onnx)


def training_record(
    recipe: Recipe, recordings: Sequence[Recording], manifest: Manifest
) -> TrainingRecord:
    """What the bundle will say of its making."""
    data = data_sources(recordings, recipe.data.licences)
    libraries = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return TrainingRecord(
        recipe.to_dict(), recipe.training.seed, data, manifest.sha256, libraries
    )


def _uncalibrated(word: str, recipe: Recipe) -> OperatingPoints:
    """A placeholder until the bundle is calibrated: nothing was measured."""
    target = recipe.bundle.default_target_fa_per_hour
    point = OperatingPoint(
        target_fa_per_hour=target,
        threshold=0.5,
        fa_per_hour=0.0,
        fa_per_hour_low=0.0,
        fa_per_hour_high=36_000.0,
        alarms=0,
        hours=1e-9,
        frr=None,
        frr_low=None,
        frr_high=None,
        missed=0,
        clips=0,
        condition="",
        supported=False,
        statement="not calibrated: run wakeword calibrate",
    )
    return OperatingPoints(word, (point,))
