"""From a trained network to model.onnx, with a parity check that refuses what does not agree."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wakeword.errors import TrainingError
from wakeword.frontend import Frontend
from wakeword.runtime.bundle import Bundle
from wakeword.runtime.engine import Engine
from wakeword.runtime.session import INPUT, OUTPUT, Session

TOLERANCE = 1e-4
"""Largest difference of posteriors between two ways of computing them: float32 rounding."""


class _WithSoftmax(nn.Module):
    """Logits to posteriors, as the bundle's contract asks."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, features: Tensor) -> Tensor:
        logits = self.model(features)
        return torch.softmax(logits, dim=logits.dim() - 1)


def export_onnx(
    model: nn.Module, frames: int, channels: int, *, any_length: bool = False
) -> bytes:
    """Return model.onnx for ``model``: input ``features``, output ``posteriors``, any batch.

    ``any_length``: also any number of frames, for networks that give an output for each step.
    """
    wrapped = _WithSoftmax(model).eval()
    example = torch.zeros(2, frames, channels)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / "model.onnx"
        # The exporter that keeps GRU and LSTM as single ONNX operators is the older one, and says
        # so; and it warns of recurrent layers with a variable batch, which the parity check tests.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            wrapped,
            (example,),
            path,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={
                INPUT: {0: "batch", 1: "frames"} if any_length else {0: "batch"},
                OUTPUT: {0: "batch", 1: "steps"} if any_length else {0: "batch"},
            },
            opset_version=17,
            dynamo=False,
        )
        return path.read_bytes()


def check_parity(model: nn.Module, bundle: Bundle, seed: int = 0) -> float:
    """Compare torch, ONNX Runtime, batch and streaming on random windows and random audio.

    Returns
    -------
    difference
        The largest difference of any posterior.

    Raises
    ------
    TrainingError
        It is above ``TOLERANCE``; the message says where.
    """
    rng = np.random.default_rng(seed)
    metadata = bundle.metadata
    audio = _test_audio(rng, 4 * metadata.frontend.sample_rate)
    windows = _windows(audio, bundle)
    session = Session(bundle)
    with torch.no_grad():
        expected = torch.softmax(model.eval()(torch.from_numpy(windows)), dim=1).numpy()
    engine = Engine(bundle)
    found = {
        "ONNX Runtime, batch": session.run(windows),
        "ONNX Runtime, one by one": np.concatenate([session.run(w[None]) for w in windows]),
        "streaming": _streamed(engine, audio, [len(audio)]),
        "streaming in small chunks": _streamed(engine, audio, rng.integers(1, 4000, 10_000)),
    }
    worst = 0.0
    for name, posteriors in found.items():
        wanted = expected[:, 1:] if name.startswith("streaming") else expected
        difference = float(np.abs(posteriors - wanted).max())
        worst = max(worst, difference)
        if not difference <= TOLERANCE:
            raise TrainingError(
                f"export refused: {name} differs from torch by {difference:.2g}, "
                f"but at most {TOLERANCE:g} is rounding"
            )
    return worst


def _test_audio(rng: np.random.Generator, length: int) -> NDArray[np.float32]:
    """Noise bursts between silences: all features move."""
    envelope = np.repeat(rng.random(length // 800 + 1) ** 4, 800)[:length]
    return cast(
        NDArray[np.float32], (0.3 * envelope * rng.standard_normal(length)).clip(-1, 1)
    ).astype(np.float32)


def _windows(audio: NDArray[np.float32], bundle: Bundle) -> NDArray[np.float32]:
    """All windows of ``audio`` by the contract in docs/architecture.md, without the engine."""
    metadata = bundle.metadata
    frontend = Frontend(metadata.frontend)
    features, _ = frontend.process(audio[None], frontend.initial_state())
    padded = np.concatenate([np.tile(frontend.silence(), (metadata.window_frames, 1)), features[0]])
    steps = len(audio) // metadata.step_samples
    ends = [metadata.frontend.frames_after((i + 1) * metadata.step_samples) for i in range(steps)]
    return np.stack([padded[e : e + metadata.window_frames] for e in ends])


def _streamed(
    engine: Engine, audio: NDArray[np.float32], chunks: NDArray[np.int64] | list[int]
) -> NDArray[np.float32]:
    """Posteriors (steps, words) of the words, heard in ``chunks``."""
    stream = engine.open_stream(engine.sample_rate)
    out: list[NDArray[np.float32]] = []
    at = 0
    for size in chunks:
        if at >= len(audio):
            break
        stream.accept(audio[at : at + int(size)])
        at += int(size)
        out += [r.posteriors for r in engine.step([stream])]
    return np.stack(out)
