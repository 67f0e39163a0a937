"""Make samples/*.flac with speech synthesisers of Debian, and samples/manifest.json.

    python tools/make_samples.py             write the samples again
    python tools/make_samples.py --survey    how many of all voices x words the shipped model hears

Needs: apt install flite festival festvox-us-slt-hts festvox-kallpc16k espeak-ng

A sample is a row of utterances with pauses between. A wake word is an utterance of its own, so
that its times are known exactly: they are those of its audible part.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from wakeword import Spotter
from wakeword.files import write_json

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
RATE = 16_000
LEVEL_DBFS = -23.0
AUDIBLE_DB = -40.0
"""The audible part is where 10 ms blocks are above this, relative to the loudest block."""

WORDS = ("alexa", "athena", "computer", "jarvis", "smart mirror", "snowboy", "view glass")

VOICES = {
    "flite-slt": ["flite", "-voice", "slt", "-t", "{text}", "-o", "{wav}"],
    "flite-rms": ["flite", "-voice", "rms", "-t", "{text}", "-o", "{wav}"],
    "flite-awb": ["flite", "-voice", "awb", "-t", "{text}", "-o", "{wav}"],
    "flite-kal16": ["flite", "-voice", "kal16", "-t", "{text}", "-o", "{wav}"],
    "festival-slt": ["text2wave", "-eval", "(voice_cmu_us_slt_arctic_hts)", "-o", "{wav}", "{txt}"],
    "festival-kal": ["text2wave", "-eval", "(voice_kal_diphone)", "-o", "{wav}", "{txt}"],
    "espeak-us": ["espeak-ng", "-v", "en-us", "-s", "140", "-w", "{wav}", "{text}"],
    "espeak-us-f": ["espeak-ng", "-v", "en-us+f3", "-s", "140", "-w", "{wav}", "{text}"],
    "espeak-gb": ["espeak-ng", "-v", "en-gb", "-s", "140", "-w", "{wav}", "{text}"],
}


@dataclass(frozen=True)
class Utterance:
    """One thing said: by which voice, after which pause; ``word`` where it is a wake word."""

    voice: str
    text: str
    pause_s: float = 0.5
    word: str | None = None


def word(voice: str, text: str, pause_s: float = 1.2) -> Utterance:
    """A wake word, alone."""
    return Utterance(voice, text, pause_s, text)


SCRIPTS: dict[str, list[Utterance]] = {
    "words": [
        word("flite-slt", "computer", 0.3),
        Utterance("flite-slt", "turn on the light in the kitchen.", 0.4),
        word("flite-slt", "jarvis"),
        word("flite-rms", "alexa"),
        Utterance("flite-rms", "what is the time?", 0.4),
        word("flite-rms", "snowboy"),
        word("flite-slt", "smart mirror"),
        word("festival-slt", "view glass"),
        word("flite-rms", "athena"),
    ],
    "commands": [
        word("flite-slt", "yes", 0.5),
        word("flite-rms", "no"),
        word("flite-rms", "up"),
        word("flite-rms", "down"),
        word("flite-slt", "bed"),
        word("flite-rms", "cat"),
        word("flite-slt", "happy"),
    ],
    "plain": [
        Utterance("flite-slt", "The commuter put the letter into the mirror cabinet."),
        Utterance("flite-rms", "A smart boy looked at the snow through the glass."),
        Utterance("festival-slt", "Alex is a lexicographer, and Jarrow is a town."),
    ],
}


def synthesise(voice: str, text: str) -> NDArray[np.float32]:
    """Samples at 16 kHz and :data:`LEVEL_DBFS`, cut to the audible part."""
    with tempfile.TemporaryDirectory() as folder:
        wav, txt = Path(folder, "out.wav"), Path(folder, "in.txt")
        txt.write_text(text, "utf-8")
        command = [part.format(text=text, wav=wav, txt=txt) for part in VOICES[voice]]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        samples, rate = soundfile.read(wav, dtype="float32")
    samples = soxr.resample(samples, rate, RATE)
    blocks = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    power = (blocks**2).mean(axis=1)
    audible = np.flatnonzero(power > power.max() * 10.0 ** (AUDIBLE_DB / 10.0))
    samples = samples[audible[0] * 160 : (audible[-1] + 1) * 160]
    gain = 10.0 ** (LEVEL_DBFS / 20.0) / np.sqrt((samples**2).mean())
    return np.asarray(samples * gain, np.float32)


def assemble(script: list[Utterance]) -> tuple[NDArray[np.float32], list[dict[str, object]]]:
    """One sample and the times of its wake words."""
    parts: list[NDArray[np.float32]] = []
    truth: list[dict[str, object]] = []
    position = 0
    for utterance in script:
        samples = synthesise(utterance.voice, utterance.text)
        pause = np.zeros(round(utterance.pause_s * RATE), np.float32)
        start = position + len(pause)
        position = start + len(samples)
        if utterance.word:
            times = {"start_s": round(start / RATE, 2), "end_s": round(position / RATE, 2)}
            truth.append({"word": utterance.word, "voice": utterance.voice, **times})
        parts += [pause, samples]
    return np.concatenate([*parts, np.zeros(round(1.2 * RATE), np.float32)]), truth


def write_samples() -> None:
    """Write every script as FLAC, and the manifest with what is said in them."""
    manifest = {}
    for name, script in SCRIPTS.items():
        samples, truth = assemble(script)
        soundfile.write(SAMPLES / f"{name}.flac", samples, RATE, subtype="PCM_16")
        spoken = [{"voice": u.voice, "text": u.text} for u in script]
        manifest[f"{name}.flac"] = {"words": truth, "spoken": spoken}
        print(f"{name}.flac: {len(samples) / RATE:.1f} s, {len(truth)} wake words")
    write_json(SAMPLES / "manifest.json", manifest)


def survey() -> None:
    """Print the highest score of every word in every voice, and whether it was heard alone."""
    spotter = Spotter()
    pause = np.zeros(RATE, np.float32)
    print(f"{'':13}" + "".join(f"{word:>13}" for word in WORDS))
    heard = 0
    for voice in VOICES:
        cells = []
        for word in WORDS:
            spotter.reset()
            said = np.concatenate([pause, synthesise(voice, word), pause])
            steps = spotter.steps(said, last=True)
            best = max(s.smoothed[s.stream.words.index(word)] for s in steps
                       if word in s.stream.words)
            right = [d.keyword for s in steps for d in s.detections] == [word]
            heard += right
            cells.append(f"{best:11.2f} {'*' if right else ' '}")
        print(f"{voice:13}" + "".join(cells))
    print(f"* heard, and nothing else: {heard} of {len(VOICES) * len(WORDS)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--survey", action="store_true", help="only say what the model hears")
    survey() if parser.parse_args().survey else write_samples()
