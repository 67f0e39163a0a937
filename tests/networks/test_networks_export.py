"""Every named network as a bundle: ONNX Runtime and streaming give what torch gives."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from bundles import tiny_metadata

from wakeword.errors import TrainingError
from wakeword.networks import NETWORKS, NamedNetwork, Network, build
from wakeword.runtime.bundle import Bundle, describe_model
from wakeword.training.export import check_parity, export_onnx

SLIMMED = {"res15": {"channels": 5}, "res15-narrow": {"channels": 3}, "res8": {"channels": 9}}
"""Of the heaviest, with fewer channels: the graph is the same, and the seconds are fewer."""


def trained_a_little(network: NamedNetwork, labels: int, seed: int = 1) -> Network:
    """Batch norm has seen windows, so that scores are neither all alike nor all 0 and 1."""
    torch.manual_seed(seed)
    table = SLIMMED.get(network.name, {})
    model = build(network.name, table, network.frames, network.channels, labels).train()
    with torch.no_grad():
        for _ in range(20):
            model(20.0 * torch.randn(4, network.frames, network.channels) - 10.0)
    return model.eval()


def bundle_of(network: NamedNetwork, model: Network, folder: Path) -> Bundle:
    metadata = tiny_metadata(frontend=network.frontend, window_frames=network.frames)
    onnx = export_onnx(model, network.frames, network.channels)
    return Bundle(folder, describe_model(metadata, onnx), onnx)


SAME_GRAPH = tuple(f"{n}-{size}" for n in ("dnn", "cnn", "lstm", "gru", "crnn") for size in "ml")


@pytest.mark.parametrize("name", [n for n in NETWORKS if not n.endswith(SAME_GRAPH)])
def test_a_network_streams_as_it_was_trained(name: str, tmp_path: Path) -> None:
    network = NETWORKS[name]
    model = trained_a_little(network, len(tiny_metadata().labels))
    bundle = bundle_of(network, model, tmp_path)
    assert check_parity(model, bundle) < 1e-4


def test_another_network_is_noticed(tmp_path: Path) -> None:
    network = NETWORKS["tc-resnet8"]
    one, other = (trained_a_little(network, 3, seed) for seed in (1, 2))
    with pytest.raises(TrainingError, match="export refused: ONNX Runtime, batch"):
        check_parity(one, bundle_of(network, other, tmp_path))
