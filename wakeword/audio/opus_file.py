"""Sound as the bytes of an Ogg Opus file: small, and played by every browser."""

from __future__ import annotations

import os
import tempfile

from wakeword.audio.pcm import Samples
from wakeword.errors import AudioError, MissingExtraError

RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)
"""Those that Opus codes as they are."""


def ogg_opus(samples: Samples, rate: int) -> bytes:
    """Encode mono ``samples`` (n,) at ``rate`` Hz; what is beyond full scale is clipped.

    Raises
    ------
    AudioError
        No samples; a rate that Opus does not have; libsndfile cannot write it.
    MissingExtraError
        soundfile is not installed.
    """
    try:
        import soundfile
    except ImportError as error:
        raise MissingExtraError("soundfile", "cli", "writing Ogg Opus") from error
    if rate not in RATES_HZ:
        raise AudioError(f"Opus has no rate of {rate} Hz; it has {', '.join(map(str, RATES_HZ))}")
    if not len(samples):
        raise AudioError("no samples: an Ogg Opus file cannot be empty")
    with tempfile.TemporaryFile() as file:
        # A descriptor where there is one, as in codecs.py: a Ctrl-C inside a callback is lost.
        target = file if os.name == "nt" else file.fileno()
        try:
            soundfile.write(
                target, samples.clip(-1.0, 1.0), rate, "OPUS", format="OGG", closefd=False
            )
        except soundfile.LibsndfileError as error:
            raise AudioError(f"cannot write Ogg Opus: {error.error_string}") from error
        file.seek(0)
        return file.read()
