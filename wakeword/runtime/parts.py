"""Convolutional recurrent networks in two parts, so that windows can share what lies between.

The first part is the convolution and the input products of the first recurrent layer, for the
positions that a step finds (:mod:`wakeword.runtime.overlap`). The second is everything behind
them: its first layer has the identity as input weights, which changes no bit. The mean of several
such networks is cut in all of them at once, the products side by side. Both parts are made of
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

MOST_NETWORKS = 16
"""Whose mean is one model."""


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

    @property
    def gates(self) -> int:
        """Input products of one direction."""
        return int(self.recurrent.shape[1])


class _Front(NamedTuple):
    """One network as far as its first recurrent layer, and its rows of zeros before and after."""

    convolution: _Convolution
    rows_beside: tuple[int, int]
    layer: _Layer


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
    starts = graph.users(INPUT)
    _require(1 <= len(starts) <= MOST_NETWORKS, f"{len(starts)} networks")
    fronts = [_front(graph, start) for start in starts]
    overlap, *others = (_overlap(front, frames, step) for front in fronts)
    _require(all(other == overlap for other in others), "networks whose windows share otherwise")
    _require(overlap.worthwhile, "its windows share too little")
    width = sum(2 * front.layer.gates for front in fronts)
    first = _first_part(graph.opset, overlap, fronts)
    second = _second_part(graph, [front.layer for front in fronts])
    return Parts(
        overlap,
        width,
        write_graph(first, {FRAMES: ["n", overlap.frames_of_step, channels]}, [ROWS]),
        write_graph(second, {POSITIONS: [overlap.positions, "n", width]}, [OUTPUT]),
    )


def _overlap(front: _Front, frames: int, step: int) -> Overlap:
    convolution, (top, bottom), _ = front
    return Overlap(
        frames, step, convolution.weight.shape[2], convolution.strides[0], top, bottom
    )


def _front(graph: Graph, start: Node) -> _Front:
    """Follow one network from the input to its first recurrent layer."""
    _require(start.op == "Unsqueeze", f"the input goes to {start.op}")
    pad = _only_user(graph, start.outputs[0], "Pad")
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
    rows_beside = (int(zeros[2]), int(zeros[6]))
    return _Front(_Convolution(weight, bias, strides, beside), rows_beside, layer)


def _layer(graph: Graph, name: str) -> _Layer:
    reached = _reached(graph, name)
    recurrent_layers = (node for node in graph.nodes if node.op in ("GRU", "LSTM", "RNN"))
    node = next((n for n in recurrent_layers if n.inputs[0] in reached), None)
    _require(node is not None and node.op == "GRU", "no GRU")
    assert node is not None
    known = {"direction", "hidden_size", "linear_before_reset"}
    _require(node.attributes.keys() <= known, "attributes of the GRU")
    _require(node.attributes.get("direction") == b"bidirectional", "one direction")
    _require(node.inputs[4:5] in ((), ("",)), "lengths of sequences")
    _require(all(_zeros(graph, initial) for initial in node.inputs[5:6]), "initial state")
    _require(not any(graph.users(output) for output in node.outputs[1:]), "last state")
    inputs, recurrent, bias = (_constant(graph, name) for name in node.inputs[1:4])
    return _Layer(node, inputs, recurrent, bias)


def _first_part(opset: int, overlap: Overlap, fronts: Sequence[_Front]) -> Graph:
    constants: dict[str, NDArray[Any]] = {
        "one": np.array([1], np.int64),
        "two": np.array([2], np.int64),
    }
    origin = overlap.frames - overlap.frames_of_step
    for number, piece in enumerate(overlap.pieces):
        constants[f"first{number}"] = np.array([piece.first - origin], np.int64)
        constants[f"end{number}"] = np.array([piece.end - origin], np.int64)
    nodes = [Node("Unsqueeze", (FRAMES, "one"), ("image",))]
    for network, (conv, _, layer) in enumerate(fronts):
        mine, width = f"{network}/", layer.inputs.shape[2]
        constants[f"{mine}weight"], constants[f"{mine}bias"] = conv.weight, conv.bias
        constants[f"{mine}flat"] = np.array([0, 0, width], np.int64)
        constants[f"{mine}product"] = np.concatenate(list(layer.inputs)).T.copy()
        for number, piece in enumerate(overlap.pieces):
            nodes += _convolved(mine, number, piece, conv)
        found = tuple(f"{mine}found{number}" for number in range(len(overlap.pieces)))
        nodes += [
            Node("Concat", found, (f"{mine}all",), {"axis": 2}),
            Node("Transpose", (f"{mine}all",), (f"{mine}turned",), {"perm": [0, 2, 1, 3]}),
            Node("Reshape", (f"{mine}turned", f"{mine}flat"), (f"{mine}flattened",)),
            Node("MatMul", (f"{mine}flattened", f"{mine}product"), (f"{mine}products",)),
        ]
    products = tuple(f"{network}/products" for network in range(len(fronts)))
    nodes.append(Node("Concat", products, (ROWS,), {"axis": 2}))
    return Graph(tuple(nodes), constants, opset)


def _convolved(mine: str, number: int, piece: Piece, conv: _Convolution) -> list[Node]:
    attributes = {
        "kernel_shape": list(conv.weight.shape[2:]),
        "strides": [piece.stride, conv.strides[1]],
        "pads": [piece.before, conv.beside[0], piece.after, conv.beside[1]],
    }
    cut, raw = f"{mine}cut{number}", f"{mine}raw{number}"
    return [
        Node("Slice", ("image", f"first{number}", f"end{number}", "two"), (cut,)),
        Node("Conv", (cut, f"{mine}weight", f"{mine}bias"), (raw,), attributes),
        Node("Relu", (raw,), (f"{mine}found{number}",)),
    ]


def _second_part(graph: Graph, layers: Sequence[_Layer]) -> Graph:
    """What follows the input products, each direction of each first layer by itself."""
    gates = np.repeat([layer.gates for layer in layers], 2).astype(np.int64)
    constants = {**graph.constants, "shares": gates}
    products = tuple(f"in{number}" for number in range(len(gates)))
    nodes = [Node("Split", (POSITIONS, "shares"), products, {"axis": 2})]
    for network, layer in enumerate(layers):
        constants[f"identity{network}"] = np.eye(layer.gates, dtype=np.float32)[None]
        directions = []
        for way, direction in enumerate((b"forward", b"reverse")):
            number = 2 * network + way
            constants[f"recurrent{number}"] = layer.recurrent[way : way + 1]
            constants[f"bias{number}"] = layer.bias[way : way + 1]
            inputs = (
                f"in{number}", f"identity{network}", f"recurrent{number}", f"bias{number}",
            )  # fmt: skip
            attributes = {**layer.node.attributes, "direction": direction}
            nodes.append(Node("GRU", inputs, (f"out{number}",), attributes))
            directions.append(f"out{number}")
        nodes.append(Node("Concat", tuple(directions), layer.node.outputs[:1], {"axis": 1}))
    replaced = {id(layer.node) for layer in layers}
    rest = [_from_zero(graph, node) for node in graph.nodes if id(node) not in replaced]
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


def _reached(graph: Graph, name: str) -> set[str]:
    """``name`` and all that is made of it."""
    names = {name}
    for node in graph.nodes:
        if not names.isdisjoint(node.inputs):
            names.update(node.outputs)
    return names


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
