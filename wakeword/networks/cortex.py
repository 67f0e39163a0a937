"""The networks that Zhang et al. 2017 found for small, medium and large Cortex-M systems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from wakeword.frontend import FrontendConfig, preset
from wakeword.networks.named import NamedNetwork, Printed

SOURCE = "Zhang et al. 2017"
MFCC_40_20 = preset("mfcc-40-20")
MFCC_40_40 = replace(MFCC_40_20, hop_samples=640)
SIZES = ("s", "m", "l")


def cortex_networks() -> Iterator[NamedNetwork]:
    """DNN, CNN, basic LSTM, LSTM, GRU, CRNN; DS-CNN is with those of Choi et al. 2019."""
    small_and_slow = {("lstm", "s"), ("gru", "s")}
    for name, family, title, tables, printed in _TABLE:
        for size, table, figures in zip(SIZES, tables, printed, strict=True):
            slow = name == "dnn" or (name, size) in small_and_slow
            yield _network(f"{name}-{size}", family, f"{title}-{size.upper()}", table,
                           MFCC_40_40 if slow else MFCC_40_20, figures)  # fmt: skip


def _network(
    name: str,
    family: str,
    title: str,
    table: dict[str, Any],
    frontend: FrontendConfig,
    figures: _Figures,
) -> NamedNetwork:
    memory_kb, mflops, accuracy = figures
    printed = Printed(
        SOURCE, mflops=mflops, accuracy=round(accuracy / 100, 4), memory_kb=memory_kb
    )
    return NamedNetwork(name, family, title, table, frontend, 1.0, printed)


def _cnn(first: int, second: int, linear: int) -> dict[str, Any]:
    return {
        "filters": [first, second],
        "kernels": [[10, 4], [10, 4]],
        "strides": [[1, 1], [2, 1]],
        "pools": [[1, 1], [1, 1]],
        "linear": linear,
        "norm": True,
    }


def _crnn(filters: int, bands_step: int, units: int, hidden: int) -> dict[str, Any]:
    return {
        "filters": filters, "stride": [2, bands_step], "units": units, "hidden": hidden,
    }  # fmt: skip


_Figures = tuple[float, float, float]
_TABLE: tuple[tuple[str, str, str, tuple[dict[str, Any], ...], tuple[_Figures, ...]], ...] = (
    ("dnn", "dnn", "DNN",
     ({"hidden": [144] * 3}, {"hidden": [256] * 3}, {"hidden": [436] * 3}),
     ((80.0, 0.1588, 84.6), (199.4, 0.397, 86.4), (496.6, 0.9902, 86.7))),
    ("cnn", "cnn", "CNN",
     (_cnn(28, 30, 16), _cnn(64, 48, 16), _cnn(60, 76, 58)),
     ((79.0, 5.0, 91.6), (199.4, 17.3, 92.2), (497.6, 25.3, 92.7))),
    ("basic-lstm", "recurrent", "Basic LSTM",
     ({"units": 118}, {"units": 214}, {"units": 344}),
     ((63.3, 5.9, 92.0), (196.5, 18.9, 93.0), (494.5, 47.9, 93.4))),
    ("lstm", "recurrent", "LSTM",
     ({"units": 144, "projection": 98}, {"units": 280, "projection": 130},
      {"units": 500, "projection": 188}),
     ((79.5, 3.9, 92.9), (198.6, 19.2, 93.9), (498.8, 48.4, 94.8))),
    ("gru", "recurrent", "GRU",
     ({"unit": "GRU", "units": 154}, {"unit": "GRU", "units": 250}, {"unit": "GRU", "units": 400}),
     ((78.8, 3.8, 93.5), (200.0, 19.2, 94.2), (499.7, 48.4, 94.7))),
    ("crnn", "conv-gru", "CRNN",
     (_crnn(48, 2, 60, 84), _crnn(128, 2, 76, 164), _crnn(100, 1, 136, 188)),
     ((79.7, 3.0, 94.0), (199.8, 7.6, 94.4), (499.5, 19.3, 95.0))),
)  # fmt: skip
"""Name, family, title, parameters by size, and printed: kilobytes, million operations, accuracy."""
