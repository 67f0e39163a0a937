"""Parts of networks against independent references, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given
from hypothesis import strategies as st

from wakeword.errors import ConfigError, RecipeError
from wakeword.networks import build
from wakeword.networks.base import same_conv, same_padding
from wakeword.networks.cnn import CnnConfig
from wakeword.networks.res import ResBlock, ResConfig
from wakeword.networks.tc_resnet import Block, TcResnetConfig


@given(
    size=st.integers(1, 200), kernel=st.integers(1, 30), stride=st.integers(1, 9),
    dilation=st.integers(1, 5),
)  # fmt: skip
def test_same_padding_gives_as_many_positions_as_tensorflow(
    size: int, kernel: int, stride: int, dilation: int
) -> None:
    before, after = same_padding(size, kernel, stride, dilation)
    reach = dilation * (kernel - 1) + 1
    assert before >= 0 and after - before in (0, 1)
    if before + after:
        assert (size + before + after - reach) // stride + 1 == -(-size // stride)


@pytest.mark.parametrize("kernel", [(9, 1), (3, 3), (4, 2)])
def test_a_convolution_is_scipys(kernel: tuple[int, int]) -> None:
    torch.manual_seed(0)
    conv = same_conv(1, 1, kernel, (11, 6))
    x = torch.randn(11, 6)
    weight = next(conv.parameters()).detach().numpy()[0, 0].astype(np.float64)
    full = scipy.signal.correlate2d(x.numpy().astype(np.float64), weight, "full")
    top, left = ((k - 1) - (k - 1) // 2 for k in kernel)
    with torch.no_grad():
        found = conv(x[None, None])[0, 0].numpy()
    np.testing.assert_allclose(found, full[top : top + 11, left : left + 6], atol=1e-5)


def test_a_block_whose_layers_give_nothing_is_its_shortcut() -> None:
    block = Block(4, 4, (9, 1), (20, 1)).eval()
    residual = ResBlock(4, (9, 7), (2, 4)).eval()
    for module in (block, residual):
        for name, parameter in module.named_parameters():
            if "shortcut" not in name:
                torch.nn.init.zeros_(parameter)
    x = torch.randn(2, 4, 20, 1)
    assert torch.equal(block(x), torch.relu(x))
    y = torch.randn(2, 4, 9, 7)
    torch.testing.assert_close(residual(y), y, rtol=1e-4, atol=1e-5)


def test_a_block_that_widens_halves_the_frames() -> None:
    block = Block(4, 6, (9, 1), (99, 1)).eval()
    assert block.size == (50, 1)
    assert block(torch.zeros(1, 4, 99, 1)).shape == (1, 6, 50, 1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: TcResnetConfig(channels=(16,)), lambda: TcResnetConfig(width=0.0),
        lambda: TcResnetConfig(width=0.01), lambda: TcResnetConfig(kernel=0),
        lambda: TcResnetConfig(pool=4), lambda: TcResnetConfig(dropout=1.0),
        lambda: ResConfig(layers=0), lambda: ResConfig(pool=(0, 3)),
        lambda: ResConfig(pool_stride=(-1, 1)), lambda: ResConfig(layers=90, dilated=True),
        lambda: CnnConfig(filters=(3,)), lambda: CnnConfig(linear=0),
        lambda: CnnConfig(kernels=((0, 0), (1, 1))), lambda: CnnConfig(dropout=float("nan")),
    ],
)  # fmt: skip
def test_impossible_parameters_are_refused(make: Any) -> None:
    with pytest.raises(ConfigError):
        make()


@pytest.mark.parametrize(
    ("name", "window", "says"),
    [
        ("cnn-1", (49, 7), "20 frames by 8 channels with pooling of 1 by 3 .* fit into 49 by 7"),
        ("cnn-1", (25, 40), "10 frames by 4 channels .* does not fit into 6 by 11"),
        ("cnn-1", (49, 10), "published for 49 by 40"),
        ("cnn-2", (49, 7), "does not fit into 49 by 7"),
        ("res8", (98, 2), "pooling of 4 frames by 3 channels does not fit into 98 by 2"),
        ("2d-resnet8-pool", (98, 3), "pool = 4 does not fit into 98 frames by 3 channels"),
        ("tc-resnet8", (0, 40), "at least one frame"),
    ],
)
def test_a_front_end_that_does_not_match_is_refused(
    name: str, window: tuple[int, int], says: str
) -> None:
    with pytest.raises(RecipeError, match=says):
        build(name, {}, *window, 3)


def test_parameters_override_those_of_the_named_network() -> None:
    small, usual = (build("tc-resnet14", t, 98, 40, 3) for t in ({"width": 0.5}, {}))
    assert small.state_dict()["output.weight"].shape == (3, 24)
    assert usual.state_dict()["output.weight"].shape == (3, 48)
    with pytest.raises(RecipeError, match=r"network \(tc-resnet14\): unknown key 'filters'"):
        build("tc-resnet14", {"filters": 3}, 98, 40, 3)
