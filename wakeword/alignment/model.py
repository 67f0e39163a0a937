"""A network that reads letters, as files: ``aligner.json`` and ``letters.onnx`` in one folder."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wakeword.alignment.sequential import Decay
from wakeword.errors import BundleError, ConfigError
from wakeword.files import fresh_folder, read_bytes, read_json, refuse_foreign, write_json
from wakeword.frontend import Frontend, FrontendConfig
from wakeword.runtime.onnx_file import check_self_contained
from wakeword.runtime.sections import TrainingRecord
from wakeword.runtime.session import INPUT, OUTPUT, open_network
from wakeword.tables import from_table

METADATA_FILE, MODEL_FILE = "aligner.json", "letters.onnx"
RECIPE_FILE = "recipe.toml"
SHIPPED = Path(__file__).parent / "english"
SCHEMA_VERSION = 1
MAX_MODEL_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Placing:
    """From letters to word times: smoothing, decay (Algorithm 1), and padding of both methods.

    ``padding_s`` is what a word begins before the first letter's time step and ends after the
    last one's, for sequential alignment; ``path_padding_s`` the same for the best path.
    ``sound_only`` (ours, not the paper's) allows letters only where the level is at least that
    of the soft edge of a word, as alignment by energy understands it. The defaults were chosen on
    telephone recordings of 166 speakers (split ``train``) that the shipped network has not heard.
    """

    sound_only: bool = True
    smoothing_steps: int = 11
    decay: Decay = field(default_factory=Decay)
    padding_s: tuple[float, float] = (0.02, 0.07)
    path_padding_s: tuple[float, float] = (0.02, 0.07)

    def __post_init__(self) -> None:
        if not (1 <= self.smoothing_steps <= 999 and self.smoothing_steps % 2):
            raise ConfigError(f"smoothing_steps = {self.smoothing_steps} must be odd, 1 to 999")
        for name in ("padding_s", "path_padding_s"):
            if not all(0.0 <= value <= 1.0 for value in getattr(self, name)):
                raise ConfigError(f"{name} = {getattr(self, name)} must be 0 to 1 s each")


@dataclass(frozen=True)
class AlignerMetadata:
    """What ``aligner.json`` holds.

    ``letters`` are the characters of labels 1, 2, ...; label 0 is CTC's blank. A time step of
    the network is ``frames_per_step`` frames of the front end, centred on the first of them.
    ``epochs`` is how long it was trained, which may be less than its recipe asks for.
    """

    name: str
    description: str
    licence: str
    letters: str
    frames_per_step: int
    parameters: int
    epochs: int
    sha256: str
    frontend: FrontendConfig
    training: TrainingRecord
    placing: Placing = field(default_factory=Placing)
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        if self.schema_version != SCHEMA_VERSION:
            raise BundleError(
                f"schema_version = {self.schema_version}, but this library reads {SCHEMA_VERSION}"
            )
        if not self.letters or len(set(self.letters)) != len(self.letters):
            raise BundleError(
                f"letters = '{self.letters}' must be different characters, one or more"
            )
        if not 1 <= self.frames_per_step <= 100:
            raise BundleError(f"frames_per_step = {self.frames_per_step} must be 1 to 100")

    def plain(self, text: str) -> str:
        """``text`` in lower case, with single spaces for what is neither letter nor digit."""
        return plain_text(text, self.letters)

    def spell(self, text: str) -> list[int]:
        """Labels of :meth:`plain` text.

        Raises
        ------
        ConfigError
            Nothing is left, or the network has not learnt a character.
        """
        labels = self.spell_or_none(text)
        if not labels:
            unknown = sorted(set(self.plain(text)) - set(self.letters))
            raise ConfigError(
                f"'{text}' cannot be spelt with the letters of aligner '{self.name}' "
                f"({self.letters.strip()})" + (f": it has no '{unknown[0]}'" if unknown else "")
            )
        return labels

    def spell_or_none(self, text: str) -> list[int] | None:
        """Labels of :meth:`plain` text, or None if the network has not learnt a character."""
        plain = self.plain(text)
        if not set(plain) <= set(self.letters):
            return None
        return [1 + self.letters.index(character) for character in plain]


def plain_text(text: str, letters: str = "'") -> str:
    """``text`` in lower case with single spaces for all but letters, digits and ``letters``."""
    lower = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return " ".join("".join(c if c.isalnum() or c in letters else " " for c in lower).split())


class LetterModel:
    """Samples in, posteriors of letters out; immutable, for several threads at once.

    Raises
    ------
    BundleError
        ONNX Runtime cannot load the network.
    """

    def __init__(self, metadata: AlignerMetadata, model: bytes) -> None:
        self.metadata = metadata
        self.model = model
        self._frontend = Frontend(metadata.frontend)
        self._session = open_network(model, metadata.name)

    @property
    def step_s(self) -> float:
        """Seconds from one time step to the next."""
        c = self.metadata.frontend
        return self.metadata.frames_per_step * c.hop_samples / c.sample_rate

    @property
    def first_s(self) -> float:
        """Time of the middle of the first time step."""
        c = self.metadata.frontend
        return c.window_samples / 2 / c.sample_rate

    def features(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the network is given: features (1, frames, channels) of (n,) samples."""
        features, _ = self._frontend.process(samples[None], self._frontend.initial_state())
        return features

    def posteriors(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Posteriors (T, 1 + letters) of (n,) samples at the front end's rate; T may be 0.

        Raises
        ------
        AudioError
            The samples are not finite, or far above full scale.
        BundleError
            The network fails, or what it gives has another shape or is not finite.
        """
        features = self.features(samples)
        labels = 1 + len(self.metadata.letters)
        if features.shape[1] == 0:
            return np.zeros((0, labels), np.float32)
        try:
            (out,) = self._session.run([OUTPUT], {INPUT: features})
        except Exception as why:  # ONNX Runtime has no public base class of its errors
            raise BundleError(f"aligner '{self.metadata.name}' failed: {why}") from why
        steps = -(-features.shape[1] // self.metadata.frames_per_step)
        if out.shape != (1, steps, labels) or not np.isfinite(out).all():
            raise BundleError(
                f"aligner '{self.metadata.name}' gave {out.shape}, not finite posteriors of shape "
                f"{(1, steps, labels)}"
            )
        posteriors: NDArray[np.float32] = out[0]
        return posteriors


@lru_cache(maxsize=4)
def load_letter_model(folder: Path = SHIPPED) -> LetterModel:
    """Read and check an aligner's folder.

    Raises
    ------
    BundleError
        A file is missing or damaged, or the metadata are wrong.
    """
    try:
        values = read_json(folder / METADATA_FILE, error=BundleError)
        metadata = from_table(AlignerMetadata, values, METADATA_FILE, BundleError)
        model = read_bytes(folder / MODEL_FILE, MAX_MODEL_BYTES, BundleError)
        if hashlib.sha256(model).hexdigest() != metadata.sha256:
            raise BundleError(f"{MODEL_FILE} is not the file whose sha256 {METADATA_FILE} states")
        check_self_contained(model)
    except BundleError as why:
        raise BundleError(f"aligner {folder}: {why}") from why
    return LetterModel(metadata, model)


def save_letter_model(folder: Path, model: LetterModel, recipe: str = "") -> None:
    """Write the folder as a whole; an older aligner there is replaced, and nothing else.

    Raises
    ------
    BundleError
        The folder holds something else.
    """
    files = {METADATA_FILE, MODEL_FILE, RECIPE_FILE}
    refuse_foreign(folder, "an aligner", files.__contains__, BundleError)
    with fresh_folder(folder) as fresh:
        write_json(fresh / METADATA_FILE, asdict(model.metadata))
        (fresh / MODEL_FILE).write_bytes(model.model)
        if recipe:
            (fresh / RECIPE_FILE).write_text(recipe, encoding="utf-8")
