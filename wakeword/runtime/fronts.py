"""Convolutional recurrent networks as far as their first recurrent layer, read from model.onnx.

:mod:`wakeword.runtime.parts` cuts there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wakeword.runtime.onnx_graph import Graph, Node
from wakeword.runtime.onnx_write import write_graph
from wakeword.runtime.session import INPUT, open_network

MOST_NETWORKS = 16
"""Whose mean is one model."""

_BENDING = frozenset({"Add", "Sub", "Max", "Pow"})
"""Operators that, with a constant, change each value of the input by itself."""

_MOST_BENDING = 256
"""So many of them; a hostile model could be nothing else."""


class NotShared(Exception):
    """The network is not one that is cut here, and why; it runs as a whole."""


class Convolution(NamedTuple):
    """weight (filters, 1, frames, channels), bias (filters,); zeros before and after channels."""

    weight: NDArray[Any]
    bias: NDArray[Any]
    strides: Sequence[int]
    beside: tuple[int, int]


class RecurrentLayer(NamedTuple):
    """The first recurrent layer: input weights, recurrent weights and biases of two directions."""

    node: Node
    inputs: NDArray[Any]
    recurrent: NDArray[Any]
    bias: NDArray[Any]

    @property
    def gates(self) -> int:
        """Input products of one direction."""
        return int(self.recurrent.shape[1])


class Front(NamedTuple):
    """One network as far as its first recurrent layer, and its rows of zeros before and after.

    heard: the name of what it hears, the input or that bent.
    """

    heard: str
    convolution: Convolution
    rows_beside: tuple[int, int]
    layer: RecurrentLayer


def bent_input(graph: Graph) -> tuple[list[Node], list[Node]]:
    """What bends the input or picks channels of it, each after that on which it depends, and what
    takes the results. What takes the input only now and then, in a subgraph, is neither."""
    bending: list[Node] = []
    starts: list[Node] = []
    names = [INPUT]
    for name in names:
        for node in graph.users(name):
            if name == INPUT and name not in node.inputs:
                continue
            if node.op in _BENDING or node.op == "Slice":
                first, *by = node.inputs
                require(first == name, node.op)
                constants = [_constant(graph, other) for other in by]
                picks = node.op == "Slice"
                shapes = [(1,)] * 3 if picks else [()]
                require([c.shape for c in constants] == shapes, node.op)
                require(not picks or constants[2][0] == 2, node.op)  # of channels
                bending.append(node)
                require(len(bending) <= _MOST_BENDING, f"over {_MOST_BENDING} {node.op}")
                names.append(node.outputs[0])
            else:
                starts.append(node)
    return bending, starts


def read_front(graph: Graph, start: Node) -> Front:
    """Follow one network from the input to its first recurrent layer."""
    require(start.op == "Unsqueeze", f"the input goes to {start.op}")
    pad = _only_user(graph, start.outputs[0], "Pad")
    conv = _only_user(graph, pad.outputs[0], "Conv")
    relu = _only_user(graph, conv.outputs[0], "Relu")
    turned = _only_user(graph, relu.outputs[0], "Transpose")
    require(_get(pad, "mode", b"constant") == b"constant" and pad.inputs[2:] in ((), ("",)), "pad")
    zeros = _pads(graph, pad.inputs[1])
    require(len(zeros) == 8 and zeros[[0, 1, 4, 5]].sum() == 0 and zeros.min() >= 0, "pads")
    plain = {"dilations": [1, 1], "group": 1, "pads": [0] * 4, "auto_pad": b"NOTSET"}
    require(all(_get(conv, key, value) == value for key, value in plain.items()), "convolution")
    weight, bias = (_constant(graph, name) for name in (*conv.inputs[1:], "")[:2])
    strides = _get(conv, "strides", [1, 1])
    require(weight.shape[1] == 1 and isinstance(strides, list), "convolution")
    require(turned.attributes.get("perm") == [0, 2, 1, 3], "order of axes")
    layer = _layer(graph, turned.outputs[0])
    assert isinstance(strides, list)
    beside = (int(zeros[3]), int(zeros[7]))
    rows_beside = (int(zeros[2]), int(zeros[6]))
    convolution = Convolution(weight, bias, strides, beside)
    return Front(start.inputs[0], convolution, rows_beside, layer)


def _layer(graph: Graph, name: str) -> RecurrentLayer:
    reached = _reached(graph, name)
    recurrent_layers = (node for node in graph.nodes if node.op in ("GRU", "LSTM", "RNN"))
    node = next((n for n in recurrent_layers if n.inputs[0] in reached), None)
    require(node is not None and node.op == "GRU", "no GRU")
    assert node is not None
    known = {"direction", "hidden_size", "linear_before_reset"}
    require(node.attributes.keys() <= known, "attributes of the GRU")
    require(node.attributes.get("direction") == b"bidirectional", "one direction")
    require(node.inputs[4:5] in ((), ("",)), "lengths of sequences")
    require(all(is_zeros(graph, initial) for initial in node.inputs[5:6]), "initial state")
    require(not any(graph.users(output) for output in node.outputs[1:]), "last state")
    inputs, recurrent, bias = (_constant(graph, name) for name in node.inputs[1:4])
    for narrow in _products_between(graph, name, node.inputs[0]):
        require(narrow.shape[1:] == inputs.shape[2:], "what is multiplied before the GRU")
        inputs = inputs @ narrow.T
    return RecurrentLayer(node, inputs, recurrent, bias)


def _products_between(graph: Graph, first: str, last: str) -> list[NDArray[Any]]:
    """The matrices that are multiplied with what lies between two names, the last one first."""
    found = []
    while last != first:
        node = graph.producer(last)
        require(node is not None and bool(node.inputs), "what lies before the GRU")
        assert node is not None
        if node.op == "MatMul":
            found.append(_constant(graph, node.inputs[1]))
        last = node.inputs[0]
    return found


def is_zeros(graph: Graph, name: str) -> bool:
    """Whether ``name``, of a size found at run time, is zeros, or left out."""
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
    require(not asked.open_names(), "pads that depend on the input")
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
    require([node.op for node in users] == [op], f"'{name}' goes to other than one {op}")
    return users[0]


def _get(node: Node, key: str, default: Any) -> Any:
    return node.attributes.get(key, default)


def _constant(graph: Graph, name: str) -> NDArray[Any]:
    require(name in graph.constants, f"'{name}' is not constant")
    return graph.constants[name]


def require(fits: bool, what: str) -> None:
    """Give up, with NotShared, what does not fit."""
    if not fits:
        raise NotShared(what)
