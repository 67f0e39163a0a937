"""model.onnx in 8 bits: static quantisation by ONNX Runtime, and what it leaves in float.

Weights are int8, symmetric, with a scale for each output channel; activations are uint8 with one
scale and zero point for each array, from its least and largest value in the calibration windows
(Jacob et al. 2018, section 2; ONNX Runtime's QDQ format). What comes after the last layer with
weights stays float: posteriors in 256 steps would be too coarse for thresholds near 1.
"""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import TrainingError
from wakeword.runtime.session import INPUT
from wakeword.training.quantised.tail import nodes_of_the_tail, tidied

if TYPE_CHECKING:
    from onnx import ModelProto

WEIGHTED = frozenset({"Conv", "Gemm", "MatMul", "GRU", "LSTM", "RNN"})
"""Operators with weights."""
_BETWEEN = (
    "Add", "Relu", "MaxPool", "AveragePool", "GlobalAveragePool", "Reshape", "Transpose", "Squeeze",
    "Unsqueeze", "Flatten", "Pad",
)  # fmt: skip
_GATES = frozenset({"Sigmoid", "Tanh"})
_COUNTED = WEIGHTED | {
    "Add", "Mul", "BatchNormalization", "Sigmoid", "Tanh", "MaxPool", "AveragePool",
    "GlobalAveragePool", "ReduceMean",
}  # fmt: skip
_BATCH = 32


@dataclass(frozen=True)
class Quantised:
    """An 8-bit model.onnx. Counted are operators that compute something, by their name.

    parameters
        Weights and biases, of which so many stayed float.
    """

    model: bytes
    in_8_bits: Mapping[str, int]
    in_float: Mapping[str, int]
    parameters: int
    float_parameters: int

    @property
    def float_share(self) -> float:
        """Share of the parameters that stayed float."""
        return self.float_parameters / max(1, self.parameters)


def quantise(
    model: bytes, windows: NDArray[np.float32], *, seven_bit_weights: bool = False
) -> Quantised:
    """Quantise ``model``, with ranges from ``windows`` (windows, frames, channels).

    Parameters
    ----------
    seven_bit_weights
        For processors without instructions for 8-bit products (VNNI): there sums of two products
        saturate at 16 bits.

    Raises
    ------
    TrainingError
        No operator of the network can be quantised.
    """
    import onnx
    from onnxruntime import quantization

    ready = prepared(model)
    operators = {node.op_type for node in ready.graph.node}
    wanted = [op for op in ("Conv", "Gemm", "MatMul", *_BETWEEN) if op in operators]
    if operators & _GATES:  # a recurrence written out: its state is not rounded at every step
        wanted = [op for op in wanted if op != "Add"]
    tail = nodes_of_the_tail(ready, WEIGHTED)
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / "model.onnx"
        quantization.quantize_static(
            ready, path, _Reader(windows), per_channel=True, reduce_range=seven_bit_weights,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8, op_types_to_quantize=wanted,
            nodes_to_exclude=tail,
        )  # fmt: skip
        found = onnx.load_model(path)
    found = tidied(found, set(tail))
    counted = _counted(found, frozenset(wanted))
    if not counted.in_8_bits:
        raise TrainingError(
            f"nothing in this network can be quantised; it has {', '.join(sorted(operators))}"
        )
    return counted


class _Reader:
    """Hands the calibration windows to ONNX Runtime, a batch at a time."""

    def __init__(self, windows: NDArray[np.float32]) -> None:
        self._batches = iter(
            [{INPUT: windows[i : i + _BATCH]} for i in range(0, len(windows), _BATCH)]
        )

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next batch; None behind the last."""
        return next(self._batches, None)

    def set_range(self, start_index: int, end_index: int) -> None:
        """Part of ONNX Runtime's interface, for strided reading, which is not asked for."""
        raise NotImplementedError


def prepared(model: bytes) -> ModelProto:
    """Batch norm folded into convolutions, constants computed, nodes named, as quantising needs."""
    import onnx
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder, _quiet():
        before, after = Path(folder) / "before.onnx", Path(folder) / "after.onnx"
        before.write_bytes(model)
        quant_pre_process(before, after, skip_symbolic_shape=True)
        found = onnx.load_model(after)
    for number, node in enumerate(found.graph.node):
        node.name = node.name or f"{node.op_type}_{number}"
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """ONNX Runtime's advice to a person at a prompt is not for whoever runs this."""
    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _counted(model: ModelProto, wanted: frozenset[str]) -> Quantised:
    """What of ``model`` is in 8 bits: operators of ``wanted`` that read 8-bit arrays."""
    sizes = {i.name: int(np.prod(list(i.dims), dtype=np.int64)) for i in model.graph.initializer}
    dequantised = {
        out: node.input[0]
        for node in model.graph.node
        if node.op_type == "DequantizeLinear"
        for out in node.output
    }
    in_8_bits: Counter[str] = Counter()
    in_float: Counter[str] = Counter()
    rounded, kept = set[str](), set[str]()
    for node in model.graph.node:
        if node.op_type in _COUNTED:
            is_8_bit = node.op_type in wanted and node.input[0] in dequantised
            (in_8_bits if is_8_bit else in_float)[node.op_type] += 1
            rounded |= {dequantised[name] for name in node.input if name in dequantised}
            kept |= set(node.input) & sizes.keys()
    in_bytes, in_words = (
        sum(sizes[name] for name in names & sizes.keys()) for names in (rounded, kept)
    )
    return Quantised(
        bytes(model.SerializeToString()), dict(in_8_bits), dict(in_float), in_bytes + in_words,
        in_words,
    )  # fmt: skip
