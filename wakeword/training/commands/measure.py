"""A bundle on the clips of a split: what its network says of each, all classes told apart.

A bundle names words; silence and unknown are both background in it. The protocol tells them
apart, and the network of a bundle does: only its last step adds them up. So what is measured is
the very model that ships, read one step earlier.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from wakeword.data.commands.trials import CommandTrials
from wakeword.data.manifest import Manifest
from wakeword.errors import EvaluationError
from wakeword.evaluation.commands.figures import CommandResult
from wakeword.runtime import Bundle
from wakeword.runtime.session import INPUT, OUTPUT, open_network
from wakeword.training.commands.bundles import commands_of

if TYPE_CHECKING:
    from onnx import ModelProto

_BATCH = 64
_PASSED_ON = frozenset({"Slice", "QuantizeLinear", "DequantizeLinear"})
"""Operators through which the outputs of all classes go before those of a bundle are made."""


def trials_of(
    bundle: Bundle, manifest: Manifest, noise: Collection[str], split: str, seed: int = 1
) -> CommandTrials:
    """The clips on which ``bundle`` is measured.

    Raises
    ------
    EvaluationError
        It is not a command set, or the split lacks clips.
    """
    config = commands_of(bundle)
    if config is None:
        raise EvaluationError(
            f"model '{bundle.name}' is not a command set: its recipe has no [commands]"
        )
    return CommandTrials(manifest, bundle.words, config, noise, split, seed)


def measure_commands(
    bundle: Bundle, trials: CommandTrials, features: NDArray[np.float32]
) -> CommandResult:
    """Posteriors of all classes for each clip.

    Raises
    ------
    BundleError
        The network cannot be run.
    EvaluationError
        Its last step is not that of a command set.
    """
    classes = len(trials.classes)
    network = open_network(class_network(bundle, classes), bundle.name)
    name = network.get_outputs()[0].name
    parts = [
        np.asarray(network.run([name], {INPUT: features[first : first + _BATCH]})[0])
        for first in range(0, len(features), _BATCH)
    ]
    outputs = np.concatenate(parts)
    if outputs.shape != (len(features), classes):
        raise EvaluationError(
            f"the network of model '{bundle.name}' tells {outputs.shape[1]} classes apart, not the "
            f"{classes} of its recipe"
        )
    posteriors = outputs if name == OUTPUT else softmax(outputs, axis=1)
    seed = bundle.metadata.training.seed
    return CommandResult(bundle.name, seed, trials.classes, trials.labels, posteriors)


def class_network(bundle: Bundle, classes: int) -> bytes:
    """The network of ``bundle`` with the logits of all ``classes`` as its output.

    It is the same where the bundle's own labels are all of them.

    Raises
    ------
    EvaluationError
        The last step is not the one that adds unknown to background.
    """
    import onnx

    if classes == len(bundle.metadata.labels):
        return bundle.model
    model = onnx.load_model_from_string(bundle.model)
    name = _before_merging(model)
    if name is None:
        raise EvaluationError(
            f"the network of model '{bundle.name}' does not end as that of a command set does: "
            "silence and unknown cannot be told apart in it"
        )
    del model.graph.output[:]
    model.graph.output.append(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", classes])
    )
    return bytes(model.SerializeToString())


def _before_merging(model: ModelProto) -> str | None:
    """Name of the logits of all classes: what is cut in two and joined before the softmax."""
    makers = {out: node for node in model.graph.node for out in node.output}

    def up(name: str, through: Collection[str]) -> str:
        while name in makers and makers[name].op_type in through:
            name = makers[name].input[0]
        return name

    joined = up(OUTPUT, {"Softmax", "QuantizeLinear", "DequantizeLinear"})
    if joined not in makers or makers[joined].op_type != "Concat":
        return None
    own = makers[joined].input[-1]
    found = up(own, _PASSED_ON)
    if found == own or found not in makers:
        return None
    return found
