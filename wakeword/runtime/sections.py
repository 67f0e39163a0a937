"""The tables inside metadata.json, one frozen dataclass each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wakeword.runtime.checks import require, require_plain

MAX_MODEL_BYTES = 256 * 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ModelFile:
    """The network's file: name inside the bundle, checksum, size and cost."""

    file: str
    sha256: str
    bytes: int
    parameters: int
    flops_per_window: int

    def __post_init__(self) -> None:
        plain = self.file not in ("", ".", "..") and not set(self.file) & set("/\\:\0")
        require(plain, "file", self.file, "a file name without a folder")
        require(bool(_SHA256.fullmatch(self.sha256)), "sha256", self.sha256, "64 hex digits")
        limit = f"between 1 and {MAX_MODEL_BYTES}"
        require(1 <= self.bytes <= MAX_MODEL_BYTES, "bytes", self.bytes, limit)
        require(self.parameters >= 0, "parameters", self.parameters, "at least 0")
        require(
            self.flops_per_window >= 0,
            "flops_per_window",
            self.flops_per_window,
            "at least 0",
        )


@dataclass(frozen=True)
class SmootherConfig:
    """How posteriors are smoothed over steps before they meet the threshold."""

    kind: str = "moving_average"
    steps: int = 3

    def __post_init__(self) -> None:
        require(self.kind == "moving_average", "kind", self.kind, "'moving_average'")
        require(1 <= self.steps <= 1000, "steps", self.steps, "between 1 and 1000")


@dataclass(frozen=True)
class DetectorConfig:
    """How long after a detection the same word cannot be detected again."""

    refractory_s: float = 1.0

    def __post_init__(self) -> None:
        require(
            0.0 <= self.refractory_s <= 60.0,
            "refractory_s",
            self.refractory_s,
            "between 0 and 60 s",
        )


@dataclass(frozen=True)
class DataSource:
    """One corpus that the model was trained on."""

    corpus: str
    licence: str
    clips: int
    hours: float
    speakers: int

    def __post_init__(self) -> None:
        require(bool(self.corpus), "corpus", self.corpus, "a name")
        for name in ("clips", "hours", "speakers"):
            value = getattr(self, name)
            require(value >= 0, f"{name}", value, "at least 0")


@dataclass(frozen=True)
class TrainingRecord:
    """What made the model: enough to make it again."""

    recipe: Mapping[str, Any]
    seed: int
    data: tuple[DataSource, ...]
    data_sha256: str
    libraries: Mapping[str, str]

    def __post_init__(self) -> None:
        require_plain(dict(self.recipe), "recipe")
        for package, version in self.libraries.items():
            require(isinstance(version, str), f"libraries.{package}", version, "a string")
        require(
            self.data_sha256 == "" or bool(_SHA256.fullmatch(self.data_sha256)),
            "data_sha256",
            self.data_sha256,
            "64 hex digits, or empty",
        )
