"""The keys of a recipe, with defaults and meanings, for docs/training.md: `python3 dev.py docs`.

Names and defaults come from the dataclasses that read a recipe; what a key means is said here,
and a key without a meaning, or a meaning without a key, is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any

from wakeword.data.commands.protocol import CommandsConfig
from wakeword.data.features import FeatureConfig
from wakeword.data.scene_config import SceneConfig
from wakeword.evaluation.tables import markdown
from wakeword.frontend import FrontendConfig, PcenConfig
from wakeword.networks.crnn import CrnnConfig
from wakeword.training.recipe import (
    BundleSection,
    DataSection,
    DetectionSection,
    NetworkSection,
    TrainingSection,
)
from wakeword.training.windows import WindowConfig

PAGE = Path(__file__).resolve().parent.parent / "docs" / "training.md"
KEYS = re.compile(r"(?<=<!-- recipe keys -->\n).*?(?=<!-- end -->)", re.DOTALL)

SECTIONS: Mapping[str, tuple[type[Any], Mapping[str, str]]] = {
    "bundle": (BundleSection, {
        "name": "what the model is called: 1 to 64 characters of `a-z 0-9 _ . -`",
        "words": "the words it hears, lower case; the manifest's `text` of their clips",
        "version": "of the model, not of the software",
        "description": "one line for `wakeword models`",
        "licence": "of the model; mind what it was trained on",
        "not_good_at": "sentences for the model card",
        "attribution": "sentences for the model card: whose recordings, and what was done to them",
        "default_target_fa_per_hour": "false alarms per hour of the threshold used by default",
    }),
    "data": (DataSection, {
        "manifest": "path of the manifest, from the recipe's folder",
        "licences": "table: corpus = licence. Every corpus trained on needs one",
        "more_manifests": "more manifests that are trained on, but not measured on",
        "exclude_corpora": "corpora of the manifest that are not trained on",
        "exclude_recordings": "paths of the manifest, `*` allowed, that are neither trained on "
                              "nor measured on",
        "synthetic_corpora": "corpora spoken by machines; `scenes.synthetic` says how often",
        "noise_corpora": "corpora that are noise or music; all others are speech",
        "music_corpora": "those of `noise_corpora` that are music",
        "rooms": "simulated rooms to choose from; 0 for none",
        "alignment": "how words are found: `energy`, `ctc-sequential` or `ctc-path`",
        "also_words": "words learnt beside those of the bundle, and background in it",
    }),
    "network": (NetworkSection, {
        "family": "`crnn`, another family, or a name of `wakeword networks` (docs/networks.md)",
        "parameters": "table: parameters of the family; those of `crnn` are below",
    }),
    "network.parameters": (CrnnConfig, {
        "filters": "convolution filters (N_C in the paper's Table 1)",
        "kernel": "their size in frames and channels (L_T, L_F)",
        "stride": "their step in frames and channels (S_T, S_F)",
        "recurrent_layers": "bidirectional layers (R)",
        "recurrent_units": "units of each, in each direction (N_R)",
        "recurrent_unit": "`GRU` or `LSTM`",
        "hidden": "units of the fully connected layer (N_F)",
        "dropout": "share of inputs of the fully connected layers dropped in training",
        "recurrent_rank": "rank of the matrix into the first recurrent layer; 0: full",
        "hidden_rank": "rank of the matrix into the fully connected layer; 0: full",
    }),
    "frontend": (FrontendConfig, {
        "kind": "`pcen`, `logmel`, `mfcc`, or `pcen+logmel`: both, one after the other",
        "sample_rate": "Hz; recordings, rooms and scenes are at this rate",
        "window_samples": "samples of a frame: 25 ms at 16 kHz",
        "hop_samples": "samples from one frame to the next: 10 ms at 16 kHz",
        "fft_size": "points of the Fourier transform",
        "n_mels": "mel channels",
        "f_min_hz": "lower edge of the lowest channel",
        "f_max_hz": "upper edge of the highest channel",
        "n_mfcc": "coefficients, for `mfcc` only",
        "log_floor": "added to energies before the logarithm, for `logmel` and `mfcc`",
        "pcen": "table: below",
    }),
    "frontend.pcen": (PcenConfig, {
        "s": "smoothing: share of the new frame; 0.025 forgets with a time constant of 0.4 s",
        "alpha": "strength of the gain control",
        "delta": "offset before the root",
        "r": "the root's exponent",
        "eps": "keeps silence from division by zero",
    }),
    "scenes": (SceneConfig, {
        "seconds": "length of a scene",
        "positives": "share of scenes with a word",
        "also": "share of them in which the word is one of `data.also_words`",
        "word_end_s": "where in the scene the word ends",
        "snr_db": "word (its loudest 0.3 s) over noise, in scenes with clear noise",
        "faint_snr_db": "the same in scenes with faint noise",
        "clean": "share of scenes without added noise",
        "faint": "share of scenes with faint noise",
        "room": "share of scenes in a simulated room",
        "microphone": "share of scenes through an uneven microphone",
        "telephone": "share of scenes that come over a telephone: 8 kHz, a narrow band, companded",
        "telephone_others": "share of those without a word that do, if more",
        "knocks": "share of scenes with knocks, as of dishes and doors",
        "level_db": "level of the scene's loudest 0.3 s, dB of full scale",
        "speed": "factor of speed and pitch together, for 8 of 10 words",
        "paced": "share of words said at another tempo with the same pitch",
        "tempo": "factor of that tempo",
        "uneven": "how much the tempo changes inside a word: deviation of its logarithm",
        "stress_db": "how much the level changes inside a word: deviation, dB",
        "syllabic": "share of words said with pauses between their syllables",
        "pause_s": "length of such a pause",
        "drawn": "how much its syllables differ in tempo then: deviation of its logarithm",
        "synthetic": "share of words spoken by a synthetic voice, where there are any",
        "spliced": "share of words that one speaker begins and another ends",
        "carrier": "share of words with running speech before and after",
        "fresh": "share of scenes in which the stream begins just before the word",
        "near_miss": "share of negative scenes that are parts of words",
        "ended": "share of running speech that ends in a pause where a word would end",
        "mined": "share of negative scenes that are mined mistakes, once there are any",
    }),
    "features": (FeatureConfig, {
        "warp": "vocal tract length: factor of the mel filters' frequencies",
        "warp_steps": "filter banks made within that range",
        "unwarped": "share of scenes with the true filters",
        "band": "share of scenes through a narrow band, as of a telephone",
        "bend": "how much each region of formants moves by itself: deviation of its factor",
    }),
    "windows": (WindowConfig, {
        "frames": "frames that the network sees: 1.5 s",
        "earliest_after_end": "frames after the word's end at which its window may end first",
        "latest_after_end": "and last, if it still holds the beginning",
        "parts": "share of windows of a word that are cut to end inside it, as background",
        "part_of_word": "such windows end before so much of the word is through",
        "masked": "share of windows with masks (SpecAugment)",
        "time_masks": "masks over time in such a window",
        "time_mask_frames": "longest of them, frames",
        "channel_masks": "masks over channels",
        "channel_mask_width": "widest of them, channels",
    }),
    "training": (TrainingSection, {
        "seed": "of everything random",
        "rounds": "length of the run",
        "scenes_per_round": "new scenes made for each round",
        "pool_rounds": "scenes of so many rounds are drawn from",
        "windows_per_scene": "windows trained on for each new scene",
        "batch": "windows a step",
        "learning_rate": "of the optimiser, at the start",
        "final_learning_rate": "at the end",
        "schedule": "`drop`: to the final rate after 60 % of the rounds; `cosine`: gradually; "
                    "`steps`: in three parts",
        "optimizer": "`adam` (AdamW) or `sgd`",
        "momentum": "of `sgd`",
        "weight_decay": "decoupled for `adam`, L2 for `sgd`",
        "label_smoothing": "share of each label given to all classes",
        "average": "decay of the moving average of weights that becomes the model; 0: the last",
        "mine_after_rounds": "when to look for hard negatives",
        "mine_most": "keep so many of the worst",
        "blend": "share of the weights of `start` in the model that is written",
        "teachers": "bundles whose mean posteriors are learnt, from the recipe's folder",
        "precision": "of the computing: `bfloat16` is faster where the processor knows it",
        "taught": "share of them in what the network is to say; the labels are the rest",
        "taught_of": "windows that teachers are asked of; `words`: of background only labels count",
        "start": "bundle to begin with instead of random weights, from the recipe's folder",
        "checkpoint_rounds": "rounds from one checkpoint to the next",
    }),
    "commands": (CommandsConfig, {
        "clip_s": "length of a clip: that of the window, too",
        "unknown": "clips of other words for each clip of a word; 0: no such class",
        "silence": "stretches of noise for each clip of a word; 0: no such class",
        "speech": "share of the unknown clips that are cut from running speech",
        "background": "share of clips with background noise",
        "background_volume": "factor of that noise, from 0 to this",
        "background_snr_db": "instead of a factor: clip (its loudest 0.3 s) over noise",
        "silence_volume": "factor of the noise that is silence, from 0 to this",
        "shift_s": "clips are moved by so much at most, either way",
    }),
    "detection": (DetectionSection, {
        "smoother_steps": "scores averaged before they are compared with the threshold",
        "refractory_s": "a second crossing within it is the same utterance",
        "step_samples": "samples from one score to the next: 100 ms at 16 kHz",
    }),
}  # fmt: skip
"""Table of the recipe: its dataclass, and what each key means."""


def sections() -> Iterator[str]:
    """One heading and table for each section, in the order above."""
    for name, (cls, meanings) in SECTIONS.items():
        keys = {f.name: f for f in fields(cls)}
        if set(keys) != set(meanings):
            raise SystemExit(f"error: [{name}]: {set(keys) ^ set(meanings)} on one side only")
        rows = [[f"`{key}`", _default(keys[key]), meanings[key]] for key in keys]
        yield f"### `[{name}]`\n\n{markdown(['key', 'default', 'meaning'], rows)}\n"


def training_page() -> str:
    """docs/training.md with the tables as they are now."""
    text = "\n" + "\n".join(sections()) + "\n"
    return KEYS.sub(lambda _: text, PAGE.read_text("utf-8"))


def _default(field: Field[Any]) -> str:
    """The default as a recipe would state it."""
    value = field.default if field.default_factory is MISSING else field.default_factory()
    if value is MISSING:
        return "required"
    if value is None or is_dataclass(value) or isinstance(value, dict):
        return ""
    return f"`{json.dumps(value)}`"
