"""The network of a bundle in ONNX Runtime: windows of features in, posteriors out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import BundleError, ConfigError
from wakeword.runtime.bundle import Bundle

if TYPE_CHECKING:
    import onnxruntime

# From 1.29 on, ONNX Runtime tells its maker about every process and model, and keeps what it could
# not send under ~/.cache. It looks when it is loaded: this must stand before any import of it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

INPUT, OUTPUT = "features", "posteriors"
CALL_WINDOWS = 32
"""Windows per call of ONNX Runtime. From 16 to 64 a window costs least; beyond 128 what the
network computes leaves the cache, and 512 cost a third more (AMD EPYC, 1 MiB of cache a core)."""


class Session:
    """Runs the network of one bundle; immutable, may be used from several threads at once.

    Parameters
    ----------
    threads
        Threads that one call may use. 1 is best for many streams and for one.
    max_batch
        Larger batches are split into calls of so many windows.

    Raises
    ------
    BundleError
        ONNX Runtime cannot load the model, or its inputs and outputs are not those that the
        metadata say.
    """

    def __init__(self, bundle: Bundle, *, threads: int = 1, max_batch: int = CALL_WINDOWS) -> None:
        most = os.cpu_count() or 1
        if not 1 <= threads <= most:
            raise ConfigError(
                f"threads = {threads}, but it must be between 1 and {most}, the cores here"
            )
        if max_batch < 1:
            raise ConfigError(f"max_batch = {max_batch}, but it must be at least 1")
        self.max_batch = max_batch
        metadata = bundle.metadata
        self._window = (metadata.window_frames, metadata.frontend.channels)
        self._labels = len(metadata.labels)
        self._name = bundle.name
        self._session = open_network(bundle.model, bundle.name, threads)
        self._check_signature()

    def run(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Posteriors of a batch of windows.

        Parameters
        ----------
        features (batch, window_frames, channels) float32, any batch including 0

        Returns
        -------
        posteriors (batch, labels) float32

        Raises
        ------
        ConfigError
            Wrong shape or type.
        BundleError
            The network fails, or gives NaN or infinite posteriors.
        """
        if features.shape[1:] != self._window or features.dtype != np.float32:
            raise ConfigError(
                f"features must be float32 of shape (batch, {self._window[0]}, "
                f"{self._window[1]}), not {features.dtype} of shape {features.shape}"
            )
        out = np.empty((len(features), self._labels), np.float32)
        for start in range(0, len(features), self.max_batch):
            part = features[start : start + self.max_batch]
            out[start : start + len(part)] = self._run(part)
        return out

    def _run(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        found = run_network(
            self._session, OUTPUT, {INPUT: np.ascontiguousarray(features)}, self._name
        )
        if found.shape != (len(features), self._labels):
            raise BundleError(
                f"the network of model '{self._name}' gave posteriors of shape {found.shape}, "
                f"not {(len(features), self._labels)}"
            )
        check_finite(found, self._name)
        return found

    def _check_signature(self) -> None:
        for kind, nodes, name, shape in (
            ("input", self._session.get_inputs(), INPUT, self._window),
            ("output", self._session.get_outputs(), OUTPUT, (self._labels,)),
        ):
            found = [_signature(node) for node in nodes]
            ok = len(nodes) == 1 and nodes[0].name == name and _fits(nodes[0], shape)
            if not ok:
                wanted = f"{name} float32 (batch, {', '.join(map(str, shape))})"
                raise BundleError(
                    f"model '{self._name}' has the {kind} {'; '.join(found)}, "
                    f"but its metadata ask for {wanted}"
                )


def open_network(model: bytes, name: str, threads: int = 1) -> onnxruntime.InferenceSession:
    """Let ONNX Runtime load ``model``; ``name`` is what an error calls it.

    Raises
    ------
    BundleError
    """
    # Imported here because it takes a third of a second, which `wakeword --help` need not wait.
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # on Windows, and where somebody else imported it first
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Idle threads that spin would take the core from the front end and from other processes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
    except Exception as why:
        raise BundleError(f"ONNX Runtime cannot load model '{name}': {why}") from why


def run_network(
    session: onnxruntime.InferenceSession,
    output: str,
    inputs: Mapping[str, NDArray[np.float32]],
    name: str,
) -> NDArray[np.float32]:
    """What ``session`` gives for ``output``.

    Raises
    ------
    BundleError
        It fails.
    """
    try:
        (given,) = session.run([output], dict(inputs))
    except Exception as why:  # ONNX Runtime has no public base class of its errors
        raise BundleError(f"the network of model '{name}' failed: {why}") from why
    return np.asarray(given)


def check_finite(posteriors: NDArray[np.float32], name: str) -> None:
    """Refuse, with a BundleError, NaN and infinity."""
    if not np.isfinite(posteriors).all():
        raise BundleError(f"the network of model '{name}' gave NaN or infinity")


def _fits(node: Any, shape: tuple[int, ...]) -> bool:
    found = list(node.shape or [])
    return (
        node.type == "tensor(float)"
        and len(found) == len(shape) + 1
        and not isinstance(found[0], int)
        and all(not isinstance(f, int) or f == s for f, s in zip(found[1:], shape, strict=True))
    )


def _signature(node: Any) -> str:
    dimensions = ", ".join("any" if d is None else str(d) for d in node.shape or [])
    return f"{node.name} {node.type} ({dimensions})"
