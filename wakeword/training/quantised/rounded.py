"""An 8-bit network in torch: rounded where ONNX Runtime rounds, its float weights trainable.

Forward it computes what the 8-bit file computes. Backward rounding passes as if it were not there,
and what is clipped has no gradient (Jacob et al. 2018, section 3). The ranges of activations are
those of the file, and batch norm keeps what training measured; each weight's scale follows the
weights of its output channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wakeword.errors import TrainingError
from wakeword.networks import Network
from wakeword.runtime.session import INPUT
from wakeword.training.quantised.convert import WEIGHTED
from wakeword.training.quantised.operators import OPERATORS

if TYPE_CHECKING:
    from onnx import ModelProto

_SUFFIX = "_quantized"
"""What ONNX Runtime adds to the name of a weight that it rounds."""
_ROUND, _BACK = "QuantizeLinear", "DequantizeLinear"
_LEAST_SCALE = 1e-12

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Step:
    """One operator: the names of what it reads and of what it makes."""

    kind: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]


def steps_to_logits(model: ModelProto) -> tuple[Step, ...]:
    """The operators of a network up to its last layer with weights, whose outputs are logits.

    Raises
    ------
    TrainingError
        One of them is not trained here, as recurrent ones are not.
    """
    from onnx import helper

    steps = [
        Step(n.op_type, tuple(filter(None, n.input)), n.output[0],
             {a.name: helper.get_attribute_value(a) for a in n.attribute})
        for n in model.graph.node
    ]  # fmt: skip
    last = max(k for k, step in enumerate(steps) if step.kind in WEIGHTED)
    steps = steps[: last + 1]
    unknown = sorted({step.kind for step in steps} - OPERATORS.keys() - {_ROUND, _BACK})
    if unknown:
        raise TrainingError(
            f"this network cannot be finetuned in 8 bits: it has {', '.join(unknown)}"
        )
    return tuple(steps)


class RoundedNetwork(Network):
    """features (batch, frames, channels) -> logits (batch, labels), as in 8 bits.

    Parameters
    ----------
    model
        The 8-bit network, from ``quantise``.
    exact
        The float network that it was made of, from ``prepared``.
    most
        The largest integer that a weight may be: 127, or 64 in 7 bits.

    Raises
    ------
    TrainingError
        An operator is not trained here, or the network has another number of outputs.
    """

    def __init__(
        self, model: ModelProto, exact: ModelProto, shape: tuple[int, int, int], most: int = 127
    ) -> None:
        super().__init__(*shape)
        self.most = most
        self.steps = steps_to_logits(model)
        self._constants, floats = _initializers(model), _initializers(exact)
        self.weights = nn.ParameterDict()
        self._axes: dict[str, int] = {}
        read = {name for step in self.steps for name in step.inputs}
        for name in sorted(read & self._constants.keys()):
            value = self._constants[name]
            if name.endswith(_SUFFIX):
                weight = floats[name.removesuffix(_SUFFIX)]
                self.weights[_key(name)] = nn.Parameter(torch.tensor(weight))
            elif value.dtype == np.float32 and value.ndim:
                self.register_buffer(_key(name), torch.tensor(value))
        for step in self.steps:
            if step.kind == _BACK and self.is_rounded_weight(step.inputs[0]):
                self._axes[step.inputs[0]] = int(step.attributes.get("axis", 1))
        found = self(torch.zeros(1, *shape[:2])).shape[1]
        if found != self.labels:
            raise TrainingError(f"this network tells {found} labels apart, not {self.labels}")

    def is_rounded_weight(self, name: str) -> bool:
        """Whether ``name`` is a weight in 8 bits: not a bias, which has 32."""
        return name.endswith(_SUFFIX) and self._constants[name].dtype == np.int8

    def forward(self, features: Tensor) -> Tensor:
        values: dict[str, Tensor] = {INPUT: features}
        for step in self.steps:
            values[step.output] = self._made(step, values)
        return values[self.steps[-1].output]

    def activation_scale(self, step: Step) -> NDArray[np.float32]:
        """The scale of what ``step`` rounds, or gives back of what was rounded."""
        return self._constants[step.inputs[1]]

    def weight_scale(self, name: str) -> Tensor:
        """The scale of each output channel of a weight: its largest value is ``most``."""
        weight = self.weights[_key(name)].detach()
        others = [axis for axis in range(weight.dim()) if axis != self._axes[name] % weight.dim()]
        largest: Tensor = weight.abs().amax(others)
        return (largest / self.most).clamp(min=_LEAST_SCALE)

    def rounded_weight(self, name: str) -> tuple[Tensor, Tensor, int]:
        """A weight in float, the scale of each of its output channels, and their axis."""
        weight = cast(Tensor, self.weights[_key(name)])
        return weight, self.weight_scale(name), self._axes[name] % weight.dim()

    def bias(self, name: str) -> Tensor:
        """A bias: its 32 bits are as good as float."""
        return cast(Tensor, self.weights[_key(name)])

    def _made(self, step: Step, values: dict[str, Tensor]) -> Tensor:
        first = step.inputs[0]
        if step.kind == _ROUND:
            scale, zero = float(self.activation_scale(step)), int(self._constants[step.inputs[2]])
            return torch.fake_quantize_per_tensor_affine(values[first], scale, zero, 0, 255)
        if step.kind == _BACK:
            return values[first] if first in values else self._weight(first)
        given = [values[n] if n in values else self._constant(n) for n in step.inputs]
        return OPERATORS[step.kind](given, step.attributes)

    def _weight(self, name: str) -> Tensor:
        if name not in self._axes:
            return self.bias(name)
        weight, scale, axis = self.rounded_weight(name)
        zeros = torch.zeros(len(scale), dtype=torch.int32)
        return torch.fake_quantize_per_channel_affine(
            weight, scale, zeros, axis, -self.most, self.most
        )

    def _constant(self, name: str) -> Tensor | list[int]:
        value = self._constants[name]
        if value.dtype == np.int64:
            sizes: list[int] = value.tolist()
            return sizes
        return cast(Tensor, getattr(self, _key(name)))


def trained_model(network: RoundedNetwork, model: ModelProto) -> bytes:
    """``model``, the 8-bit network that ``network`` was made of, with the weights it has now."""
    from onnx import numpy_helper

    changed: Arrays = {}
    back = {step.output: step for step in network.steps if step.kind == _BACK}
    for step in network.steps:
        if step.kind not in WEIGHTED or step.inputs[1] not in back:
            continue
        heard, weight = back[step.inputs[0]], back[step.inputs[1]]
        value, scale, axis = network.rounded_weight(weight.inputs[0])
        shape = [-1 if k == axis else 1 for k in range(value.dim())]
        steps = (value.detach() / scale.reshape(shape)).round()
        changed[weight.inputs[0]] = steps.numpy().astype(np.int8)
        changed[weight.inputs[1]] = scale.numpy()
        if len(step.inputs) > 2:
            bias, fine = back[step.inputs[2]], scale.numpy() * network.activation_scale(heard)
            exact = network.bias(bias.inputs[0]).detach().numpy() / fine
            changed[bias.inputs[0]] = np.rint(exact).astype(np.int32)
            changed[bias.inputs[1]] = fine
    for constant in model.graph.initializer:
        if constant.name in changed:
            new = changed[constant.name].reshape(list(constant.dims))
            constant.CopyFrom(numpy_helper.from_array(new, constant.name))
    return bytes(model.SerializeToString())


def _initializers(model: ModelProto) -> Arrays:
    from onnx import numpy_helper

    return {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}


def _key(name: str) -> str:
    """Torch takes dots in names for modules."""
    return name.replace(".", "|")
