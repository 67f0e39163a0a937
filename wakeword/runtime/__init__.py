"""Bundles, the batched engine, the detector, and the one-stream face of them."""

from wakeword.runtime.bundle import Bundle
from wakeword.runtime.bundle_writer import write_bundle, write_metadata
from wakeword.runtime.detector import Detection, Detector
from wakeword.runtime.engine import Engine
from wakeword.runtime.engine_base import EngineBase
from wakeword.runtime.measured_curve import CountBounds, MeasuredCurve
from wakeword.runtime.metadata import BundleMetadata
from wakeword.runtime.operating_points import OperatingPoint, OperatingPoints
from wakeword.runtime.registry import Selection, choose, find_bundle, installed_bundles, select
from wakeword.runtime.remote import EngineProcess
from wakeword.runtime.results import StepResult
from wakeword.runtime.sections import (
    DataSource,
    DetectorConfig,
    ModelFile,
    SmootherConfig,
    TrainingRecord,
)
from wakeword.runtime.session import Session
from wakeword.runtime.smoother import Smoother
from wakeword.runtime.spotter import Spotter
from wakeword.runtime.stream import Stream

__all__ = [
    "Bundle",
    "BundleMetadata",
    "CountBounds",
    "DataSource",
    "Detection",
    "Detector",
    "DetectorConfig",
    "Engine",
    "EngineBase",
    "EngineProcess",
    "MeasuredCurve",
    "ModelFile",
    "OperatingPoint",
    "OperatingPoints",
    "Selection",
    "Session",
    "Smoother",
    "SmootherConfig",
    "Spotter",
    "StepResult",
    "Stream",
    "TrainingRecord",
    "choose",
    "find_bundle",
    "installed_bundles",
    "select",
    "write_bundle",
    "write_metadata",
]
