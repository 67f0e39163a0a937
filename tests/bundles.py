"""Small real bundles without any training: networks whose answer is a known closed form.

Their "words" are tone bursts. A word's logit is ``GAIN`` times (mean of the features in the
band of its tone minus the mean of all features, both over the last ``MEMORY_FRAMES`` frames,
minus ``OFFSET``), background's is 0, softmax over all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from wakeword.frontend import Frontend, FrontendConfig
from wakeword.frontend.mel import hz_to_mel
from wakeword.runtime import (
    Bundle,
    BundleMetadata,
    DataSource,
    DetectorConfig,
    MeasuredCurve,
    ModelFile,
    OperatingPoint,
    OperatingPoints,
    SmootherConfig,
    TrainingRecord,
    write_bundle,
)

RATE = 16_000
TONES_HZ: Mapping[str, float] = {"low tone": 700.0, "high tone": 3000.0}
MEMORY_FRAMES = 40
GAIN, OFFSET = 20.0, 0.35


def tone_burst(
    word: str, seconds: float = 0.4, rate: int = RATE, amplitude: float = 0.3
) -> NDArray[np.float32]:
    """The sound (n,) float32 that the bundles hear as ``word``; rises and falls within 100 ms."""
    t = np.arange(round(seconds * rate)) / rate
    ramp = np.minimum(1.0, np.minimum(t, seconds - t) / 0.1)
    tone = np.sin(2.0 * np.pi * TONES_HZ[word] * t) * np.sin(0.5 * np.pi * ramp) ** 2
    return (amplitude * tone).astype(np.float32)


def with_bursts(
    seconds: float, bursts: Sequence[tuple[float, str]], rate: int = RATE, noise: float = 0.0
) -> NDArray[np.float32]:
    """Silence, or white noise of standard deviation ``noise``, with words at the given times."""
    rng = np.random.default_rng(1)
    out = (noise * rng.standard_normal(round(seconds * rate))).astype(np.float32)
    for at_s, word in bursts:
        burst, start = tone_burst(word, rate=rate), round(at_s * rate)
        place = out[start : start + len(burst)]
        place += burst[: len(place)]
    return out


def windows_of_tones(config: FrontendConfig) -> NDArray[np.float32]:
    """Features (4, 151, channels) of the low tone at four places of a window, in faint noise."""
    front, places_s = Frontend(config), (0.2, 0.5, 0.7, 1.0)
    bursts = [with_bursts(24_400 / RATE, [(at, "low tone")], noise=0.002) for at in places_s]
    return front.process(np.stack(bursts), front.initial_state(len(bursts)))[0]


def network_weights(
    config: FrontendConfig, words: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (channels, labels) and biases (labels,) of the closed form."""
    edges = np.linspace(
        float(hz_to_mel(config.f_min_hz)), float(hz_to_mel(config.f_max_hz)), config.n_mels + 2
    )
    weights = np.zeros((config.channels, 1 + len(words)), np.float32)
    for column, word in enumerate(words, start=1):
        tone_hz = TONES_HZ.get(word, 300.0 * column)
        distance = np.abs(edges[1:-1] - float(hz_to_mel(tone_hz)))
        # MFCC have fewer channels than mel filters, and no bands: then any three will do.
        weights[np.argsort(distance)[:3] % config.channels, column] = GAIN / 3
        weights[:, column] -= GAIN / config.channels
    biases = np.array([0.0] + [-GAIN * OFFSET] * len(words), np.float32)
    return weights, biases


def posteriors_of(
    window: NDArray[np.float32], config: FrontendConfig, words: Sequence[str]
) -> NDArray[np.float64]:
    """What the network must answer (labels,) for one window (window_frames, channels)."""
    weights, biases = network_weights(config, words)
    logits = window[-MEMORY_FRAMES:].astype(np.float64).mean(axis=0) @ weights + biases
    odds = np.exp(logits - logits.max())
    return np.asarray(odds / odds.sum())


