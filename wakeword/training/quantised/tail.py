"""The end of a network stays float, and what quantising leaves lying about is put away."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

_PAIR = ("QuantizeLinear", "DequantizeLinear")


def nodes_of_the_tail(model: ModelProto, weighted: Collection[str]) -> list[str]:
    """Names of the nodes behind which no operator of ``weighted`` comes."""
    needed: set[str] = set()
    tail = []
    for node in reversed(model.graph.node):
        if node.op_type in weighted or needed & set(node.output):
            needed |= set(node.input)
        else:
            tail.append(node.name)
    return tail


def tidied(model: ModelProto, tail: Collection[str]) -> ModelProto:
    """The network with a float tail, and without what nothing uses.

    What the last layer gives is not rounded to 8 bits before the tail, and operator sets, shapes
    and descriptions that no run time needs are removed.
    """
    _unround(model, tail)
    used = {node.domain for node in model.graph.node} | {""}
    kept = [o for o in model.opset_import if o.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    del model.graph.value_info[:]
    del model.metadata_props[:]
    for node in model.graph.node:
        node.ClearField("doc_string")
        del node.metadata_props[:]
    return model


def _unround(model: ModelProto, tail: Collection[str]) -> None:
    """Let nodes of the tail read what was there before it was rounded."""
    makers = {out: node for node in model.graph.node for out in node.output}

    def before_rounding(name: str) -> str:
        names = [name]
        for op in reversed(_PAIR):
            maker = makers.get(names[-1])
            if maker is None or maker.op_type != op:
                return name
            names.append(maker.input[0])
        return names[-1]

    for node in model.graph.node:
        if node.name in tail:
            for place, name in enumerate(node.input):
                node.input[place] = before_rounding(name)
    outputs = {output.name for output in model.graph.output}
    _drop_unused(model, outputs)


def _drop_unused(model: ModelProto, outputs: Collection[str]) -> None:
    """Remove nodes and constants that lead to none of ``outputs``."""
    needed: set[str] = set(outputs)
    kept: list[NodeProto] = []
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            needed.update(_takes(node))
            kept.append(node)
    constants = [i for i in model.graph.initializer if i.name in needed]
    del model.graph.node[:]
    model.graph.node.extend(reversed(kept))
    del model.graph.initializer[:]
    model.graph.initializer.extend(constants)


def _takes(node: NodeProto) -> list[str]:
    """The inputs of a node, and all names in its branches: what is made outside of them, too."""
    inner = [n for a in node.attribute if a.HasField("g") for n in a.g.node]
    return [*node.input, *(name for n in inner for name in _takes(n))]
