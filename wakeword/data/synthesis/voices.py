"""Which synthetic voices this machine has, and who of them is one speaker."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from wakeword.data.synthesis.commands import run
from wakeword.errors import SynthesisError

Engine = Literal["espeak-ng", "flite", "festival"]

DEV_SHARE = 6
"""Of the speakers of each kind, every sixth is for the split dev."""
_NO_PERSON = re.compile(r"robo|robot|whisper|croak|demon|fast|announcer", re.IGNORECASE)
"""Variants of espeak-ng that sound like nobody who would say a word to a machine."""
_RECORDED = {
    "kal": "kal", "kal16": "kal", "kal_diphone": "kal", "awb": "awb", "rms": "rms", "slt": "slt",
    "ked_diphone": "ked", "cmu_us_slt_arctic_hts": "slt", "cmu_us_awb_cg": "awb",
    "cmu_us_rms_cg": "rms", "cmu_us_slt_cg": "slt", "cmu_us_clb_cg": "clb", "cmu_us_bdl_cg": "bdl",
    "cmu_us_jmk_cg": "jmk", "don_diphone": "don", "rab_diphone": "rab",
}  # fmt: skip
"""Voices of flite and festival that speak English: the person who was recorded for each."""
_NARROW = {"kal"}
"""flite's kal is made at 8 kHz; kal16 is the same voice in full."""


@dataclass(frozen=True)
class Voice:
    """A voice of one engine; ``speaker`` is the same for all voices of one person."""

    engine: Engine
    name: str
    speaker: str

    @property
    def recorded(self) -> bool:
        """Whether a person was recorded for it; espeak-ng's voices are formulas."""
        return self.engine != "espeak-ng"


def installed_voices(engines: Sequence[Engine] = ()) -> tuple[Voice, ...]:
    """All English voices of the engines on PATH, or of those that are named.

    Raises
    ------
    SynthesisError
        No engine is installed, or one that is named is not.
    """
    missing = [e for e in engines if shutil.which(e) is None]
    if missing:
        raise SynthesisError(f"{', '.join(missing)}: no program of this name is on PATH")
    wanted = engines or [e for e in _FIND if shutil.which(e) is not None]
    if not wanted:
        raise SynthesisError(f"none of {', '.join(_FIND)} is installed")
    voices = tuple(voice for engine in wanted for voice in _FIND[engine]())
    if not voices:
        raise SynthesisError(f"{', '.join(wanted)}: there is no voice that speaks English")
    return voices


def split_of(voices: Sequence[Voice]) -> dict[str, str]:
    """Split (train or dev) of each speaker, the same on every machine for the same speakers.

    Persons and formulas are divided apart, so that each split has both if there are two.
    """
    split: dict[str, str] = {}
    for recorded in (True, False):
        speakers = {v.speaker for v in voices if v.recorded == recorded}
        ordered = sorted(speakers, key=lambda s: hashlib.sha256(s.encode()).hexdigest())
        for i, speaker in enumerate(ordered):
            split[speaker] = "dev" if i % DEV_SHARE == 1 else "train"
    return split


def _espeak() -> list[Voice]:
    """Every accent of English in every variant; a variant is a speaker in all accents."""
    accents = re.findall(r"^ *\d+ +(en\S*) .* gmw/", run("espeak-ng", ["--voices=en"]), re.M)
    listed = run("espeak-ng", ["--voices=variant"])
    variants = re.findall(r"!v/(.*?)(?:\s{2,}|\s*\(|\s*$)", listed, re.M)
    named = sorted(v for v in {*variants} if v and not _NO_PERSON.search(v))
    voices = [Voice("espeak-ng", accent, "espeak") for accent in accents]
    for variant in named:
        voices += [
            Voice("espeak-ng", f"{accent}+{variant}", f"espeak-{_one_person(variant)}")
            for accent in accents
        ]
    return voices


def _one_person(variant: str) -> str:
    """``steph2`` is ``steph`` retouched, but ``f2`` and ``klatt2`` are not ``f1`` and ``klatt``."""
    plain = variant.rstrip("0123456789")
    own = len(plain) == 1 or plain == "klatt"
    return (variant if own else plain).lower().replace(" ", "-")


def _flite() -> list[Voice]:
    names = run("flite", ["-lv"]).rpartition(":")[2].split()
    return [Voice("flite", n, _RECORDED[n]) for n in names if n in _RECORDED and n not in _NARROW]


def _festival() -> list[Voice]:
    names = re.findall(r"[\w-]+", run("festival", ["-b", "(print (voice.list))"]))
    return [Voice("festival", n, _RECORDED[n]) for n in sorted({*names}) if n in _RECORDED]


_FIND: Mapping[Engine, Callable[[], list[Voice]]] = {
    "espeak-ng": _espeak,
    "flite": _flite,
    "festival": _festival,
}
