"""What every network of the registry is, and the layers that several families share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from wakeword.errors import ConfigError

Pair = tuple[int, int]
"""Frames and channels."""


class Network(nn.Module):
    """features (batch, frames, channels) -> logits (batch, labels).

    A network is made for one window: ``frames`` and ``channels`` say which.
    """

    def __init__(self, frames: int, channels: int, labels: int) -> None:
        super().__init__()
        if min(frames, channels, labels) < 1:
            raise ConfigError(
                f"a network needs at least one frame, channel and label, not {frames} frames, "
                f"{channels} channels and {labels} labels"
            )
        self.frames, self.channels, self.labels = frames, channels, labels

    def fitted(self, stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``stored``, the weights of another network, as far as they can be made to fit here."""
        return dict(stored)


class Residual(nn.Module):
    """A block whose inputs are needed again at its end, so stay in memory beside its layers."""


def same_padding(size: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Zeros before and after so that ``ceil(size / stride)`` positions fit ('same' padding).

    Where they are an odd number, the one more comes after, as TensorFlow has it, in which the
    networks of the papers were written.
    """
    reach = dilation * (kernel - 1) + 1
    total = max(0, (-(-size // stride) - 1) * stride + reach - size)
    return total // 2, total - total // 2


def same_conv(
    inputs: int,
    outputs: int,
    kernel: Pair,
    size: Pair,
    stride: Pair = (1, 1),
    dilation: int = 1,
    groups: int = 1,
) -> nn.Sequential:
    """A convolution over frames and channels of ``size``, 'same' padding, without bias."""
    (top, bottom), (left, right) = (
        same_padding(n, k, s, dilation) for n, k, s in zip(size, kernel, stride, strict=True)
    )
    if (top, left) == (bottom, right):
        padding = (top, left)
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias=False)
        )
    return nn.Sequential(
        nn.ZeroPad2d((left, right, top, bottom)),
        nn.Conv2d(inputs, outputs, kernel, stride, 0, dilation, groups, bias=False),
    )


def strided(size: Pair, stride: Pair) -> Pair:
    """Positions of a 'same' convolution."""
    return -(-size[0] // stride[0]), -(-size[1] // stride[1])


def check_share(name: str, value: float) -> None:
    """Refuse a dropout that is none."""
    if not 0.0 <= value < 1.0:
        raise ConfigError(f"{name} = {value} must be in [0, 1)")


def check_sizes(where: str, most: int = 4096, **sizes: int | Sequence[int]) -> None:
    """Refuse sizes that are not between 1 and ``most``."""
    for name, value in sizes.items():
        numbers = (value,) if isinstance(value, int) else value
        if not all(1 <= n <= most for n in numbers):
            raise ConfigError(f"{where}: {name} = {value} must be between 1 and {most}")
