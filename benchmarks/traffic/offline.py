"""What each engine hears in exactly the same samples without any server: the truth of a run."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from traffic.audio import CHUNK_SAMPLES, RATE, Audio
from wakeword.runtime import Bundle, Engine

GROUP_STREAMS = 64


class Heard(NamedTuple):
    """A detection as the offline engine makes it.

    sample: the end that the message tells; chunk: number of the chunk that completes it, which
    may be one that was never sent: the silence after the end.
    """

    stream: int
    word: str
    sample: int
    chunk: int


def heard_by_wakeword(bundle: Bundle, words: Sequence[str], audio: Audio) -> list[Heard]:
    """This library's engine, 64 streams in a call, a second of audio at a time."""
    engine = Engine(bundle)
    streams = range(len(audio.cuts))
    groups = [streams[i : i + GROUP_STREAMS] for i in range(0, len(streams), GROUP_STREAMS)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda group: _hear_group(engine, words, audio, group), groups)
        return [heard for group in found for heard in group]


def _hear_group(
    engine: Engine, words: Sequence[str], audio: Audio, numbers: Sequence[int]
) -> list[Heard]:
    streams = {engine.open_stream(RATE, words=words): number for number in numbers}
    heard: list[Heard] = []
    for at in range(0, audio.samples + RATE, RATE):
        for stream, number in streams.items():
            if at < audio.samples:
                stream.accept(audio.of(number)[at : at + RATE])
            else:
                stream.finish()
        for result in engine.step(list(streams)):
            chunk = -(-result.end_sample // CHUNK_SAMPLES) - 1
            heard += [
                Heard(streams[result.stream], d.keyword, d.end_sample, chunk)
                for d in result.detections
            ]
    return heard


def heard_by_microwakeword(audio: Audio) -> list[Heard]:
    """pymicro-wakeword, as the server around it uses it."""
    from traffic.microserver import WORD, Listener

    def hear(stream: int) -> list[Heard]:
        listener, samples = Listener(), audio.of(stream)
        found = [
            listener.accept(samples[at : at + CHUNK_SAMPLES].tobytes())
            for at in range(0, audio.samples, CHUNK_SAMPLES)
        ]
        return [Heard(stream, WORD, s, s // CHUNK_SAMPLES - 1) for s in found if s is not None]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [heard for found in pool.map(hear, range(len(audio.cuts))) for heard in found]


def heard_by_openwakeword(python: Path, word: str, audio: Audio) -> list[Heard]:
    """openWakeWord's networks in the order and with the windows of wyoming-openwakeword."""
    script = Path(__file__).with_name("openwakeword_alone.py")
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "samples.npy"
        np.save(samples, np.stack([audio.of(i) for i in range(len(audio.cuts))]))
        done = subprocess.run(
            [python, script, samples, word], stdout=subprocess.PIPE, check=True, text=True
        )
    return [
        Heard(stream, word, (chunk + 1) * CHUNK_SAMPLES, chunk)
        for stream, chunks in enumerate(json.loads(done.stdout))
        for chunk in chunks
    ]
