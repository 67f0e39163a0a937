"""A look inside model.onnx before any run time loads it: is all of the network in this file?

An ONNX file may say that its weights lie in other files, anywhere on the disk. A bundle's
checksum would not cover those, so a network must be whole. Only the protobuf framing is
read here; what the operators mean is left to ONNX Runtime.
"""

from __future__ import annotations

from collections.abc import Iterator

from wakeword.errors import BundleError

# Which fields of which message of onnx.proto lead to a tensor: message -> field -> message.
_MESSAGES: dict[str, dict[int, str]] = {
    "Model": {7: "Graph", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Function": {7: "Node", 11: "Attribute"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Node": {5: "Attribute"},
    "Attribute": {
        5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "SparseTensor", 23: "SparseTensor",
    },
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
    "Tensor": {},
}  # fmt: skip
_GRAPH_FIELD = 7
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_MAX_DEPTH = 64


def check_self_contained(model: bytes) -> None:
    """Refuse a file that is no ONNX model or keeps weights elsewhere.

    Raises
    ------
    BundleError
    """
    try:
        view = memoryview(model)
        if not any(number == _GRAPH_FIELD for number, _ in fields(view)):
            raise ValueError("it holds no graph")
        _check(view, "Model", 0)
    except (ValueError, IndexError) as why:
        raise BundleError(f"the model is not a readable ONNX file: {why}") from None


def _check(message: memoryview, kind: str, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ValueError(f"it is nested more than {_MAX_DEPTH} levels deep")
    inside = _MESSAGES[kind]
    for number, value in fields(message):
        if kind == "Tensor" and (
            number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0)
        ):
            raise BundleError(
                "the model keeps weights in other files (ONNX external data); "
                "a bundle's model.onnx must hold all of them"
            )
        if number in inside and isinstance(value, memoryview):
            _check(value, inside[number], depth + 1)


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield (field number, integer or bytes) of one protobuf message."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        number, wire = key >> 3, key & 7
        value: int | memoryview
        if wire == 0:
            value, at = varint(message, at)
        else:
            if wire == 2:
                size, at = varint(message, at)
            elif wire in (1, 5):
                size = 8 if wire == 1 else 4
            else:
                raise ValueError(f"unknown protobuf wire type {wire}")
            if at + size > len(message):
                raise ValueError("it is cut short")
            value, at = message[at : at + size], at + size
        yield number, value


def varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number at ``at``, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise ValueError("it is cut short")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("it holds a number that is too long")
