"""A network that reads tones as letters, by a closed form: what aligners are tested with.

A letter's logit at a step is ``GAIN`` times (the feature of its band minus ``OFFSET``), that of
the blank is 0: log-mel features, softmax over all, every second frame.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from wakeword.alignment.model import (
    AlignerMetadata,
    LetterModel,
    Placing,
    save_letter_model,
)
from wakeword.frontend import FrontendConfig
from wakeword.frontend.mel import hz_to_mel
from wakeword.runtime.sections import TrainingRecord

RATE = 16_000
LETTERS_HZ: Mapping[str, float] = {
    "a": 400.0, "b": 700.0, "c": 1100.0, "d": 1700.0, "e": 2600.0, "f": 3800.0, " ": 6500.0,
}  # fmt: skip
GAIN, OFFSET = 3.0, -1.0
FRONTEND = FrontendConfig(kind="logmel")
FRAMES_PER_STEP = 2


def spoken(
    text: str, seconds: float, start_s: float, letter_s: float = 0.1, level: float = 0.1
) -> NDArray[np.float32]:
    """Samples (n,): a tone for each letter, one after the other, with a room's faint noise."""
    out = 1e-4 * np.random.default_rng(5).standard_normal(round(seconds * RATE), np.float32)
    length = round(letter_s * RATE)
    for k, letter in enumerate(text):
        first = round(start_s * RATE) + k * length
        t = np.arange(min(length, len(out) - first)) / RATE
        edge = np.minimum(1.0, np.minimum(t, letter_s - t) / 0.01)
        tone = np.sin(2.0 * np.pi * LETTERS_HZ[letter] * t) * edge
        out[first : first + len(t)] += (level * tone).astype(np.float32)
    return out


def tone_letters(letters: str = "abcdef ", **placing: object) -> LetterModel:
    """The model, reading these letters."""
    onnx_bytes = _network(letters)
    metadata = AlignerMetadata(
        name="tones",
        description="reads tones",
        licence="CC0",
        letters=letters,
        frames_per_step=FRAMES_PER_STEP,
        parameters=0,
        epochs=0,
        sha256=hashlib.sha256(onnx_bytes).hexdigest(),
        frontend=FRONTEND,
        training=TrainingRecord({}, 1, (), "", {}),
        placing=replace(Placing(padding_s=(0.0, 0.0), path_padding_s=(0.0, 0.0)), **placing),
    )
    return LetterModel(metadata, onnx_bytes)


def write_tone_letters(folder: Path, letters: str = "abcdef ") -> Path:
    """The model's folder."""
    save_letter_model(folder, tone_letters(letters))
    return folder


def _network(letters: str) -> bytes:
    edges = np.linspace(
        float(hz_to_mel(FRONTEND.f_min_hz)), float(hz_to_mel(FRONTEND.f_max_hz)), 42
    )
    weights = np.zeros((FRONTEND.channels, 1 + len(letters)), np.float32)
    for column, letter in enumerate(letters, start=1):
        distance = np.abs(edges[1:-1] - float(hz_to_mel(LETTERS_HZ[letter])))
        weights[int(distance.argmin()), column] = GAIN
    biases = np.array([0.0] + [-GAIN * OFFSET] * len(letters), np.float32)
    constants = {
        "weights": weights,
        "biases": biases,
        "first": np.array([0]),
        "last": np.array([2**31 - 1]),
        "axis": np.array([1]),
        "step": np.array([FRAMES_PER_STEP]),
    }
    nodes = [
        helper.make_node("Slice", ["features", "first", "last", "axis", "step"], ["steps"]),
        helper.make_node("MatMul", ["steps", "weights"], ["products"]),
        helper.make_node("Add", ["products", "biases"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["posteriors"], axis=2),
    ]
    floats = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "tones",
        [helper.make_tensor_value_info("features", floats, ["n", "frames", FRONTEND.channels])],
        [helper.make_tensor_value_info("posteriors", floats, ["n", "steps", 1 + len(letters)])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data
