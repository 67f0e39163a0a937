"""The nodes and weights of a model.onnx: as much of onnx.proto as it takes to cut it into parts.

What operators mean is left to ONNX Runtime. The ``onnx`` package is not among what run time needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wakeword.runtime.onnx_file import fields, varint


@dataclass(frozen=True)
class Subgraph:
    """What a node runs or leaves: as the file has it, and what it takes from around it."""

    data: bytes
    takes: frozenset[str]


Value = int | float | bytes | list[int] | NDArray[Any] | Subgraph
Parts = dict[int, list[int | memoryview]]
FLOAT, INT64 = 1, 7
"""Types of tensors in onnx.proto; others are not read."""

TYPES: dict[int, np.dtype[Any]] = {FLOAT: np.dtype("<f4"), INT64: np.dtype("<i8")}
FLOAT_VALUE, INT_VALUE, TEXT, TENSOR, GRAPH, INTS = 1, 2, 3, 4, 5, 7
"""Kinds of attributes."""


@dataclass(frozen=True)
class Node:
    """One operator."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Value] = field(default_factory=dict)

    @property
    def takes(self) -> frozenset[str]:
        """Its inputs, and what its subgraphs take from around it."""
        subgraphs = (v.takes for v in self.attributes.values() if isinstance(v, Subgraph))
        return frozenset(self.inputs).union(*subgraphs)


@dataclass(frozen=True)
class Graph:
    """A network: nodes in an order in which they can be run, and its constants by name."""

    nodes: tuple[Node, ...]
    constants: Mapping[str, NDArray[Any]]
    opset: int

    def producer(self, name: str) -> Node | None:
        """The node that gives ``name``."""
        return next((node for node in self.nodes if name in node.outputs), None)

    def users(self, name: str) -> list[Node]:
        """The nodes that take ``name``."""
        return [node for node in self.nodes if name in node.takes]

    def before(self, output: str) -> Graph:
        """Only what ``output`` depends on."""
        wanted, kept = {output}, []
        for node in reversed(self.nodes):
            if wanted & set(node.outputs):
                kept.append(node)
                wanted |= node.takes
        constants = {name: value for name, value in self.constants.items() if name in wanted}
        return Graph(tuple(reversed(kept)), constants, self.opset)

    def open_names(self) -> set[str]:
        """What nodes take and none gives: the inputs."""
        given = {name for node in self.nodes for name in node.outputs} | set(self.constants)
        return {name for node in self.nodes for name in node.takes if name} - given


def read_graph(model: bytes) -> Graph:
    """Read a model that :func:`check_self_contained` has passed.

    Raises
    ------
    ValueError
        It holds what is not read here: subgraphs in subgraphs, functions, other types of tensors.
    """
    nodes, constants, opsets = [], {}, []
    for number, value in fields(memoryview(model)):
        if number == 8:
            opsets.append(_parts(value))
            _check_domain(opsets[-1].get(1, []))
        elif number == 25:
            raise ValueError("functions are not read")
        elif number == 7:
            for kind, item in fields(_bytes(value)):
                if kind == 1:
                    nodes.append(_node(item))
                elif kind == 5:
                    name, tensor = _tensor(item)
                    constants[name] = tensor
    if len(opsets) != 1:
        raise ValueError("more than one set of operators is not read")
    return Graph(tuple(nodes), constants, _int(opsets[0][2][0]))


def _node(data: int | memoryview, within: bool = False) -> Node:
    parts = _parts(data)
    _check_domain(parts.get(7, []))
    return Node(
        _text(parts[4][0]),
        tuple(map(_text, parts.get(1, []))),
        tuple(map(_text, parts.get(2, []))),
        dict(_attribute(item, within) for item in parts.get(5, [])),
    )


def _subgraph(data: int | memoryview) -> Subgraph:
    parts = _parts(data)
    nodes = [_node(item, within=True) for item in parts.get(1, [])]
    given = {name for node in nodes for name in node.outputs}
    given.update(_text(_parts(tensor)[8][0]) for tensor in parts.get(5, []))
    given.update(_text(_parts(value)[1][0]) for value in parts.get(11, []))
    wanted = {name for node in nodes for name in node.inputs if name}
    return Subgraph(bytes(_bytes(data)), frozenset(wanted - given))


def _check_domain(names: list[int | memoryview]) -> None:
    if any(_text(name) not in ("", "ai.onnx") for name in names):
        raise ValueError("other operators than those of ONNX are not read")


def _attribute(data: int | memoryview, within: bool) -> tuple[str, Value]:
    parts = _parts(data)
    if 11 in parts or (within and 6 in parts):
        raise ValueError("lists of subgraphs, and subgraphs in subgraphs, are not read")
    return _text(parts[1][0]), _value(parts)


def _value(parts: Parts) -> Value:
    kind = parts.get(20, [0])[0]
    if kind == INT_VALUE:
        return _int(parts.get(3, [0])[0])
    if kind == FLOAT_VALUE:
        return float(np.frombuffer(_bytes(parts[2][0]), "<f4")[0]) if 2 in parts else 0.0
    if kind == TEXT:
        return bytes(_bytes(parts[4][0])) if 4 in parts else b""
    if kind == TENSOR:
        return _tensor(parts[5][0])[1]
    if kind == INTS:
        return _ints(parts.get(8, []))
    if kind == GRAPH:
        return _subgraph(parts[6][0])
    raise ValueError(f"an attribute of kind {kind} is not read")


def _tensor(data: int | memoryview) -> tuple[str, NDArray[Any]]:
    parts = _parts(data)
    dtype = TYPES.get(_int(parts[2][0]))
    if dtype is None or not parts.keys() <= {1, 2, 4, 7, 8, 9, 12}:
        raise ValueError("tensors of other types than float32 and int64 are not read")
    if 9 in parts:
        values = np.frombuffer(_bytes(parts[9][0]), dtype)
    elif dtype.kind == "f":
        values = np.frombuffer(b"".join(map(_bytes, parts.get(4, []))), dtype)
    else:
        values = np.array(_ints(parts.get(7, [])), dtype)
    name = _text(parts[8][0]) if 8 in parts else ""
    return name, values.reshape(_ints(parts.get(1, [])))


def _parts(data: int | memoryview) -> Parts:
    found: Parts = {}
    for number, value in fields(_bytes(data)):
        found.setdefault(number, []).append(value)
    return found


def _ints(values: Iterable[int | memoryview]) -> list[int]:
    """Repeated integers, each by itself or packed."""
    found: list[int] = []
    for value in values:
        if isinstance(value, int):
            found.append(_signed(value))
        else:
            at = 0
            while at < len(value):
                number, at = varint(value, at)
                found.append(_signed(number))
    return found


def _int(value: int | memoryview) -> int:
    return _signed(value) if isinstance(value, int) else _ints([value])[0]


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message is due")
    return value


def _text(value: int | memoryview) -> str:
    return bytes(_bytes(value)).decode()
