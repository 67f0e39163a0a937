"""A model.onnx of nodes and weights: what :mod:`wakeword.runtime.onnx_graph` reads, written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wakeword.runtime.onnx_graph import (
    FLOAT,
    FLOAT_VALUE,
    GRAPH,
    INT64,
    INT_VALUE,
    INTS,
    TENSOR,
    TEXT,
    TYPES,
    Graph,
    Node,
    Subgraph,
    Value,
)


def write_graph(
    graph: Graph, inputs: Mapping[str, Sequence[int | str]], outputs: Iterable[str]
) -> bytes:
    """A model.onnx of float32 inputs of these shapes (a text is a free dimension)."""
    body = [_message(1, _node_bytes(node)) for node in graph.nodes]
    body.append(_message(2, b"part"))
    body += [_message(5, _tensor_bytes(value, name)) for name, value in graph.constants.items()]
    body += [_message(11, _value_info(name, shape)) for name, shape in inputs.items()]
    body += [_message(12, _value_info(name, None)) for name in outputs]
    opset = _number(2, graph.opset)
    return _number(1, 8) + _message(8, opset) + _message(7, b"".join(body))


def _node_bytes(node: Node) -> bytes:
    names = [_message(1, name.encode()) for name in node.inputs]
    names += [_message(2, name.encode()) for name in node.outputs]
    attributes = [_message(5, _attribute_bytes(*item)) for item in node.attributes.items()]
    return b"".join([*names, _message(4, node.op.encode()), *attributes])


def _attribute_bytes(name: str, value: Value) -> bytes:
    head = _message(1, name.encode())
    if isinstance(value, int):
        return head + _number(3, value) + _number(20, INT_VALUE)
    if isinstance(value, float):
        return head + b"\x15" + np.float32(value).tobytes() + _number(20, FLOAT_VALUE)
    if isinstance(value, bytes):
        return head + _message(4, value) + _number(20, TEXT)
    if isinstance(value, np.ndarray):
        return head + _message(5, _tensor_bytes(value, "")) + _number(20, TENSOR)
    if isinstance(value, Subgraph):
        return head + _message(6, value.data) + _number(20, GRAPH)
    assert isinstance(value, list), "no other value is read"
    return head + b"".join(_number(8, item) for item in value) + _number(20, INTS)


def _tensor_bytes(value: NDArray[Any], name: str) -> bytes:
    kind = FLOAT if value.dtype == np.float32 else INT64
    dims = b"".join(_number(1, size) for size in value.shape)
    raw = np.ascontiguousarray(value, TYPES[kind]).tobytes()
    return dims + _number(2, kind) + _message(8, name.encode()) + _message(9, raw)


def _value_info(name: str, shape: Sequence[int | str] | None) -> bytes:
    tensor = _number(1, FLOAT)
    if shape is not None:
        sizes = [_number(1, d) if isinstance(d, int) else _message(2, d.encode()) for d in shape]
        tensor += _message(2, b"".join(_message(1, size) for size in sizes))
    return _message(1, name.encode()) + _message(2, _message(1, tensor))


def _message(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value % (1 << 64))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
