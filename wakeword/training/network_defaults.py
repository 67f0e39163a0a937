"""Front end and windows of a recipe that names a network of a paper and says no more."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from wakeword.frontend import FrontendConfig
from wakeword.training.windows import WindowConfig

_TIMES = ("earliest_after_end", "latest_after_end", "time_mask_frames")


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
    scaled = asdict(scaled_windows(WindowConfig(), FrontendConfig(), frontend, frames))
    return {key: scaled[key] for key in ("frames", "channel_mask_width", *_TIMES)}


def scaled_windows(
    windows: WindowConfig, made_for: FrontendConfig, frontend: FrontendConfig, frames: int
) -> WindowConfig:
    """Windows ``made_for`` one front end, for another one and so many of its frames.

    What is meant in seconds is as long as it was, masks cover the same share of the channels.
    """
    width = windows.channel_mask_width * frontend.channels // made_for.channels
    times = {
        key: max(1, round(getattr(windows, key) * made_for.hop_samples / frontend.hop_samples))
        for key in _TIMES
    }
    return replace(windows, frames=frames, channel_mask_width=max(1, width), **times)