def network(config: FrontendConfig, words: Sequence[str], window_frames: int = 151) -> bytes:
    """The ONNX file of the closed form."""
    weights, biases = network_weights(config, words)
    constants = {
        "start": np.array([window_frames - min(MEMORY_FRAMES, window_frames)], np.int64),
        "end": np.array([window_frames], np.int64),
        "axis": np.array([1], np.int64),
        "weights": weights,
        "biases": biases,
    }
    nodes = [
        helper.make_node("Slice", ["features", "start", "end", "axis"], ["recent"]),
        helper.make_node("ReduceMean", ["recent"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["product"]),
        helper.make_node("Add", ["product", "biases"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["posteriors"], axis=-1),
    ]
    shape = ["batch", window_frames, config.channels]
    graph = helper.make_graph(
        nodes,
        "tones",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("posteriors", TensorProto.FLOAT, ["batch", len(biases)])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return model_bytes(graph)


def model_bytes(graph: onnx.GraphProto) -> bytes:
    """A checked ONNX file that even old versions of ONNX Runtime read."""
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def operating_points(word: str) -> OperatingPoints:
    """Thresholds 0.5, 0.6 and 0.8 for 2, 0.5 and 0.1 false alarms per hour."""
    measured = OperatingPoint(
        target_fa_per_hour=0.5, threshold=0.6, fa_per_hour=0.0, fa_per_hour_low=0.0,
        fa_per_hour_high=0.3, alarms=0, hours=10.0, frr=0.0, frr_low=0.0, frr_high=0.09,
        missed=0, clips=40, condition="tone bursts", supported=True,
        statement="0 alarms in 10 h: at most 0.30 per hour at 95 %",
    )  # fmt: skip
    few = "10 hours cannot support 0.1 per hour: at most 0.30 at 95 %"
    return OperatingPoints(
        word,
        (
            replace(measured, target_fa_per_hour=2.0, threshold=0.5),
            measured,
            replace(
                measured, target_fa_per_hour=0.1, threshold=0.8, supported=False, statement=few
            ),
        ),
    )


def measured_curve() -> MeasuredCurve:
    """A curve that goes with :func:`operating_points`: up to 4 false alarms per hour."""
    return MeasuredCurve(
        hours=10.0, clips=40, condition="tone bursts",
        thresholds=(0.3, 0.5, 0.6, 0.65, 0.8, 0.99),
        alarms=(40, 20, 2, 1, 0, 0),
        missed=(0, 0, 1, 1, 4, 40),
    )  # fmt: skip


def tiny_metadata(
    name: str = "tiny", words: Sequence[str] = tuple(TONES_HZ), **changes: Any
) -> BundleMetadata:
    """Metadata that are right in every way; ``changes`` replaces fields."""
    metadata = BundleMetadata(
        name=name,
        version="1.0.0",
        description="Hears tone bursts; for tests",
        licence="Apache-2.0",
        model=ModelFile("model.onnx", "0" * 64, 1, 40 * (1 + len(words)), 6_000),
        frontend=FrontendConfig(),
        window_frames=151,
        step_samples=1600,
        labels=("background", *words),
        smoother=SmootherConfig(steps=3),
        detector=DetectorConfig(refractory_s=1.0),
        default_target_fa_per_hour=0.5,
        operating_points={word: operating_points(word) for word in words},
        training=TrainingRecord(
            recipe={"epochs": 0},
            seed=1,
            data=(DataSource("sine", "CC0-1.0", 0, 0.0, 0),),
            data_sha256="",
            libraries={"onnx": onnx.__version__},
        ),
    )
    return replace(metadata, **changes)


def write_tiny_bundle(folder: Path, metadata: BundleMetadata | None = None) -> Path:
    """Write a bundle for ``metadata`` (by default :func:`tiny_metadata`); returns ``folder``."""
    metadata = metadata or tiny_metadata()
    model = network(metadata.frontend, metadata.words, metadata.window_frames)
    write_bundle(folder, model, metadata, "# Tones\n\nHears tone bursts.\n", 'name = "tiny"\n')
    return folder


def load_tiny_bundle(folder: Path, metadata: BundleMetadata | None = None) -> Bundle:
    """As :func:`write_tiny_bundle`, loaded."""
    return Bundle.load(write_tiny_bundle(folder, metadata))
