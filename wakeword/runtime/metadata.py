"""What a bundle says about itself: metadata.json, schema version 1, as frozen values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from wakeword.errors import BundleError
from wakeword.frontend import FrontendConfig
from wakeword.runtime.checks import require, require_table
from wakeword.runtime.operating_points import OperatingPoints
from wakeword.runtime.sections import (
    DetectorConfig,
    ModelFile,
    SmootherConfig,
    TrainingRecord,
)
from wakeword.tables import from_table

SCHEMA_VERSION = 1
BACKGROUND = "background"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class BundleMetadata:
    """Everything in metadata.json; :meth:`from_dict` and :meth:`to_dict` are inverses.

    Raises
    ------
    BundleError
        A value is outside its limits; the message names both.
    """

    name: str
    version: str
    description: str
    licence: str
    model: ModelFile
    frontend: FrontendConfig
    window_frames: int
    step_samples: int
    labels: tuple[str, ...]
    smoother: SmootherConfig
    detector: DetectorConfig
    default_target_fa_per_hour: float
    operating_points: Mapping[str, OperatingPoints]
    training: TrainingRecord
    schema_version: int = field(default=SCHEMA_VERSION)

    def __post_init__(self) -> None:
        check_name(self.name)
        require(
            1 <= self.window_frames <= 10_000,
            "window_frames",
            self.window_frames,
            "between 1 and 10000",
        )
        longest = 10 * self.frontend.sample_rate
        require(
            1 <= self.step_samples <= longest,
            "step_samples",
            self.step_samples,
            f"between 1 and {longest} (10 s)",
        )
        check_labels(self.labels)
        points, words = set(self.operating_points), set(self.words)
        require(
            points == words,
            "operating_points",
            sorted(points),
            f"given for exactly the words {sorted(words)}",
        )
        for word in self.words:
            targets = self.operating_points[word].targets
            require(
                targets[0] <= self.default_target_fa_per_hour <= targets[-1],
                "default_target_fa_per_hour",
                self.default_target_fa_per_hour,
                f"in the range of the operating points of '{word}', {targets[0]:g} to "
                f"{targets[-1]:g}",
            )

    @property
    def words(self) -> tuple[str, ...]:
        """The labels without background, in the order of the model's outputs."""
        return self.labels[1:]

    def to_dict(self) -> dict[str, Any]:
        """Plain values in the order of the documented schema."""
        points = {word: self.operating_points[word].to_list() for word in self.words}
        measured = {word: self.operating_points[word].curve for word in self.words}
        curves = {word: curve.to_dict() for word, curve in measured.items() if curve}
        training = {
            "recipe": dict(self.training.recipe),
            "seed": self.training.seed,
            "data": [asdict(source) for source in self.training.data],
            "data_sha256": self.training.data_sha256,
            "libraries": dict(self.training.libraries),
        }
        return {
            "schema_version": self.schema_version,
            "name": self.name,
            "version": self.version,
            "description": self.description,
            "licence": self.licence,
            "model": asdict(self.model),
            "frontend": self.frontend.to_dict(),
            "window_frames": self.window_frames,
            "step_samples": self.step_samples,
            "labels": list(self.labels),
            "smoother": asdict(self.smoother),
            "detector": asdict(self.detector),
            "default_target_fa_per_hour": self.default_target_fa_per_hour,
            "operating_points": points,
            **({"curves": curves} if curves else {}),
            "training": training,
        }

    @classmethod
    def from_dict(cls, values: Any) -> BundleMetadata:
        """Check and build; the schema version is looked at before anything else."""
        where = "metadata.json"
        table = dict(require_table(values, where))
        _check_schema_version(table.get("schema_version"))
        curves = require_table(table.pop("curves", {}), f"{where}.curves")
        ready = {}
        if "operating_points" in table:
            points = require_table(table["operating_points"], f"{where}.operating_points")
            require(set(curves) <= set(points), "curves", sorted(curves), f"of {sorted(points)}")
            ready["operating_points"] = {
                word: OperatingPoints.from_list(items, word, curves.get(word))
                for word, items in points.items()
            }
        return from_table(cls, table, where, BundleError, ready)


def _check_schema_version(version: Any) -> None:
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise BundleError(f"metadata.json: schema_version = {version!r}, but it must be 1 or more")
    if version > SCHEMA_VERSION:
        raise BundleError(
            f"metadata.json has schema version {version}, but this library reads up to version "
            f"{SCHEMA_VERSION}: a newer wakeword is needed"
        )


def check_name(name: str) -> None:
    """Refuse, with a BundleError, a name that a bundle cannot have."""
    require(
        bool(_NAME.fullmatch(name)),
        "name",
        name,
        "1 to 64 of a-z, 0-9, '.', '_', '-', beginning with a letter or digit",
    )


def check_labels(labels: tuple[str, ...]) -> None:
    """Refuse, with a BundleError, labels that a bundle cannot have."""
    for label in labels:
        plain = isinstance(label, str) and label == " ".join(label.lower().split())
        fits = plain and 0 < len(label) <= 64 and label.isprintable()
        require(
            fits and not set(label) & set(":/\\"),
            "labels",
            label,
            "words of 1 to 64 characters in lower case, single spaces between them, "
            "without ':', '/' and '\\'",
        )
    require(
        len(labels) >= 2 and labels[0] == BACKGROUND,
        "labels",
        list(labels),
        f"'{BACKGROUND}' and at least one word after it",
    )
    require(len(set(labels)) == len(labels), "labels", list(labels), "all different")
