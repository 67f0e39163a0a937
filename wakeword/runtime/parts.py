"""Convolutional recurrent networks in two parts, so that windows can share what lies between.

The first part is the convolution and the input products of the first recurrent layer, for the
positions that a step finds (:mod:`wakeword.runtime.overlap`). The second is everything behind
them: its first layer has the identity as input weights, which changes no bit. The mean of several
such networks is cut in all of them at once, the products side by side; what bends each value of
the input for some of them, or picks their channels, stays before the cut. A network that is asked
now and then, in a subgraph, stays whole behind it. Both parts are made of model.onnx where it is
loaded, so that a bundle has one network and says nothing of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wakeword.runtime.fronts import (
    MOST_NETWORKS,
    Convolution,
    Front,
    NotShared,
    RecurrentLayer,
    bent_input,
    is_zeros,
    read_front,
    require,
)
from wakeword.runtime.onnx_graph import Graph, Node, read_graph
from wakeword.runtime.onnx_write import write_graph
from wakeword.runtime.overlap import Overlap, Piece
from wakeword.runtime.session import INPUT, OUTPUT

FRAMES, ROWS, POSITIONS = "frames", "rows", "positions"
"""Input and output of the first part; input of the second."""


@dataclass(frozen=True)
class Parts:
    """first: ``frames`` (windows, overlap.frames_of_step, channels) to ``rows`` (windows,
    overlap.rows, width). second: ``positions`` (overlap.positions, windows, width) to
    ``posteriors``; if it ``asks`` another network, the whole windows, too, as the input has them.
    """

    overlap: Overlap
    width: int
    asks: bool
    first: bytes
    second: bytes


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
    bending, starts = bent_input(graph)
    require(1 <= len(starts) <= MOST_NETWORKS, f"{len(starts)} networks")
    fronts = [read_front(graph, start) for start in starts]
    overlap, *others = (_overlap(front, frames, step) for front in fronts)
    require(all(other == overlap for other in others), "networks whose windows share otherwise")
    require(overlap.worthwhile, "its windows share too little")
    width = sum(2 * front.layer.gates for front in fronts)
    first = _first_part(graph, bending, overlap, fronts)
    second = _second_part(graph, [front.layer for front in fronts])
    positions: dict[str, list[int | str]] = {POSITIONS: [overlap.positions, "n", width]}
    windows: dict[str, list[int | str]] = {INPUT: ["n", frames, channels]}
    asks = INPUT in second.open_names()
    return Parts(
        overlap,
        width,
        asks,
        write_graph(first, {FRAMES: ["n", overlap.frames_of_step, channels]}, [ROWS]),
        write_graph(second, positions | windows if asks else positions, [OUTPUT]),
    )


def _overlap(front: Front, frames: int, step: int) -> Overlap:
    convolution, (top, bottom) = front.convolution, front.rows_beside
    return Overlap(
        frames, step, convolution.weight.shape[2], convolution.strides[0], top, bottom
    )


def _first_part(
    graph: Graph, bending: Sequence[Node], overlap: Overlap, fronts: Sequence[Front]
) -> Graph:
    constants: dict[str, NDArray[Any]] = {
        "one": np.array([1], np.int64),
        "two": np.array([2], np.int64),
    }
    for node in bending:
        constants.update({_given(name): graph.constants[name] for name in node.inputs[1:]})
    origin = overlap.frames - overlap.frames_of_step
    for number, piece in enumerate(overlap.pieces):
        constants[f"first{number}"] = np.array([piece.first - origin], np.int64)
        constants[f"end{number}"] = np.array([piece.end - origin], np.int64)
    nodes = [
        Node(node.op, tuple(map(_given, node.inputs)), tuple(map(_given, node.outputs)))
        for node in bending
    ]
    for network, (heard, conv, _, layer) in enumerate(fronts):
        mine, width = f"{network}/", layer.inputs.shape[2]
        nodes.append(Node("Unsqueeze", (_given(heard), "one"), (f"{mine}image",)))
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
    return Graph(tuple(nodes), constants, graph.opset)


def _given(name: str) -> str:
    """The name in the first part of what is in the network before it is cut."""
    return FRAMES if name == INPUT else f"given/{name}"


def _convolved(mine: str, number: int, piece: Piece, conv: Convolution) -> list[Node]:
    attributes = {
        "kernel_shape": list(conv.weight.shape[2:]),
        "strides": [piece.stride, conv.strides[1]],
        "pads": [piece.before, conv.beside[0], piece.after, conv.beside[1]],
    }
    cut, raw = f"{mine}cut{number}", f"{mine}raw{number}"
    return [
        Node("Slice", (f"{mine}image", f"first{number}", f"end{number}", "two"), (cut,)),
        Node("Conv", (cut, f"{mine}weight", f"{mine}bias"), (raw,), attributes),
        Node("Relu", (raw,), (f"{mine}found{number}",)),
    ]


def _second_part(graph: Graph, layers: Sequence[RecurrentLayer]) -> Graph:
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
    more = cut.open_names() - {POSITIONS}
    require(more <= {INPUT}, "the rest needs more than the first layer gives")
    return cut


def _from_zero(graph: Graph, node: Node) -> Node:
    """The node without its initial state, where that is zeros of a size found at run time."""
    if node.op != "GRU" or len(node.inputs) < 6 or not is_zeros(graph, node.inputs[5]):
        return node
    return Node(node.op, node.inputs[:5], node.outputs, node.attributes)


