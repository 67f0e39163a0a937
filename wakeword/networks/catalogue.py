"""Networks by the names of the papers: family, parameters, front end, and what was printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from wakeword.frontend import FrontendConfig, preset
from wakeword.networks.cortex import MFCC_40_20, cortex_networks
from wakeword.networks.named import NamedNetwork, Printed

MFCC_30_10 = preset("mfcc-30-10")
MFCC_40_20_WIDE = replace(MFCC_40_20, n_mfcc=40)


def _choi(
    thousands: float,
    mflops: float,
    accuracy: float,
    time_ms: float,
    table: int = 1,
    memory_kb: float | None = None,
) -> Printed:
    source = f"Choi et al. 2019, Table {table}"
    return Printed(source, thousands, mflops, round(accuracy / 100, 4), time_ms, memory_kb)


_TC8, _TC14 = {"channels": [16, 24, 32, 48]}, {"channels": [16, 24, 24, 32, 32, 48, 48]}
# A first convolution of 23 filters, where TC-ResNet8 has 16, gives as many parameters.
_2D = {"channels": [23, 24, 32, 48], "kernel": 3, "dimensions": 2}
_NARROW = {"channels": 19}
_RES15 = {"layers": 13, "pool": [1, 1], "dilated": True}
_FSTRIDE4 = {
    "filters": [186],
    "kernels": [[0, 8]],
    "strides": [[1, 4]],
    "pools": [[1, 1]],
    "hidden": [128, 128],
}
_DS_M = {"filters": 172, "stride": [2, 1], "block_stride": [2, 2]}
_DS_L = _DS_M | {"filters": 276, "blocks": 5}

_CHOI = (
    NamedNetwork("cnn-1", "cnn", "CNN-1, cnn-trad-fpool3", {}, MFCC_40_20_WIDE, 1.0,
                 _choi(524, 76.1, 90.7, 32.0, 1)),
    NamedNetwork("cnn-2", "cnn", "CNN-2, cnn-one-fstride4", _FSTRIDE4, MFCC_40_20_WIDE, 1.0,
                 _choi(148, 1.5, 84.6, 1.2, 1)),
    NamedNetwork("ds-cnn-s", "ds-cnn", "DS-CNN-S", {}, MFCC_40_20, 1.0,
                 _choi(24, 5.4, 94.4, 1.6, 1, 38.6)),
    NamedNetwork("ds-cnn-m", "ds-cnn", "DS-CNN-M", _DS_M, MFCC_40_20, 1.0,
                 _choi(140, 19.8, 94.9, 5.2, 1, 189.2)),
    NamedNetwork("ds-cnn-l", "ds-cnn", "DS-CNN-L", _DS_L, MFCC_40_20, 1.0,
                 _choi(420, 56.9, 95.4, 16.8, 1, 497.6)),
    NamedNetwork("res8-narrow", "res", "Res8-Narrow", _NARROW, MFCC_30_10, 1.0,
                 _choi(20, 143.2, 90.1, 47.0, 1)),
    NamedNetwork("res8", "res", "Res8", {}, MFCC_30_10, 1.0,
                 _choi(111, 795.3, 94.1, 174.0, 1)),
    NamedNetwork("res15-narrow", "res", "Res15-Narrow", _RES15 | _NARROW, MFCC_30_10, 1.0,
                 _choi(43, 348.7, 94.0, 107.0, 1)),
    NamedNetwork("res15", "res", "Res15", _RES15, MFCC_30_10, 1.0,
                 _choi(239, 1950.0, 95.8, 424.0, 1)),
    NamedNetwork("tc-resnet8", "tc-resnet", "TC-ResNet8", _TC8, MFCC_30_10, 1.0,
                 _choi(66, 3.0, 96.1, 1.1, 1)),
    NamedNetwork("tc-resnet8-1.5", "tc-resnet", "TC-ResNet8-1.5", _TC8 | {"width": 1.5},
                 MFCC_30_10, 1.0, _choi(145, 6.6, 96.2, 2.8, 1)),
    NamedNetwork("tc-resnet14", "tc-resnet", "TC-ResNet14", _TC14, MFCC_30_10, 1.0,
                 _choi(137, 6.1, 96.2, 2.5, 1)),
    NamedNetwork("tc-resnet14-1.5", "tc-resnet", "TC-ResNet14-1.5", _TC14 | {"width": 1.5},
                 MFCC_30_10, 1.0, _choi(305, 13.4, 96.6, 5.7, 1)),
    NamedNetwork("2d-resnet8", "tc-resnet", "2D-ResNet8", _2D, MFCC_30_10, 1.0,
                 _choi(66, 35.8, 96.1, 10.1, 2)),
    NamedNetwork("2d-resnet8-pool", "tc-resnet", "2D-ResNet8-Pool", _2D | {"pool": 4},
                 MFCC_30_10, 1.0, _choi(66, 4.0, 94.9, 3.5, 2)),
)  # fmt: skip
_ARIK = NamedNetwork(
    "crnn", "crnn", "CRNN of Arik et al.", {}, FrontendConfig(), 1.525,
    Printed("Arik et al. 2017, Table 1", 229),
)  # fmt: skip

NETWORKS: Mapping[str, NamedNetwork] = {n.name: n for n in (_ARIK, *_CHOI, *cortex_networks())}
"""Every network that has a name; the first is what recipes get that name none."""
