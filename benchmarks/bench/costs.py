"""What a network costs, trained or not: numbers, operations, sizes, and times beside the CRNN."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from wakeword.cli.networks import record_of
from wakeword.frontend import FrontendConfig
from wakeword.networks import NETWORKS, NamedNetwork, build_named
from wakeword.runtime import Bundle
from wakeword.runtime.bundle import describe_model
from wakeword.runtime.sections import TrainingRecord
from wakeword.training.network_defaults import scaled_windows
from wakeword.training.packing import as_bundle
from wakeword.training.quantised.convert import quantise
from wakeword.training.quantised.timing import stream_ms, window_ms
from wakeword.training.recipe import BundleSection, DataSection, NetworkSection, Recipe
from wakeword.training.windows import WindowConfig

LABELS = 12
"""As in the papers: what their figures are for."""
STREAMS = 32
_WINDOWS = 64


def costs_of(name: str, shipped: Bundle) -> dict[str, Any]:
    """Figures of a network with random weights; times in turns with ``shipped``.

    The front end and the window are those of its paper.
    """
    named = NETWORKS[name]
    record = record_of(named, LABELS)
    printed = named.printed
    return {
        "network": name,
        "title": named.title,
        "parameters": record["all_parameters"],
        "printed_parameters": printed and _thousands(printed.parameters_thousands),
        "mflop": record["flops"] / 1e6,
        "printed_mflop": printed and printed.mflops,
        **_measured(untrained(named), shipped),
        "printed_ms": printed and printed.time_ms,
        "printed_accuracy": printed and printed.accuracy,
        "printed_by": printed and printed.source,
    }


def costs_of_bundle(bundle: Bundle, shipped: Bundle) -> dict[str, Any]:
    """The same of a network of no paper, for its own labels, front end and window."""
    m = bundle.metadata
    nothing = ("printed_parameters", "printed_mflop", "printed_ms", "printed_accuracy",
               "printed_by")  # fmt: skip
    return {
        "network": bundle.name,
        "title": m.description,
        "parameters": m.model.parameters,
        "mflop": m.model.flops_per_window / 1e6,
        **_measured(bundle, shipped),
        **dict.fromkeys(nothing),
    }


def _measured(bundle: Bundle, shipped: Bundle) -> dict[str, Any]:
    """Sizes and times, in float and in 8 bits."""
    made = in_8_bits(bundle)
    windows = window_ms((shipped, bundle, made.bundle), 1)
    streams = stream_ms((shipped, bundle, made.bundle), STREAMS)
    return {
        "kib": len(bundle.model) / 1024,
        "int8_kib": len(made.bundle.model) / 1024,
        "int8_float_share": made.float_share,
        "int8_in_float": made.in_float,
        "window_ms": windows[1],
        "window_beside_crnn": windows[1] / windows[0],
        "int8_window_beside_float": windows[2] / windows[1],
        "stream_ms": streams[1],
        "stream_beside_crnn": streams[1] / streams[0],
        "int8_stream_beside_float": streams[2] / streams[1],
    }


class InEightBits:
    """An 8-bit bundle, and what of it stayed float."""

    def __init__(self, bundle: Bundle, windows: np.ndarray[Any, np.dtype[np.float32]]) -> None:
        made = quantise(bundle.model, windows)
        self.bundle = Bundle(
            Path("."), describe_model(bundle.metadata, made.model), made.model
        )
        self.float_share, self.in_float = made.float_share, dict(made.in_float)


def in_8_bits(bundle: Bundle) -> InEightBits:
    """With ranges of random windows: good for sizes and times, and for nothing else."""
    m = bundle.metadata
    shape = (_WINDOWS, m.window_frames, m.frontend.channels)
    return InEightBits(bundle, np.random.default_rng(0).normal(0, 1, shape).astype(np.float32))


def untrained(named: NamedNetwork) -> Bundle:
    """A bundle with random weights that streams as a trained one."""
    torch.manual_seed(0)
    windows = scaled_windows(WindowConfig(), FrontendConfig(), named.frontend, named.frames)
    recipe = Recipe(
        BundleSection(named.name, tuple(f"word {k}" for k in range(1, LABELS))),
        DataSection("", {}),
        frontend=named.frontend,
        network=NetworkSection(named.name),
        windows=windows,
    )
    record = TrainingRecord({}, 0, (), "", {})
    return as_bundle(build_named(named.name, LABELS), recipe, record, Path("."), 3)


def _thousands(value: float | None) -> float | None:
    return None if value is None else 1000.0 * value
