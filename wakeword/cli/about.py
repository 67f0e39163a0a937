"""What was measured, and with what: enough to measure it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wakeword.runtime import Bundle

if TYPE_CHECKING:
    from wakeword.data.manifest import Manifest
    from wakeword.training.trials import Trials


def about_trials(manifest: Manifest, trials: Trials) -> Mapping[str, Any]:
    """The recordings, and the versions of what decides about figures."""
    from importlib.metadata import version

    from wakeword import __version__

    return {
        "manifest_sha256": manifest.sha256,
        "split": trials.config.split,
        "seed": trials.config.seed,
        "noise_corpora": sorted(trials.config.noise_corpora),
        "talkers": trials.config.talkers,
        "rooms": trials.config.rooms,
        "context_s": trials.config.context_s,
        "left_out": len(trials.left_out()),
        "libraries": {
            "wakeword": __version__,
            "numpy": version("numpy"),
            "onnxruntime": version("onnxruntime"),
        },
    }


def about_bundle(bundle: Bundle, tolerance_s: float) -> Mapping[str, Any]:
    """The model, and how late a detection may come."""
    return {
        "bundle": bundle.name,
        "version": bundle.metadata.version,
        "sha256": bundle.sha256,
        "trained_on": sorted(s.corpus for s in bundle.metadata.training.data),
        "tolerance_s": tolerance_s,
    }
