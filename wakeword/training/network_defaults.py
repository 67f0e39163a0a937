"""Front end and windows of a recipe that names a network of a paper and says no more."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from wakeword.frontend import FrontendConfig
from wakeword.training.windows import WindowConfig

HOP_SAMPLES = 160
"""Frames that the defaults of ``[windows]`` are meant for: 10 ms at 16 kHz."""


def with_network_defaults(table: dict[str, Any]) -> dict[str, Any]:
    """The tables of a recipe with the front end and window that its network was published with.

    Only where the recipe has no ``[frontend]``; what ``[windows]`` says stays. Its defaults are as
    long as ever in seconds: a frame of 20 ms counts for two.
    """
    network, windows = table.get("network"), table.get("windows", {})
    name = network.get("family") if isinstance(network, dict) else None
    if name in (None, "crnn") or "frontend" in table or not isinstance(windows, dict):
        return table
    from wakeword.networks import NETWORKS  # needs torch, as training does and reading does not

    named = NETWORKS.get(name) if isinstance(name, str) else None
    if named is None:
        return table
    return {
        **table,
        "frontend": named.frontend.to_dict(),
        "windows": {**window_defaults(named.frontend, named.frames), **windows},
    }


def window_defaults(frontend: FrontendConfig, frames: int) -> dict[str, Any]:
    """What of ``[windows]`` is meant in seconds or shares of the channels, for a front end."""
    usual, hop = asdict(WindowConfig()), frontend.hop_samples
    times = ("earliest_after_end", "latest_after_end", "time_mask_frames")
    return {
        "frames": frames,
        "channel_mask_width": max(1, usual["channel_mask_width"] * frontend.channels // 40),
        **{key: max(1, round(usual[key] * HOP_SAMPLES / hop)) for key in times},
    }
