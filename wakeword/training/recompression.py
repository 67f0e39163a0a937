"""A network that is given the features of one front end and hears those of another.

Nodes of ONNX before its input do what :func:`wakeword.frontend.derived.features_of` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from wakeword.frontend import FrontendConfig
from wakeword.frontend.derived import channels_of
from wakeword.runtime.session import INPUT

if TYPE_CHECKING:
    from onnx import ModelProto

_HEARD = "recompressed"


def given_features_of(given: FrontendConfig, model: bytes, own: FrontendConfig) -> bytes:
    """model.onnx for features of ``given``, from one for those of ``own``, which these hold.

    Where the two are equal, the model stays as it is.
    """
    steps = [*_picked(given, own), *_recompressed(given, own)]
    if not steps:
        return model
    import onnx
    from onnx import helper, numpy_helper

    proto = onnx.load_model_from_string(model)
    graph = proto.graph
    rename_inputs(proto, {INPUT: _HEARD})
    graph.input[0].type.tensor_type.shape.dim[2].dim_value = given.channels
    nodes, last = [], INPUT
    for number, (op, *values) in enumerate(steps):
        names = [f"{_HEARD}/constant{number}.{place}" for place in range(len(values))]
        for value, name in zip(values, names, strict=True):
            graph.initializer.append(numpy_helper.from_array(value, name))
        nodes.append(helper.make_node(op, [last, *names], [f"{_HEARD}/{number}"]))
        last = f"{_HEARD}/{number}"
    nodes[-1].output[0] = _HEARD
    for place, node in enumerate(nodes):
        graph.node.insert(place, node)
    onnx.checker.check_model(proto)
    return bytes(proto.SerializeToString())


Step = tuple[Any, ...]
"""An operator of ONNX, and its inputs after the first one."""


def _picked(given: FrontendConfig, own: FrontendConfig) -> Iterator[Step]:
    """Its own channels, where others are given too."""
    first, end = channels_of(own, given)
    if (first, end) != (0, given.channels):
        yield "Slice", *(np.array([value], np.int64) for value in (first, end, 2))


def _recompressed(given: FrontendConfig, own: FrontendConfig) -> Iterator[Step]:
    """The compression of its own PCEN, where another one is given."""
    was, wanted = given.pcen, own.pcen
    if own.kind != "pcen" or was == wanted:
        return
    offset = was.delta**was.r
    yield from (
        (op, np.array(value, np.float32))
        for op, value in (
            ("Add", offset),
            ("Max", offset),
            ("Pow", 1.0 / was.r),
            ("Add", wanted.delta - was.delta),
            ("Pow", wanted.r),
            ("Sub", wanted.delta**wanted.r),
        )
    )


def rename_inputs(proto: ModelProto, names: Mapping[str, str]) -> None:
    """Let nodes that read a name of ``names`` read what it is mapped to."""
    for node in proto.graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = names.get(name, name)
