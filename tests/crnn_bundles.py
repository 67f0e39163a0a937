"""Bundles with networks of random weights, as training exports them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from bundles import tiny_metadata

from wakeword.networks.crnn import Crnn, CrnnConfig
from wakeword.runtime import Bundle, BundleMetadata
from wakeword.runtime.bundle import describe_model
from wakeword.training.ensemble import EnsembleName, join, mean_of_networks
from wakeword.training.export import export_onnx
from wakeword.training.recompression import given_features_of
from wakeword.training.second_look import Asked


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
    return _mean(members[0].metadata, *(member.model for member in members))


def recompressed_bundle(config: CrnnConfig) -> Bundle:
    """The mean of four: two of an own PCEN and two, themselves a mean, of others."""
    first, *others = (crnn_bundle(config, seed) for seed in range(4))
    m, front = first.metadata, first.metadata.frontend
    flat = replace(front, pcen=replace(front.pcen, delta=0.5, r=0.25))
    flatter = replace(front, pcen=replace(front.pcen, delta=0.1, r=0.2))
    pair = mean_of_networks([others[0].model, given_features_of(flat, others[1].model, flatter)])
    return _mean(m, first.model, given_features_of(front, pair, flat), others[2].model)


def asking_bundle(config: CrnnConfig, asked_from: float) -> Bundle:
    """The mean of two, and a third network that is asked where these give a word so much."""
    first, second, third = (crnn_bundle(config, seed) for seed in range(3))
    return join([first, second], EnsembleName("asking"), Asked((third,), asked_from))


def _mean(metadata: BundleMetadata, *models: bytes) -> Bundle:
    model = mean_of_networks(models)
    return Bundle(Path("."), describe_model(metadata, model), model)
