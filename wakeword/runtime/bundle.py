"""A model bundle: a folder with the network, what it says about itself, and its card."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

from wakeword.errors import BundleError, UnknownModelError
from wakeword.files import read_bytes, read_json
from wakeword.runtime.metadata import BundleMetadata
from wakeword.runtime.onnx_file import check_self_contained
from wakeword.runtime.operating_points import OperatingPoint, OperatingPoints
from wakeword.runtime.sections import MAX_MODEL_BYTES

METADATA_FILE = "metadata.json"
MODEL_FILE = "model.onnx"
CARD_FILE = "MODEL_CARD.md"
RECIPE_FILE = "recipe.toml"
MAX_METADATA_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Bundle:
    """A checked bundle: :meth:`load` is the way to get one.

    model holds the bytes whose checksum was verified, so that what is run is what was checked.
    """

    path: Path
    metadata: BundleMetadata
    model: bytes = field(repr=False)

    @classmethod
    def load(cls, path: str | Path) -> Bundle:
        """Read and check the bundle in folder ``path``.

        Raises
        ------
        BundleError
            A file is missing, too large or damaged; the metadata are wrong or of a newer
            schema; the checksum differs; the model keeps weights in other files.
        """
        folder = Path(path)
        if not folder.is_dir():
            raise BundleError(f"{folder} is not a folder with a model bundle")
        try:
            values = read_json(folder / METADATA_FILE, MAX_METADATA_BYTES, BundleError)
            metadata = BundleMetadata.from_dict(values)
            model = _read_model(folder, metadata)
        except BundleError as why:
            raise BundleError(f"bundle {folder}: {why}") from why
        return cls(folder, metadata, model)

    @property
    def name(self) -> str:
        """Name under which the bundle is installed."""
        return self.metadata.name

    @property
    def words(self) -> tuple[str, ...]:
        """The words it hears, in the order of the model's outputs."""
        return self.metadata.words

    @property
    def sha256(self) -> str:
        """Checksum of the network."""
        return self.metadata.model.sha256

    @property
    def card(self) -> str:
        """The model card; empty where the bundle has none."""
        path = self.path / CARD_FILE
        if not path.exists():
            return ""
        return read_bytes(path, MAX_METADATA_BYTES, BundleError).decode("utf-8", "replace")

    def operating_points(self, word: str) -> OperatingPoints:
        """The table of ``word``; an unknown word is an UnknownModelError naming the others."""
        if word not in self.words:
            raise UnknownModelError(
                f"model '{self.name}' does not hear '{word}'; it hears: {', '.join(self.words)}"
            )
        return self.metadata.operating_points[word]

    def operating_point(self, word: str, target_fa_per_hour: float | None = None) -> OperatingPoint:
        """What was measured for exactly this target; None is the bundle's default target."""
        return self.operating_points(word).at(self._target(target_fa_per_hour))

    def threshold(self, word: str, target_fa_per_hour: float | None = None) -> float:
        """Threshold for a target, by :meth:`OperatingPoints.threshold`.

        Raises
        ------
        UnknownModelError
            The bundle has no such word.
        ConfigError
            The target is outside the measured range.
        """
        return self.operating_points(word).threshold(self._target(target_fa_per_hour))

    def _target(self, target_fa_per_hour: float | None) -> float:
        if target_fa_per_hour is None:
            return self.metadata.default_target_fa_per_hour
        return target_fa_per_hour


def describe_model(metadata: BundleMetadata, onnx_bytes: bytes) -> BundleMetadata:
    """``metadata`` with the size and checksum of ``onnx_bytes``."""
    digest = hashlib.sha256(onnx_bytes).hexdigest()
    model = replace(metadata.model, sha256=digest, bytes=len(onnx_bytes))
    return replace(metadata, model=model)


def _read_model(folder: Path, metadata: BundleMetadata) -> bytes:
    said = metadata.model
    data = read_bytes(folder / said.file, MAX_MODEL_BYTES, BundleError)
    found = hashlib.sha256(data).hexdigest()
    if len(data) != said.bytes or found != said.sha256:
        raise BundleError(
            f"{said.file} has {len(data)} bytes and sha256 {found}, but metadata.json says "
            f"{said.bytes} bytes and {said.sha256}: the file is damaged or was replaced"
        )
    check_self_contained(data)
    return data
