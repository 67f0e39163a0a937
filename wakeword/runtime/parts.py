"""A convolutional recurrent network in two parts, so that windows can share what lies between.

The first part is the convolution and the input products of the first recurrent layer, for the
positions that a step finds (:mod:`wakeword.runtime.overlap`). The second is everything behind
them: its first layer has the identity as input weights, which changes no bit. Both are made of
model.onnx where it is loaded, so that a bundle has one network and says nothing of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wakeword.runtime.onnx_graph import Graph, Node, read_graph
from wakeword.runtime.onnx_write import write_graph
from wakeword.runtime.overlap import Overlap, Piece
from wakeword.runtime.session import INPUT, OUTPUT, open_network

FRAMES, ROWS, POSITIONS = "frames", "rows", "positions"
"""Input and output of the first part; input of the second."""


@dataclass(frozen=True)
class Parts:
    """first: ``frames`` (windows, overlap.frames_of_step, channels) to ``rows`` (windows,
    overlap.rows, width). second: ``positions`` (overlap.positions, windows, width) to
    ``posteriors``."""

    overlap: Overlap
    width: int
    first: bytes
    second: bytes


class NotShared(Exception):
    """The network is not one that is cut here, and why; it runs as a whole."""


class _Convolution(NamedTuple):
    """weight (filters, 1, frames, channels), bias (filters,); zeros before and after channels."""

    weight: NDArray[Any]
    bias: NDArray[Any]
    strides: Sequence[int]
    beside: tuple[int, int]


class _Layer(NamedTuple):
    """The first recurrent layer: input weights, recurrent weights and biases of two directions."""

    node: Node
    inputs: NDArray[Any]
    recurrent: NDArray[Any]
    bias: NDArray[Any]


def split_network(model: bytes, frames: int, channels: int, step: int) -> Parts:
    """Cut ``model``, whose windows have ``frames`` and move on by ``step`` frames.

    Raises
    ------
    NotShared
        It is another network than pad, convolution, ReLU and a bidirectional GRU, or its
        windows would share too little.
    """
    try:
        graph = read_graph(model)
    except (ValueError, LookupError) as why:
        raise NotShared(str(why)) from None
    convolution, (top, bottom), layer = _front(graph)
    overlap = Overlap(
        frames, step, convolution.weight.shape[2], convolution.strides[0], top, bottom
    )
    _require(overlap.worthwhile, "its windows share too little")
    first = _first_part(graph.opset, overlap, convolution, layer)
    width = layer.recurrent.shape[0] * layer.recurrent.shape[1]
    return Parts(
        overlap,
        width,
        write_graph(first, {FRAMES: ["n", overlap.frames_of_step, channels]}, [ROWS]),
        write_graph(
            _second_part(graph, layer), {POSITIONS: [overlap.positions, "n", width]}, [OUTPUT]
        ),
    )


def _front(graph: Graph) -> tuple[_Convolution, tuple[int, int], _Layer]:
    """Follow the network from its input to the first recurrent layer."""
    raise_dimension = _only_user(graph, INPUT, "Unsqueeze")
    pad = _only_user(graph, raise_dimension.outputs[0], "Pad")
    conv = _only_user(graph, pad.outputs[0], "Conv")
    relu = _only_user(graph, conv.outputs[0], "Relu")
    turned = _only_user(graph, relu.outputs[0], "Transpose")
    _require(_get(pad, "mode", b"constant") == b"constant" and pad.inputs[2:] in ((), ("",)), "pad")
    zeros = _pads(graph, pad.inputs[1])
    _require(len(zeros) == 8 and zeros[[0, 1, 4, 5]].sum() == 0 and zeros.min() >= 0, "pads")
    plain = {"dilations": [1, 1], "group": 1, "pads": [0] * 4, "auto_pad": b"NOTSET"}
    _require(all(_get(conv, key, value) == value for key, value in plain.items()), "convolution")
    weight, bias = (_constant(graph, name) for name in (*conv.inputs[1:], "")[:2])
    strides = _get(conv, "strides", [1, 1])
    _require(weight.shape[1] == 1 and isinstance(strides, list), "convolution")
    _require(turned.attributes.get("perm") == [0, 2, 1, 3], "order of axes")
    layer = _layer(graph, turned.outputs[0])
    assert isinstance(strides, list)
    beside = (int(zeros[3]), int(zeros[7]))
    return _Convolution(weight, bias, strides, beside), (int(zeros[2]), int(zeros[6])), layer


def _layer(graph: Graph, name: str) -> _Layer:
    node = next((node for node in graph.nodes if node.op in ("GRU", "LSTM", "RNN")), None)
    _require(node is not None and node.op == "GRU", "no GRU")
    assert node is not None
    known = {"direction", "hidden_size", "linear_before_reset"}
    _require(node.attributes.keys() <= known, "attributes of the GRU")
    _require(node.attributes.get("direction") == b"bidirectional", "one direction")
    _require(node.inputs[4:5] in ((), ("",)), "lengths of sequences")
    _require(name in _ancestors(graph, node.inputs[0]), "GRU behind something else")
    _require(all(_zeros(graph, initial) for initial in node.inputs[5:6]), "initial state")
    _require(not any(graph.users(output) for output in node.outputs[1:]), "last state")
    inputs, recurrent, bias = (_constant(graph, name) for name in node.inputs[1:4])
    return _Layer(node, inputs, recurrent, bias)


def _first_part(opset: int, overlap: Overlap, conv: _Convolution, layer: _Layer) -> Graph:
    width = layer.inputs.shape[2]
    constants: dict[str, NDArray[Any]] = {
        "weight": conv.weight,
        "bias": conv.bias,
        "one": np.array([1], np.int64),
        "two": np.array([2], np.int64),
        "flat": np.array([0, 0, width], np.int64),
        "product": np.concatenate(list(layer.inputs)).T.copy(),
    }
    nodes = [Node("Unsqueeze", (FRAMES, "one"), ("image",))]
    origin = overlap.frames - overlap.frames_of_step
    for number, piece in enumerate(overlap.pieces):
        constants[f"first{number}"] = np.array([piece.first - origin], np.int64)
        constants[f"end{number}"] = np.array([piece.end - origin], np.int64)
        nodes += _convolved(number, piece, conv)
    found = tuple(f"found{number}" for number in range(len(overlap.pieces)))
    nodes += [
        Node("Concat", found, ("all",), {"axis": 2}),
        Node("Transpose", ("all",), ("turned",), {"perm": [0, 2, 1, 3]}),
        Node("Reshape", ("turned", "flat"), ("flattened",)),
        Node("MatMul", ("flattened", "product"), (ROWS,)),
    ]
    return Graph(tuple(nodes), constants, opset)


def _convolved(number: int, piece: Piece, conv: _Convolution) -> list[Node]:
    attributes = {
        "kernel_shape": list(conv.weight.shape[2:]),
        "strides": [piece.stride, conv.strides[1]],
        "pads": [piece.before, conv.beside[0], piece.after, conv.beside[1]],
    }
    cut, raw = f"cut{number}", f"raw{number}"
    return [
        Node("Slice", ("image", f"first{number}", f"end{number}", "two"), (cut,)),
        Node("Conv", (cut, "weight", "bias"), (raw,), attributes),
        Node("Relu", (raw,), (f"found{number}",)),
    ]


def _second_part(graph: Graph, layer: _Layer) -> Graph:
    """What follows the input products, each direction of the first layer by itself."""
    output, gates = layer.node.outputs[0], layer.recurrent.shape[1]
    constants = {
        **graph.constants,
        "identity": np.eye(gates, dtype=np.float32)[None],
        "halves": np.array([gates, gates], np.int64),
    }
    nodes = [Node("Split", (POSITIONS, "halves"), ("in0", "in1"), {"axis": 2})]
    for way, direction in enumerate((b"forward", b"reverse")):
        constants[f"recurrent{way}"] = layer.recurrent[way : way + 1]
        constants[f"bias{way}"] = layer.bias[way : way + 1]
        inputs = (f"in{way}", "identity", f"recurrent{way}", f"bias{way}")
        attributes = {**layer.node.attributes, "direction": direction}
        nodes.append(Node("GRU", inputs, (f"out{way}",), attributes))
    nodes.append(Node("Concat", ("out0", "out1"), (output,), {"axis": 1}))
    rest = [_from_zero(graph, node) for node in graph.nodes if node is not layer.node]
    cut = Graph((*nodes, *rest), constants, graph.opset).before(OUTPUT)
    _require(cut.open_names() == {POSITIONS}, "the rest needs more than the first layer gives")
    return cut


def _from_zero(graph: Graph, node: Node) -> Node:
    """The node without its initial state, where that is zeros of a size found at run time."""
    if node.op != "GRU" or len(node.inputs) < 6 or not _zeros(graph, node.inputs[5]):
        return node
    return Node(node.op, node.inputs[:5], node.outputs, node.attributes)


def _zeros(graph: Graph, name: str) -> bool:
    while (node := graph.producer(name)) is not None and node.op == "Slice":
        name = node.inputs[0]
    if not name:
        return True
    if node is None or node.op != "ConstantOfShape":
        return False
    value = node.attributes.get("value")
    return value is None or (isinstance(value, np.ndarray) and not value.any())


def _pads(graph: Graph, name: str) -> NDArray[np.int64]:
    """What the exporter computes at run time without looking at the input."""
    asked = graph.before(name)
    _require(not asked.open_names(), "pads that depend on the input")
    nodes = (*asked.nodes, Node("Cast", (name,), ("found",), {"to": 1}))
    model = write_graph(Graph(nodes, asked.constants, graph.opset), {}, ["found"])
    (found,) = open_network(model, "pads").run(["found"], {})
    return np.asarray(found).astype(np.int64)


def _ancestors(graph: Graph, name: str) -> set[str]:
    return {output for node in graph.before(name).nodes for output in node.outputs}


def _only_user(graph: Graph, name: str, op: str) -> Node:
    users = graph.users(name)
    _require([node.op for node in users] == [op], f"'{name}' goes to other than one {op}")
    return users[0]


def _get(node: Node, key: str, default: Any) -> Any:
    return node.attributes.get(key, default)


def _constant(graph: Graph, name: str) -> NDArray[Any]:
    _require(name in graph.constants, f"'{name}' is not constant")
    return graph.constants[name]


def _require(fits: bool, what: str) -> None:
    if not fits:
        raise NotShared(what)
