"""Networks in 8 bits in torch: they compute what ONNX Runtime does, and go back into the file."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from processor import bits_of_weights

from wakeword.errors import TrainingError
from wakeword.networks import NETWORKS, Network, build_named
from wakeword.runtime.session import INPUT, open_network, run_network
from wakeword.training.export import export_onnx
from wakeword.training.quantised.convert import Quantised, prepared, quantise
from wakeword.training.quantised.rounded import RoundedNetwork, steps_to_logits, trained_model

LABELS = 5
Windows = NDArray[np.float32]


def measured(network: Network, windows: Windows) -> Network:
    """The network after its batch norms have measured something, as training leaves it."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1.0 + 0.2 * torch.randn_like(parameter))
        network.train()(torch.from_numpy(windows))
    return network.eval()


def in_8_bits(
    network: Network, windows: Windows, seven: bool = False
) -> tuple[Quantised, RoundedNetwork]:
    model = export_onnx(network, *windows.shape[1:])
    made = quantise(model, windows, seven_bit_weights=seven)
    shape = (network.frames, network.channels, network.labels)
    most = 64 if seven else 127
    return made, RoundedNetwork(
        onnx.load_from_string(made.model), prepared(model), shape, most
    )


def named(name: str) -> tuple[Network, Windows]:
    torch.manual_seed(1)
    network = NETWORKS[name]
    shape = (16, network.frames, network.channels)
    windows = np.random.default_rng(2).normal(0.3, 1.0, shape).astype(np.float32)
    return measured(build_named(name, LABELS), windows), windows


def logits(made: bytes, windows: Windows) -> Windows:
    """What the 8-bit file computes before its softmax."""
    model = onnx.load_from_string(made)
    name = steps_to_logits(model)[-1].output
    model.graph.output.append(onnx.helper.make_tensor_value_info(name, 1, None))
    session = open_network(bytes(model.SerializeToString()), "x")
    return np.asarray(run_network(session, name, {INPUT: windows}, "x"))


def assert_agree(network: RoundedNetwork, made: bytes, windows: Windows) -> None:
    """To a step of the last rounding: what the layer before it hands on may differ by one."""
    with torch.no_grad():
        expected = network(torch.from_numpy(windows)).numpy()
    found = logits(made, windows)
    step = np.abs(found).max() / 127.0
    difference = np.abs(found - expected)
    assert np.median(difference) < 0.5 * step and difference.max() < 2.0 * step


@bits_of_weights
@pytest.mark.parametrize(
    "name", ["tc-resnet8", "2d-resnet8-pool", "ds-cnn-s", "dnn-s", "cnn-1", "cnn-2", "cnn-s",
             "res8-narrow"],
)  # fmt: skip
def test_torch_computes_what_onnx_runtime_does(name: str, seven: bool) -> None:
    network, windows = named(name)
    made, rounded = in_8_bits(network, windows, seven)
    assert_agree(rounded, made.model, windows)
    with torch.no_grad():
        exact = network(torch.from_numpy(windows)).numpy()
        as_rounded = rounded(torch.from_numpy(windows)).numpy()
    assert np.abs(exact - as_rounded).max() > 1e-4  # it is rounded


def test_seven_bits_are_seven_bits_here_too() -> None:
    network, windows = named("tc-resnet8")
    made, rounded = in_8_bits(network, windows, seven=True)
    file = onnx.load_from_string(trained_model(rounded, onnx.load_from_string(made.model)))
    kept = [numpy_helper.to_array(i) for i in file.graph.initializer]
    assert max(np.abs(v).max() for v in kept if v.dtype == np.int8) == 64


def test_untrained_weights_go_back_as_they_were() -> None:
    """Biases and weights of both kinds of layers, but for a rounding of the scales."""
    network, windows = named("ds-cnn-s")
    made, rounded = in_8_bits(network, windows)
    before = onnx.load_from_string(made.model)
    after = onnx.load_from_string(trained_model(rounded, onnx.load_from_string(made.model)))
    for old, new in zip(before.graph.initializer, after.graph.initializer, strict=True):
        assert (old.name, old.data_type, list(old.dims)) == (
            new.name, new.data_type, list(new.dims)
        )  # fmt: skip
        first, second = numpy_helper.to_array(old), numpy_helper.to_array(new)
        if first.dtype == np.float32:
            np.testing.assert_allclose(first, second, rtol=1e-5)
        else:
            assert np.abs(first.astype(np.int64) - second).max() <= 1


@bits_of_weights
def test_trained_weights_go_back_into_the_file(seven: bool) -> None:
    network, windows = named("tc-resnet8")
    made, rounded = in_8_bits(network, windows, seven)
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in rounded.parameters():
            parameter.mul_(1.0 + 0.3 * torch.rand_like(parameter))
    before, after = logits(made.model, windows), rounded(torch.from_numpy(windows)).detach().numpy()
    assert np.abs(before - after).max() > 0.1 * np.abs(before).max()
    trained = trained_model(rounded, onnx.load_from_string(made.model))
    assert_agree(rounded, trained, windows)


def test_gradients_pass_rounding_and_stop_where_it_clips() -> None:
    network, windows = named("dnn-s")
    _, rounded = in_8_bits(network, windows)
    heard = torch.from_numpy(10.0 * windows).requires_grad_()
    rounded(heard).sum().backward()
    assert heard.grad is not None
    step = (windows.max() - windows.min()) / 255.0  # the zero point is moved by half of one
    tenfold = 10.0 * windows
    outside = (tenfold > windows.max() + step) | (tenfold < windows.min() - step)
    assert (heard.grad.numpy()[outside] == 0.0).all()
    assert (heard.grad.numpy()[~outside] != 0.0).any()
    assert all(p.grad is not None and p.grad.abs().max() > 0.0 for p in rounded.parameters())


@pytest.mark.parametrize("name", ["gru-s", "crnn", "lstm-s"])
def test_recurrent_networks_are_refused(name: str) -> None:
    network = NETWORKS[name]
    model = export_onnx(build_named(name, LABELS).eval(), network.frames, network.channels)
    with pytest.raises(TrainingError, match="cannot be finetuned in 8 bits: it has "):
        steps_to_logits(prepared(model))


def test_a_network_with_other_outputs_is_refused() -> None:
    network, windows = named("dnn-s")
    model = export_onnx(network, *windows.shape[1:])
    made = onnx.load_from_string(quantise(model, windows).model)
    with pytest.raises(TrainingError, match="tells 5 labels apart, not 6"):
        RoundedNetwork(made, prepared(model), (network.frames, network.channels, 6))
