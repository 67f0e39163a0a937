"""A network that is given the features of one PCEN and hears those of another.

Nodes of ONNX before its input do what :func:`wakeword.frontend.pcen.recompressed` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from wakeword.frontend.config import PcenConfig
from wakeword.runtime.session import INPUT

if TYPE_CHECKING:
    from onnx import ModelProto

_HEARD = "recompressed"


def given_features_of(given: PcenConfig, model: bytes, own: PcenConfig) -> bytes:
    """model.onnx for features of ``given``, from one for those of ``own``.

    The two may differ in ``delta`` and ``r``; where they are equal, the model stays as it is.
    """
    if given == own:
        return model
    import onnx
    from onnx import helper, numpy_helper

    offset = given.delta**given.r
    steps = (
        ("Add", offset),
        ("Max", offset),
        ("Pow", 1.0 / given.r),
        ("Add", own.delta - given.delta),
        ("Pow", own.r),
        ("Sub", own.delta**own.r),
    )
    proto = onnx.load_model_from_string(model)
    graph = proto.graph
    rename_inputs(proto, {INPUT: _HEARD})
    nodes, last = [], INPUT
    for number, (op, value) in enumerate(steps):
        constant, found = f"{_HEARD}/constant{number}", f"{_HEARD}/{number}"
        graph.initializer.append(numpy_helper.from_array(np.array(value, np.float32), constant))
        nodes.append(helper.make_node(op, [last, constant], [found]))
        last = found
    nodes[-1].output[0] = _HEARD
    for place, node in enumerate(nodes):
        graph.node.insert(place, node)
    onnx.checker.check_model(proto)
    return bytes(proto.SerializeToString())


def rename_inputs(proto: ModelProto, names: Mapping[str, str]) -> None:
    """Let nodes that read a name of ``names`` read what it is mapped to."""
    for node in proto.graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = names.get(name, name)
