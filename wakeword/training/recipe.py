"""Recipes: everything a training run is made of, in one TOML file."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from wakeword.alignment.ctc import Method
from wakeword.data.commands.protocol import SILENCE, CommandsConfig
from wakeword.data.features import FeatureConfig
from wakeword.data.scene_config import SceneConfig
from wakeword.errors import BundleError, RecipeError
from wakeword.frontend import FrontendConfig
from wakeword.runtime.metadata import BACKGROUND, check_labels, check_name
from wakeword.tables import from_table
from wakeword.training.network_defaults import with_network_defaults
from wakeword.training.recipe_file import read_table
from wakeword.training.windows import WindowConfig


@dataclass(frozen=True)
class BundleSection:
    """What the bundle is called and what it hears.

    ``attribution`` names, for the model card, whose recordings it was trained on and what was
    done with them: licences that ask for attribution hold for the model too.
    """

    name: str
    words: tuple[str, ...]
    version: str = "1.0.0"
    description: str = ""
    licence: str = "Apache-2.0"
    not_good_at: tuple[str, ...] = ()
    attribution: tuple[str, ...] = ()
    default_target_fa_per_hour: float = 0.5

    def __post_init__(self) -> None:
        if len(self.words) > 100:
            raise RecipeError(f"{len(self.words)} words are more than 100")
        try:
            check_name(self.name)
            check_labels((BACKGROUND, *self.words))
        except BundleError as error:
            raise RecipeError(f"[bundle]: {error}") from error
        if self.default_target_fa_per_hour <= 0.0:
            raise RecipeError("default_target_fa_per_hour must be above 0")


@dataclass(frozen=True)
class DataSection:
    """Which recordings; ``manifest`` is relative to the recipe's folder.

    ``licences`` states, for every corpus that is trained on, under what terms: the bundle
    repeats it, and a corpus without one is refused. ``more_manifests`` are trained on only: what
    is measured comes from ``manifest``. ``also_words`` are learnt beside the bundle's words, and
    are background in the bundle: what many speakers say teaches what a speaker may change.
    """

    manifest: str
    licences: dict[str, str]
    more_manifests: tuple[str, ...] = ()
    exclude_corpora: tuple[str, ...] = ()
    exclude_recordings: tuple[str, ...] = ()
    synthetic_corpora: tuple[str, ...] = ("tts",)
    noise_corpora: tuple[str, ...] = (
        "kitchen20",
        "esc10",
        "moodist",
        "noisekun",
        "opensurge",
        "scbg",
    )
    music_corpora: tuple[str, ...] = ("opensurge",)
    rooms: int = 400
    alignment: Method = "energy"
    also_words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.also_words) > 1000:
            raise RecipeError(f"{len(self.also_words)} also_words are more than 1000")
        if not 0 <= self.rooms <= 100_000:
            raise RecipeError(f"rooms = {self.rooms} must be between 0 and 100000")


@dataclass(frozen=True)
class NetworkSection:
    """Name of a network or family, and parameters of its own (see ``wakeword.networks``)."""

    family: str = "crnn"
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingSection:
    """The loop. A round makes ``scenes_per_round`` scenes and trains on the last ``pool_rounds``.

    ``schedule``: ``drop`` keeps the learning rate for 60 % of the rounds and then uses the final
    one (the paper's 1e-3 and 3e-4); ``cosine`` goes from one to the other on a half cosine;
    ``steps`` goes there in three equal parts, by the same factor each time (Choi et al. 2019:
    0.1, 0.01, 0.001). ``optimizer``: ``adam`` is AdamW; ``sgd`` has ``momentum``, and its
    ``weight_decay`` is added to the gradient, as L2 regularisation.
    ``start``: a bundle of the same network whose weights are the first ones, relative to the
    recipe's folder; its output layer is not taken where its words are others, and a CRNN may have
    had another stride over time. ``blend``: the
    share of those first weights in the model that is written (Wortsman et al. 2022): it keeps
    what training from them forgot. ``teachers``: bundles, relative to the recipe's folder, the mean
    of whose posteriors is ``taught`` of what the network is to say, the labels are the rest.
    ``taught_of``: the teachers are asked of ``all`` windows, or only of windows of ``words``, so
    that what they take for a word by mistake, mined or not, is unlearnt and not handed on.
    ``precision``: ``bfloat16`` computes what torch's autocast computes safely with eight bits of
    mantissa; weights, their average and the optimiser stay float32. It is faster where the
    processor multiplies bfloat16 itself, and the larger the network is.
    """

    seed: int = 1
    rounds: int = 100
    scenes_per_round: int = 2048
    pool_rounds: int = 12
    windows_per_scene: int = 8
    batch: int = 64
    learning_rate: float = 1e-3
    final_learning_rate: float = 3e-4
    schedule: Literal["drop", "cosine", "steps"] = "drop"
    optimizer: Literal["adam", "sgd"] = "adam"
    momentum: float = 0.9
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    average: float = 0.0
    mine_after_rounds: tuple[int, ...] = ()
    mine_most: int = 4000
    checkpoint_rounds: int = 2
    start: str = ""
    blend: float = 0.0
    teachers: tuple[str, ...] = ()
    taught: float = 0.0
    taught_of: Literal["all", "words"] = "all"
    precision: Literal["float32", "bfloat16"] = "float32"

    def __post_init__(self) -> None:
        for name in (
            "rounds",
            "scenes_per_round",
            "pool_rounds",
            "windows_per_scene",
            "batch",
            "mine_most",
            "checkpoint_rounds",
        ):
            if getattr(self, name) < 1:
                raise RecipeError(f"{name} = {getattr(self, name)} must be at least 1")
        if not 0.0 < self.final_learning_rate <= self.learning_rate <= 1.0:
            raise RecipeError(
                f"0 < final_learning_rate = {self.final_learning_rate} <= learning_rate = "
                f"{self.learning_rate} <= 1 must hold"
            )
        for name in ("momentum", "weight_decay", "label_smoothing", "average", "blend"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise RecipeError(f"{name} = {getattr(self, name)} must be in [0, 1)")
        if self.blend > 0.0 and not self.start:
            raise RecipeError(f"blend = {self.blend} needs a start to blend with")
        if not 0.0 <= self.taught <= 1.0 or bool(self.teachers) != (self.taught > 0.0):
            raise RecipeError(
                f"training.taught = {self.taught} must be in (0, 1] with teachers, and 0 without: "
                f"there are {len(self.teachers)}"
            )

    def learning_rate_at(self, share: float) -> float:
        """Learning rate after ``share`` (0 to 1) of the run."""
        if self.schedule == "drop":
            return self.learning_rate if share < 0.6 else self.final_learning_rate
        if self.schedule == "steps":
            fall = self.final_learning_rate / self.learning_rate
            return float(self.learning_rate * fall ** (min(2, int(3.0 * share)) / 2.0))
        span = self.learning_rate - self.final_learning_rate
        return self.final_learning_rate + span * 0.5 * (1.0 + math.cos(math.pi * share))


@dataclass(frozen=True)
class DetectionSection:
    """What turns posteriors into detections."""

    smoother_steps: int = 3
    refractory_s: float = 1.0
    step_samples: int = 1600


@dataclass(frozen=True)
class Recipe:
    """A whole training run, from recordings to bundle.

    With ``commands`` it is one of a command set: clips by the Speech Commands protocol take the
    place of ``scenes``.
    """

    bundle: BundleSection
    data: DataSection
    frontend: FrontendConfig = field(default_factory=FrontendConfig)
    network: NetworkSection = field(default_factory=NetworkSection)
    scenes: SceneConfig = field(default_factory=SceneConfig)
    features: FeatureConfig = field(default_factory=FeatureConfig)
    windows: WindowConfig = field(default_factory=WindowConfig)
    training: TrainingSection = field(default_factory=TrainingSection)
    detection: DetectionSection = field(default_factory=DetectionSection)
    commands: CommandsConfig | None = None

    def __post_init__(self) -> None:
        try:
            check_labels(self.labels)
        except BundleError as error:
            raise RecipeError(f"data.also_words: {error}") from error
        if self.commands is not None:
            self._check_commands(self.commands)
            return
        if self.training.taught_of != "all" and not self.training.teachers:
            raise RecipeError(f"training.taught_of = {self.training.taught_of!r} needs teachers")
        if bool(self.data.also_words) != (self.scenes.also > 0.0):
            raise RecipeError(
                f"{len(self.data.also_words)} data.also_words and scenes.also = "
                f"{self.scenes.also:g}: either both or none, or nobody says them"
            )
        frames = self.frontend.frames_after(round(self.scenes.seconds * self.frontend.sample_rate))
        if frames < self.windows.frames:
            raise RecipeError(
                f"windows.frames = {self.windows.frames}, but a scene of {self.scenes.seconds:g} s "
                f"has only {frames} frames"
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """What the network tells apart in training: background, the words, those beside them."""
        beside = self.data.also_words if self.commands is None else self.commands.beside
        return (BACKGROUND, *self.bundle.words, *beside)

    @property
    def cut(self) -> WindowConfig:
        """How windows are cut: a clip of a command set is one window, all of it that word."""
        return self.windows if self.commands is None else replace(self.windows, parts=0.0)

    def _check_commands(self, commands: CommandsConfig) -> None:
        for key, value in (
            ("data.also_words", self.data.also_words),
            ("training.mine_after_rounds", self.training.mine_after_rounds),
        ):
            if value:
                raise RecipeError(f"{key} = {list(value)}, but a command set has none")
        if self.training.taught_of == "words":
            raise RecipeError("training.taught_of = 'words', but in a command set it must be 'all'")
        if SILENCE in self.bundle.words:
            raise RecipeError(f"bundle.words: '{SILENCE}' is what a command set calls background")
        frames = self.frontend.frames_after(round(commands.clip_s * self.frontend.sample_rate))
        if frames != self.windows.frames:
            raise RecipeError(
                f"windows.frames = {self.windows.frames}, but a clip of commands.clip_s = "
                f"{commands.clip_s:g} s has {frames} frames"
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as recorded in the bundle and compared on resuming."""
        return asdict(self)


def read_recipe(path: str | Path) -> Recipe:
    """Read and check a recipe.

    Raises
    ------
    RecipeError
        The file, or one that it extends, cannot be read, is not TOML, or has an unknown key or an
        impossible value.
    """
    table = with_network_defaults(read_table(Path(path)))
    return from_table(Recipe, table, f"recipe {path}", RecipeError)
