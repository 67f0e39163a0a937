"""Which networks a search looks at: families, their sizes, and the features they hear.

The grids hold the networks that Zhang et al. 2017 found, or ones near them, and what lies around.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Grid = Mapping[str, Sequence[Any]]

COEFFICIENTS = (10, 20, 40)
HOPS_MS = (20, 40)


@dataclass(frozen=True)
class Space:
    """A family with the values of its parameters.

    grid: every combination is looked at. fixed: parameters that are the same for all. widths:
    those that only make a network wider; of two that differ in nothing else the wider is kept.
    window_ms: length of a frame. coefficients, hops_ms: of the MFCC.
    """

    family: str
    grid: Grid
    widths: tuple[str, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    coefficients: tuple[int, ...] = COEFFICIENTS
    hops_ms: tuple[int, ...] = HOPS_MS
    window_ms: int = 40

    def __post_init__(self) -> None:
        assert set(self.widths) <= set(self.grid), self.widths


def _layers(counts: Sequence[int], units: Sequence[int]) -> list[list[int]]:
    return [[n] * count for count in counts for n in units]


_TC8, _TC14 = (16, 24, 32, 48), (16, 24, 24, 32, 32, 48, 48)
_WIDE = (1, 1), (2, 1), (2, 2)

SPACES: Mapping[str, Space] = {
    "dnn": Space(
        "dnn",
        {"hidden": _layers((2, 3, 4), (64, 96, 128, 144, 192, 256, 320, 384, 436, 512))},
        ("hidden",),
    ),
    "cnn": Space(
        "cnn",
        {
            "filters": [[28, 30], [48, 40], [64, 48], [60, 76], [100, 100]],
            "kernels": [[[10, 4], [10, 4]], [[8, 4], [6, 3]]],
            "strides": [[list(first), [2, 1]] for first in _WIDE],
            "linear": [16, 32, 58],
        },
        ("filters", "linear"),
        {"pools": [[1, 1], [1, 1]], "hidden": [128], "norm": True},
    ),
    "basic-lstm": Space(
        "recurrent",
        {"units": [64, 96, 118, 144, 180, 214, 280, 344, 400]},
        ("units",),
        {"unit": "LSTM"},
    ),
    "lstm": Space(
        "recurrent",
        {"units": [96, 144, 200, 280, 380, 500], "projection": [48, 64, 98, 130, 188]},
        ("units", "projection"),
        {"unit": "LSTM"},
    ),
    "gru": Space(
        "recurrent",
        {"units": [64, 96, 118, 154, 200, 250, 320, 400], "layers": [1, 2]},
        ("units",),
        {"unit": "GRU"},
    ),
    "crnn": Space(
        "conv-gru",
        {
            "filters": [32, 48, 64, 100, 128],
            "stride": [[2, 2], [2, 1]],
            "units": [40, 60, 76, 100, 136],
            "layers": [1, 2],
            "hidden": [84, 164],
        },
        ("filters", "units", "hidden"),
        {"kernel": [10, 4]},
    ),
    "ds-cnn": Space(
        "ds-cnn",
        {
            "filters": [32, 48, 64, 96, 128, 172, 220, 276],
            "blocks": [3, 4, 5, 6],
            "stride": [[2, 2], [2, 1]],
            "block_stride": [[1, 1], [2, 2]],
        },
        ("filters",),
        {"kernel": [10, 4]},
    ),
    "tc-resnet": Space(
        "tc-resnet",
        {
            "width": [0.5, 0.75, 1.0, 1.25, 1.5, 2.0],
            "channels": [list(_TC8), list(_TC14)],
            "kernel": [5, 7, 9],
        },
        ("width",),
        coefficients=(20, 40),
        hops_ms=(10, 20),
        window_ms=30,
    ),
}
"""By the name that the search knows them by: those of Zhang et al. 2017, and TC-ResNet."""
