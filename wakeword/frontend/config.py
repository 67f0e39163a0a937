"""What a front end computes, as a value: it travels in a bundle's metadata.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

from wakeword.errors import ConfigError
from wakeword.tables import from_table

Kind = Literal["pcen", "logmel", "mfcc", "pcen+logmel"]
"""``pcen+logmel``: the channels of ``pcen``, then those of ``logmel``, of the same energies, for
the mean of networks that hear one each."""


def _require(ok: bool, name: str, value: object, limit: str) -> None:
    if not ok:
        raise ConfigError(f"front end: {name} = {value!r}, but it must be {limit}")


@dataclass(frozen=True)
class PcenConfig:
    """Per-channel energy normalisation (Wang et al. 2017), published values as defaults.

    ``M[t] = (1 - s) M[t-1] + s E[t]`` and
    ``PCEN = (E / (eps + M)**alpha + delta)**r - delta**r``.
    """

    s: float = 0.025
    alpha: float = 0.98
    delta: float = 2.0
    r: float = 0.5
    eps: float = 1e-6

    def __post_init__(self) -> None:
        _require(0.0 < self.s <= 1.0, "pcen.s", self.s, "in (0, 1]")
        _require(0.0 <= self.alpha <= 1.0, "pcen.alpha", self.alpha, "in [0, 1]")
        _require(self.delta >= 0.0, "pcen.delta", self.delta, "at least 0")
        _require(0.0 < self.r <= 1.0, "pcen.r", self.r, "in (0, 1]")
        _require(self.eps > 0.0, "pcen.eps", self.eps, "above 0")

    def compressed_as(self, other: PcenConfig) -> PcenConfig:
        """This gain control, compressed with ``delta`` and ``r`` of ``other``."""
        return replace(self, delta=other.delta, r=other.r)


@dataclass(frozen=True)
class FrontendConfig:
    """Framing, mel filter bank and compression of one front end.

    Energies are those of samples in [-1, 1]: squared magnitude of the windowed FFT,
    summed through triangular mel filters of peak 1.

    Raises
    ------
    ConfigError
        A value is outside its limits; the message names both.
    """

    kind: Kind = "pcen"
    sample_rate: int = 16_000
    window_samples: int = 400
    hop_samples: int = 160
    fft_size: int = 512
    n_mels: int = 40
    f_min_hz: float = 60.0
    f_max_hz: float = 7_600.0
    n_mfcc: int = 40
    log_floor: float = 1e-6
    pcen: PcenConfig = field(default_factory=PcenConfig)

    def __post_init__(self) -> None:
        _require(self.kind in get_args(Kind), "kind", self.kind, f"one of {get_args(Kind)}")
        _require(
            4_000 <= self.sample_rate <= 192_000,
            "sample_rate",
            self.sample_rate,
            "between 4000 and 192000 Hz",
        )
        _require(
            1 <= self.hop_samples <= self.window_samples,
            "hop_samples",
            self.hop_samples,
            f"between 1 and window_samples = {self.window_samples}",
        )
        _require(
            self.window_samples <= self.fft_size <= 65_536,
            "fft_size",
            self.fft_size,
            f"between window_samples = {self.window_samples} and 65536",
        )
        _require(1 <= self.n_mels <= 256, "n_mels", self.n_mels, "between 1 and 256")
        _require(
            1 <= self.n_mfcc <= self.n_mels,
            "n_mfcc",
            self.n_mfcc,
            f"between 1 and n_mels = {self.n_mels}",
        )
        _require(
            0.0 <= self.f_min_hz < self.f_max_hz <= self.sample_rate / 2,
            "f_max_hz",
            self.f_max_hz,
            f"above f_min_hz = {self.f_min_hz} and at most half the sample rate",
        )
        _require(self.log_floor > 0.0, "log_floor", self.log_floor, "above 0")

    @property
    def channels(self) -> int:
        """Number of features per frame."""
        if self.kind == "mfcc":
            return self.n_mfcc
        return self.scales * self.n_mels

    @property
    def scales(self) -> int:
        """Groups of as many channels, one behind the other, each on a scale of its own."""
        return 2 if self.kind == "pcen+logmel" else 1

    @property
    def drawn(self) -> FrontendConfig:
        """What pictures show of it: the PCEN alone, where there is log-mel on another scale too."""
        return replace(self, kind="pcen") if self.kind == "pcen+logmel" else self

    def frames_after(self, samples: int) -> int:
        """Number of whole frames in the first ``samples`` samples of a stream."""
        if samples < self.window_samples:
            return 0
        return 1 + (samples - self.window_samples) // self.hop_samples

    def gives_features_of(self, other: FrontendConfig) -> bool:
        """Whether the features of ``other`` can be computed from these.

        So it is where all is equal, where both have PCEN and differ in its compression only, and
        where one of the two kinds that these hold is asked for
        (:func:`wakeword.frontend.derived.features_of`).
        """
        if other.kind == "pcen" and self.kind in ("pcen", "pcen+logmel"):
            pcen = self.pcen.compressed_as(other.pcen)
            return replace(self, kind=other.kind, pcen=pcen) == other
        if other.kind == "logmel" and self.kind == "pcen+logmel":
            return replace(self, kind=other.kind, pcen=other.pcen) == other
        return self == other

    def to_dict(self) -> dict[str, Any]:
        """Plain values for metadata.json; :meth:`from_dict` takes them back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FrontendConfig:
        """Build a configuration from metadata; unknown keys and wrong types are errors."""
        return from_table(cls, values, "frontend")


PRESETS: Mapping[str, FrontendConfig] = {
    "pcen-40": FrontendConfig(),
    "logmel-40": FrontendConfig(kind="logmel"),
    "pcen+logmel-40": FrontendConfig(kind="pcen+logmel"),
    "mfcc-30-10": FrontendConfig(kind="mfcc", window_samples=480, hop_samples=160, n_mfcc=40),
    "mfcc-40-20": FrontendConfig(
        kind="mfcc", window_samples=640, hop_samples=320, fft_size=1024, n_mfcc=10
    ),
}
"""``pcen-40``: the paper's (25 ms / 10 ms / 40 mel); ``logmel-40``: the same energies, log;
``pcen+logmel-40``: both; ``mfcc-30-10``: 30 ms / 10 ms / 40 (TC-ResNet paper); ``mfcc-40-20``:
40 ms / 20 ms / 10 (Cortex-M paper)."""


def preset(name: str) -> FrontendConfig:
    """The front end of ``PRESETS`` with this name; a ConfigError says which there are."""
    if name not in PRESETS:
        raise ConfigError(f"unknown front end '{name}'; there are: {', '.join(sorted(PRESETS))}")
    return PRESETS[name]
