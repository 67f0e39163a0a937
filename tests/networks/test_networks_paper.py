"""Every named network against what its paper prints, and every count against torch's own."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from wakeword.networks import (
    FAMILIES,
    NETWORKS,
    NamedNetwork,
    build,
    build_named,
    flops_per_window,
    macs,
    total_parameters,
)

CLASSES = 12
SIZES = {"s": "small", "m": "medium", "l": "large"}
CHOI = [n for n in NETWORKS.values() if n.printed and "Choi" in n.printed.source]

PRINTED_OTHERWISE = {"res8": 71.4, "res8-narrow": 13.5, "res15": 1860.7, "res15-narrow": 332.5}
"""MFLOPs that are not as printed, by more than 3 %; two tests below have the reasons."""


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Networks this small only lose by more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_all_networks_of_both_tables_are_there() -> None:
    printed = sorted(n.printed.parameters_thousands or 0 for n in CHOI if n.printed)
    assert printed == sorted(
        [66, 145, 137, 305, 24, 140, 420, 20, 111, 43, 239, 524, 148, 66, 66]
    )


@pytest.mark.parametrize("network", CHOI, ids=lambda n: n.name)
def test_all_parameters_are_as_many_thousand_as_printed(network: NamedNetwork) -> None:
    assert network.printed
    found = total_parameters(build_named(network.name, CLASSES))
    assert round(found / 1000) == network.printed.parameters_thousands


@pytest.mark.parametrize("network", CHOI, ids=lambda n: n.name)
def test_operations_are_those_printed(network: NamedNetwork) -> None:
    """TensorFlow's profiler also counts additions and batch norm: up to 3 % more."""
    assert network.printed and network.printed.mflops
    found = flops_per_window(build_named(network.name, CLASSES)) / 1e6
    if network.name in PRINTED_OTHERWISE:
        assert found == pytest.approx(PRINTED_OTHERWISE[network.name], abs=0.05)
    else:
        assert -0.03 < found / network.printed.mflops - 1.0 < 0.02


@pytest.mark.parametrize(("name", "printed"), [("res8", 795.3), ("res8-narrow", 143.2)])
def test_printed_operations_of_res8_are_those_of_pooling_with_a_stride_of_one(
    name: str, printed: float
) -> None:
    as_counted = build(name, {"pool_stride": [1, 1]}, 98, 40, CLASSES)
    assert flops_per_window(as_counted) / 1e6 == pytest.approx(printed, rel=0.01)
    assert total_parameters(as_counted) == total_parameters(build(name, {}, 98, 40, CLASSES))


@pytest.mark.parametrize(
    ("name", "channels", "printed"), [("res15", 45, 1950.0), ("res15-narrow", 19, 348.7)]
)
def test_printed_operations_of_res15_are_those_of_padded_dilations(
    name: str, channels: int, printed: float
) -> None:
    """TensorFlow splits a dilated image into interleaved ones, and pads it so that they fit."""
    rates = [2 ** (i // 3) for i in range(13)]
    padded = sum(math.ceil(98 / r) * r * math.ceil(40 / r) * r for r in rates)
    counted = 98 * 40 * 9 * channels + padded * 9 * channels**2 + channels * CLASSES
    assert 2 * counted / 1e6 == pytest.approx(printed, rel=0.003)
    plain = 98 * 40 * (9 * channels + 13 * 9 * channels**2) + channels * CLASSES
    assert macs(build_named(name, CLASSES)) == plain


@pytest.mark.parametrize("name", [n for n in NETWORKS if "basic-lstm" not in n])
def test_multiply_accumulates_are_those_that_torch_runs(name: str) -> None:
    """Torch's own counter, which does not know torch's LSTMs."""
    model = build_named(name, CLASSES)
    with FlopCounterMode(display=False) as counter:
        model.eval()(torch.zeros(1, model.frames, model.channels))
    assert flops_per_window(model) == counter.get_total_flops()


def test_counting_leaves_a_network_as_it_was() -> None:
    model = build_named("tc-resnet8", 3).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert macs(model) == macs(model) > 0
    assert model.training and not any(m._forward_hooks for m in model.modules())
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())


@pytest.mark.parametrize("name", NETWORKS)
def test_one_logit_for_each_label_and_window(name: str) -> None:
    torch.manual_seed(1)
    model = build_named(name, 5).eval()
    windows = torch.randn(3, model.frames, model.channels)
    with torch.no_grad():
        together = model(windows)
        alone = torch.cat([model(w[None]) for w in windows])
    assert together.shape == (3, 5)
    assert torch.allclose(together, alone, atol=1e-4 * float(together.abs().max()))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_learns(name: str) -> None:
    torch.manual_seed(1)
    model = build_named(name, 2).train()
    windows = 3.0 * torch.randn(2, model.frames, model.channels)
    torch.autograd.backward(torch.nn.functional.cross_entropy(model(windows), torch.arange(2)))
    still = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert not still


def test_every_family_has_defaults_of_its_own() -> None:
    """But for ``nas``, whose networks are those of a genotype; one has no name of a paper."""
    assert {n.family for n in NETWORKS.values()} == set(FAMILIES) - {"nas", "speech-embedding"}
    for family in set(FAMILIES) - {"nas"}:
        config, _ = FAMILIES[family]
        assert config() == config()
