"""Bundles with networks of random weights, as training exports them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from bundles import tiny_metadata

from wakeword.networks.crnn import Crnn, CrnnConfig
from wakeword.runtime import Bundle
from wakeword.runtime.bundle import describe_model
from wakeword.training.ensemble import mean_of_networks
from wakeword.training.export import export_onnx


def crnn_bundle(config: CrnnConfig, seed: int = 0, **changes: Any) -> Bundle:
    """Of the words of the tiny bundle; ``changes`` replaces its metadata."""
    metadata = tiny_metadata(**changes)
    frames, channels = metadata.window_frames, metadata.frontend.channels
    torch.manual_seed(seed)
    network = Crnn(config, frames, channels, len(metadata.labels))
    with torch.no_grad():  # fresh weights would answer much the same to everything
        for weights in network.parameters():
            weights *= 3.0
    model = export_onnx(network, frames, channels)
    return Bundle(Path("."), describe_model(metadata, model), model)


def mean_bundle(*configs: CrnnConfig) -> Bundle:
    """The mean of such networks, each with other weights."""
    members = [crnn_bundle(config, seed) for seed, config in enumerate(configs)]
    model = mean_of_networks([member.model for member in members])
    return Bundle(Path("."), describe_model(members[0].metadata, model), model)
