"""Training that begins with the weights of an earlier model instead of random ones."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wakeword.errors import RecipeError
from wakeword.networks import Network
from wakeword.runtime.bundle import Bundle
from wakeword.training.commands.bundles import commands_of

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

Array = NDArray[np.float32]

# Gates as ONNX orders them to the order of torch: GRU (z, r, h) to (r, z, n), LSTM (i, o, f, c)
# to (i, f, g, o).
_GATES = {"GRU": (1, 0, 2), "LSTM": (0, 2, 3, 1)}


def start_from(model: Network, bundle: Bundle, labels: tuple[str, ...]) -> None:
    """Give ``model`` the weights of the network in ``bundle``, fitted to it.

    The output layer, the last one, keeps its own where the bundle's ``labels`` are others.

    Raises
    ------
    RecipeError
        The bundle holds another network than the recipe asks for.
    """
    stored = model.fitted(weights(bundle.model))
    counted = "num_batches_tracked"  # by batch norm while it learns: no file has it
    state = {k: v for k, v in model.state_dict().items() if not k.endswith(counted)}
    if learnt_labels(bundle) != labels:
        stored = {k: v for k, v in stored.items() if not k.startswith("output.")}
        state = {k: v for k, v in state.items() if not k.startswith("output.")}
    wrong = [k for k, v in state.items() if k not in stored or stored[k].shape != v.shape]
    if wrong or set(stored) != set(state):
        raise RecipeError(
            f"training.start: the network of '{bundle.name}' is not that of this recipe: "
            f"{', '.join(sorted(set(wrong) | (set(stored) ^ set(state))))} differ"
        )
    model.load_state_dict(stored, strict=False)


def blended(model: Network, bundle: Bundle, labels: tuple[str, ...], share: float) -> Network:
    """A copy of ``model`` with ``share`` of the weights of the network that it began with.

    What training forgot comes back, and most of what it learnt stays, as long as the two are not
    far apart (WiSE-FT, Wortsman et al. 2022).

    Raises
    ------
    RecipeError
        The bundle holds another network, or other words.
    """
    if learnt_labels(bundle) != labels:
        raise RecipeError(
            f"training.blend = {share}: the words of '{bundle.name}' are not those of the recipe"
        )
    first, out = copy.deepcopy(model), copy.deepcopy(model)
    start_from(first, bundle, labels)
    with torch.no_grad():
        for mean, began in zip(out.parameters(), first.parameters(), strict=True):
            mean.lerp_(began, share)
    return out


def learnt_labels(bundle: Bundle) -> tuple[str, ...]:
    """What the network of ``bundle`` tells apart: its labels, and words learnt beside them."""
    data, commands = bundle.metadata.training.recipe.get("data"), commands_of(bundle)
    also = data.get("also_words", ()) if isinstance(data, Mapping) else ()
    beside = commands.beside if commands is not None else ()
    return (*bundle.metadata.labels, *map(str, also), *beside)


def weights(model: bytes) -> dict[str, Tensor]:
    """The weights of an exported network under the names that torch gives them."""
    import onnx

    proto = onnx.load_model_from_string(model)
    values = {i.name: onnx.numpy_helper.to_array(i) for i in proto.graph.initializer}
    named = {
        name.rpartition("model.")[2]: torch.tensor(value)
        for name, value in values.items()
        if name.startswith("model.")
    }
    return named | _recurrent(proto, values) | _without_bias(proto, values)


def _without_bias(proto: ModelProto, values: Mapping[str, Array]) -> dict[str, Tensor]:
    """Those of linear layers without bias: ONNX turns them, and leaves the name to the node."""
    return {
        f"{_module(node)}.weight": torch.tensor(values[node.input[1]].T)
        for node in proto.graph.node
        if node.op_type == "MatMul" and node.input[1] in values
        if not node.input[1].startswith("model.")
    }


def _module(node: NodeProto) -> str:
    """The module of torch that a node is from."""
    return str(node.name).strip("/").split("/")[-2]


def _recurrent(proto: ModelProto, values: Mapping[str, Array]) -> dict[str, Tensor]:
    """Those of the recurrent layers: ONNX joins directions and orders gates otherwise."""
    out: dict[str, Tensor] = {}
    layers = [node for node in proto.graph.node if node.op_type in _GATES]
    for k, node in enumerate(layers):
        name = _module(node)
        for d, direction in enumerate(("", "_reverse")):
            own, fed_back, bias = (values[i][d] for i in node.input[1:4])
            halves = np.split(bias, 2)
            for kind, value in (
                ("weight_ih", own),
                ("weight_hh", fed_back),
                ("bias_ih", halves[0]),
                ("bias_hh", halves[1]),
            ):
                gates = np.split(value, len(_GATES[node.op_type]))
                ordered = np.concatenate([gates[g] for g in _GATES[node.op_type]])
                out[f"{name}.{kind}_l{k}{direction}"] = torch.tensor(ordered)
    return out
