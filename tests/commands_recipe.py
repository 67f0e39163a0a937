"""A recipe with which a real, small network learns a command set of two tones in seconds."""

from __future__ import annotations

from pathlib import Path

from command_corpus import command_manifest

COMMANDS_RECIPE = """
[bundle]
name = "two-tones"
words = ["low", "high"]

[data]
manifest = "manifest.csv"
noise_corpora = ["hum"]
licences = { clips = "CC0", talk = "CC0", hum = "CC0" }

[frontend]
kind = "mfcc"
window_samples = 480
f_min_hz = 20.0
f_max_hz = 4000.0

[network]
family = "crnn"
parameters = { filters = 8, recurrent_units = 8, recurrent_layers = 1, hidden = 16 }

[features]
unwarped = 1.0
band = 0.0

[windows]
frames = 98
masked = 0.0

[commands]
unknown = 0.5
silence = 0.5

[training]
rounds = 4
scenes_per_round = 64
pool_rounds = 2
windows_per_scene = 8
batch = 16
learning_rate = 1e-2
final_learning_rate = 1e-3
schedule = "cosine"
checkpoint_rounds = 1
"""


def write_commands_recipe(folder: Path, old: str = "", new: str = "") -> Path:
    """Manifest, recordings and recipe in ``folder``; ``old`` of the recipe is replaced."""
    command_manifest(folder)
    assert old in COMMANDS_RECIPE
    path = folder / "recipe.toml"
    path.write_text(COMMANDS_RECIPE.replace(old, new, 1) if old else COMMANDS_RECIPE, "utf-8")
    return path
