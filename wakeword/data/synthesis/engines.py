"""The synthesisers: a take in, samples out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wakeword.audio.files import read_audio
from wakeword.audio.resample import MODEL_RATE
from wakeword.data.synthesis.commands import run
from wakeword.data.synthesis.takes import Take
from wakeword.data.synthesis.voices import Engine
from wakeword.errors import AudioError, SynthesisError

Samples = NDArray[np.float32]

MARGIN_S = 0.4
"""Silence before and after each phrase, as in a recording."""
PEAK = 0.5
_ESPEAK_WPM, _ESPEAK_RANGE_WPM = 160, (80, 320)
_SILENCE = 1e-3
"""Of the peak: synthesisers write digital silence around what they say, of any length."""
_LONGEST_S = 20.0


def synthesise(take: Take, rate: int = MODEL_RATE) -> Samples:
    """Say a take: samples (n,) float32 mono at ``rate``, ``MARGIN_S`` of silence on both sides.

    Raises
    ------
    SynthesisError
        The engine is missing, fails, takes too long, or says nothing.
    """
    with tempfile.TemporaryDirectory(prefix="wakeword-say-") as folder:
        out = Path(folder) / "take.wav"
        _SAY[take.voice.engine](take, out)
        try:
            samples = read_audio(out, rate)
        except AudioError as error:
            raise SynthesisError(f"{_who(take)} said nothing of '{take.text}': {error}") from error
    peak = float(np.abs(samples).max())
    heard = np.flatnonzero(np.abs(samples) > _SILENCE * peak)
    if peak == 0.0 or not len(heard):
        raise SynthesisError(f"{_who(take)} was silent instead of saying '{take.text}'")
    said = samples[heard[0] : heard[-1] + 1]
    if len(said) > _LONGEST_S * rate:
        raise SynthesisError(f"{_who(take)} said '{take.text}' for over {_LONGEST_S:g} s")
    return np.pad(said * np.float32(PEAK / peak), round(MARGIN_S * rate))


def _who(take: Take) -> str:
    return f"{take.voice.engine} {take.voice.name}"


def _espeak(take: Take, out: Path) -> None:
    wpm = int(np.clip(round(_ESPEAK_WPM * take.pace), *_ESPEAK_RANGE_WPM))
    pitch = round(50 + 35 * take.pitch)
    arguments = ["-v", take.voice.name, "-s", str(wpm), "-p", str(pitch), "-w", str(out)]
    run("espeak-ng", [*arguments, "--stdin"], take.text + take.ending)


def _flite(take: Take, out: Path) -> None:
    features = {"duration_stretch": 1.0 / take.pace, "f0_shift": 1.25**take.pitch}
    settings = [a for name, value in features.items() for a in ("--setf", f"{name}={value:.3f}")]
    text = take.text + take.ending
    run("flite", ["-voice", take.voice.name, *settings, "-t", text, "-o", str(out)])


def _festival(take: Take, out: Path) -> None:
    """Texts hold letters, spaces, ' and - only, so that quotes are enough; pitch is not varied."""
    run("festival", ["--pipe"], "".join(f"{line}\n" for line in (
        f"(voice_{take.voice.name})",
        f"(Parameter.set 'Duration_Stretch {1.0 / take.pace:.3f})",
        f'(set! said (utt.synth (Utterance Text "{take.text}{take.ending}")))',
        f"(utt.save.wave said {_scheme(out)} 'riff)",
    )))  # fmt: skip


def _scheme(path: Path) -> str:
    """A path as a string of Scheme."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_SAY: Mapping[Engine, Callable[[Take, Path], None]] = {
    "espeak-ng": _espeak,
    "flite": _flite,
    "festival": _festival,
}
