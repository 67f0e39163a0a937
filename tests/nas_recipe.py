"""The command set of two tones with few frames and coefficients, so that cells are quick."""

from __future__ import annotations

from pathlib import Path

from commands_recipe import write_commands_recipe


def write_nas_recipe(folder: Path) -> Path:
    """Manifest, recordings and recipe in ``folder``."""
    path = write_commands_recipe(folder, "frames = 98", "frames = 25\nlatest_after_end = 20")
    text = path.read_text("utf-8")
    coarse = "window_samples = 640\nhop_samples = 640\nfft_size = 1024\nn_mfcc = 10"
    path.write_text(text.replace("window_samples = 480", coarse), "utf-8")
    return path
