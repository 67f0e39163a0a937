"""A recipe and manifest with which a real, small network learns two tones in a few seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from bundles import RATE, with_bursts
from tone_manifest import HIGH, LOW, SENTENCE, ToneManifest, tone_manifest

RECIPE = """
[bundle]
name = "tones"
words = ["low tone", "high tone"]
not_good_at = ["speech"]
attribution = ["Tones of the tests, made louder."]

[data]
manifest = "manifest.csv"
noise_corpora = ["hum", "noise"]
music_corpora = []
synthetic_corpora = []
rooms = 2
licences = { clips = "CC0", talk = "CC0", hum = "CC0" }

[scenes]
snr_db = [5.0, 20.0]

[network]
family = "crnn"
parameters = { filters = 8, recurrent_units = 8, recurrent_layers = 1, hidden = 16 }

[training]
rounds = 4
scenes_per_round = 32
pool_rounds = 2
windows_per_scene = 8
batch = 16
average = 0.9
mine_after_rounds = [2]
checkpoint_rounds = 1
"""


def write_tone_recipe(folder: Path, **changes: object) -> Path:
    """Manifest, recordings and recipe in ``folder``; ``changes`` replace lines ``key = value``."""
    made = tone_manifest(folder)
    _add_training_split(made)
    made.save()
    text = RECIPE
    for key, value in changes.items():
        lines = [line for line in text.splitlines() if line.startswith(f"{key} = ")]
        assert len(lines) == 1, f"{key} is {len(lines)} times in the recipe"
        text = text.replace(lines[0], f"{key} = {value}")
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _add_training_split(made: ToneManifest) -> None:
    rng = np.random.default_rng(3)
    for word in (LOW, HIGH):
        for i in range(6):
            clip = 0.1 * with_bursts(1.5, [(0.5, word)], noise=0.002)
            made.add(f"train-{word.split()[0]}-{i}", clip, word, split="train", speaker=f"r{i}")
    for i in range(4):
        shape = np.repeat(rng.random(12) ** 2, RATE // 4)
        talk = (0.2 * shape * rng.standard_normal(len(shape))).astype(np.float32)
        made.add(f"train-talk-{i}", talk, SENTENCE, "talk", "train", f"q{i}")
    for i in range(2):
        hum = (0.05 * rng.standard_normal(4 * RATE)).astype(np.float32)
        made.add(f"train-hum-{i}", hum, "hum", "hum", "train", "")
