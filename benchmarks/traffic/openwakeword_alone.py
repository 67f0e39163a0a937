"""openWakeWord without a server, run by the interpreter that has wyoming-openwakeword.

    python openwakeword_alone.py SAMPLES.npy WORD

SAMPLES (streams, samples) int16. Prints, as JSON, for each stream the numbers of the 80 ms chunks
after which the server tells of the word: windows, steps and threshold are the server's own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tflite_runtime.interpreter as tflite
import wyoming_openwakeword
from numpy.typing import NDArray
from wyoming_openwakeword.const import EMB_FEATURES, EMB_STEP, MEL_SAMPLES, SAMPLES_PER_CHUNK

MODELS = Path(wyoming_openwakeword.__file__).parent / "models"
THRESHOLD = 0.5
Samples = NDArray[Any]


class Network:
    """A network with one input and one output."""

    def __init__(self, name: str, shape: tuple[int, ...] | None = None) -> None:
        self._interpreter = tflite.Interpreter(model_path=str(MODELS / name), num_threads=1)
        details = self._interpreter.get_input_details()[0]
        self._input, self.windows = details["index"], details["shape"][1]
        self._output = self._interpreter.get_output_details()[0]["index"]
        if shape:
            self._interpreter.resize_tensor_input(self._input, shape, strict=True)
        self._interpreter.allocate_tensors()

    def __call__(self, values: Samples) -> Samples:
        self._interpreter.set_tensor(self._input, values)
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._output))


def detections(samples: Samples, mel: Network, embed: Network, word: Network) -> list[int]:
    """Chunks after which ``word`` is above the threshold in ``samples`` (n,)."""
    mels = np.zeros((0, 32), np.float32)
    embeddings = np.zeros((0, 96), np.float32)
    found = []
    begin = 0
    for chunk in range(len(samples) // SAMPLES_PER_CHUNK):
        while begin + MEL_SAMPLES <= (chunk + 1) * SAMPLES_PER_CHUNK:
            piece = samples[begin : begin + MEL_SAMPLES].astype(np.float32)[None]
            mels = np.concatenate([mels, mel(piece)[0, 0] / 10 + 2])
            begin += SAMPLES_PER_CHUNK
        while len(mels) >= EMB_FEATURES:
            window = mels[:EMB_FEATURES].astype(np.float32)
            embeddings = np.concatenate([embeddings, embed(window[None, :, :, None])[0, 0]])
            mels = mels[EMB_STEP:]
        while len(embeddings) >= word.windows:
            if word(embeddings[None, : word.windows]).item() >= THRESHOLD:
                found.append(chunk)
            embeddings = embeddings[1:]
    return found


def main() -> None:
    """Hear every stream of the file."""
    streams, name = np.load(sys.argv[1], mmap_mode="r"), sys.argv[2]
    mel = Network("melspectrogram.tflite", (1, MEL_SAMPLES))
    embed = Network("embedding_model.tflite", (1, EMB_FEATURES, 32, 1))
    word = Network(next(MODELS.glob(f"{name}_v*.tflite")).name)
    print(json.dumps([detections(samples, mel, embed, word) for samples in streams]))


if __name__ == "__main__":
    main()
